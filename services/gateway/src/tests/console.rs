use std::collections::HashSet;
use std::io::Read;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::header::{ACCEPT, ACCEPT_ENCODING, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, Request, StatusCode};
use flate2::read::GzDecoder;
use http_body_util::BodyExt;
use tower::ServiceExt;

use super::world::World;
use crate::console::router;

const SCRIPT: &str = "/explorer/assets/app-ABC.js";
const PAGE: &str = "<!doctype html><title>Flowtrail</title>";

/// A page of two files.
fn page() -> Router {
    const FILES: &[explorer::File] = &[
        explorer::File { name: "assets/app-ABC.js", bytes: &[b'x'; 5000] },
        explorer::File { name: "index.html", bytes: PAGE.as_bytes() },
    ];
    router(FILES)
}

async fn send(
    router: Router,
    method: &str,
    path: &str,
    headers: &[(HeaderName, &str)],
) -> (StatusCode, HeaderMap, Bytes) {
    let request = Request::builder().method(method).uri(path);
    let request = headers.iter().fold(request, |request, (name, value)| request.header(name, *value));
    let response = router.oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = response.into_parts();
    (parts.status, parts.headers, body.collect().await.unwrap().to_bytes())
}

async fn get(path: &str, headers: &[(HeaderName, &str)]) -> (StatusCode, HeaderMap, Bytes) {
    send(page(), "GET", path, headers).await
}

#[tokio::test]
async fn every_path_of_the_page_is_the_page_and_is_asked_for_each_time() {
    for path in ["/explorer", "/explorer/", "/explorer/audit", "/explorer/traffic?q=dport:53", "/explorer/a/b"] {
        let (status, headers, body) = get(path, &[]).await;
        assert_eq!((status, &*body), (StatusCode::OK, PAGE.as_bytes()), "{path}");
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        assert_eq!(headers["cache-control"], "no-cache");
    }
}

#[tokio::test]
async fn the_page_may_load_what_came_with_it_and_nothing_else() {
    let (_, headers, _) = get("/explorer/audit", &[]).await;
    let policy = headers["content-security-policy"].to_str().unwrap();
    let mut directives = policy.split("; ");
    assert_eq!(directives.next(), Some("default-src 'none'"));
    for directive in directives {
        let (_, sources) = directive.split_once(' ').unwrap();
        assert!(sources.split(' ').all(|source| ["'self'", "'none'", "data:"].contains(&source)), "{directive}");
    }
    assert_eq!(headers["referrer-policy"], "same-origin");
}

#[tokio::test]
async fn the_root_is_the_page_for_browsers_alone() {
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let (status, headers, body) = get("/", &[(ACCEPT, browser)]).await;
    assert_eq!((status, &*body), (StatusCode::OK, PAGE.as_bytes()));
    assert!(headers.get_all("vary").iter().any(|value| value == "Accept"), "{headers:?}");

    let world = World::start().await;
    for accept in ["*/*", "application/json", "text/htmlx"] {
        let program = Request::get("/").header(ACCEPT, accept).body(Body::empty()).unwrap();
        assert_eq!(world.send(program).await.status, StatusCode::NOT_FOUND, "{accept}");
    }
}

#[tokio::test]
async fn a_part_of_the_page_may_be_kept_for_ever_and_is_sent_once() {
    let (status, headers, body) = get(SCRIPT, &[]).await;
    assert_eq!((status, body.len()), (StatusCode::OK, 5000));
    assert_eq!(headers["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(headers["cache-control"], "public, max-age=31536000, immutable");

    let tag = headers["etag"].to_str().unwrap();
    for known in [tag, "*", &format!("W/{tag}"), &format!("\"other\", {tag}")] {
        let (status, headers, body) = get(SCRIPT, &[(IF_NONE_MATCH, known)]).await;
        assert_eq!((status, body.len()), (StatusCode::NOT_MODIFIED, 0), "{known}");
        assert_eq!((headers["etag"].to_str().unwrap(), headers.get("content-type")), (tag, None));
    }
    assert_eq!(get(SCRIPT, &[(IF_NONE_MATCH, "\"other\"")]).await.0, StatusCode::OK);
    assert_eq!(get("/explorer/assets/app-OLD.js", &[]).await.0, StatusCode::NOT_FOUND);
    assert_eq!(get("/explorer/assets/index.html", &[]).await.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn each_encoding_has_the_same_contents_and_a_tag_of_its_own() {
    let mut tags = Vec::new();
    for encoding in ["identity", "gzip", "zstd"] {
        let (_, headers, body) = get(SCRIPT, &[(ACCEPT_ENCODING, encoding)]).await;
        let mut read = Vec::new();
        match headers.get("content-encoding").map(|name| name.to_str().unwrap()) {
            None => read.extend_from_slice(&body),
            Some("gzip") => drop(GzDecoder::new(&*body).read_to_end(&mut read).unwrap()),
            Some("zstd") => read = zstd::decode_all(&*body).unwrap(),
            Some(other) => panic!("{other}"),
        }
        assert_eq!(read, [b'x'; 5000], "{encoding}");
        assert_eq!(body.len() < 100, encoding != "identity", "{encoding}");
        assert_eq!(headers["vary"], "Accept-Encoding");
        tags.push(headers["etag"].clone());
    }
    assert_eq!(tags.iter().collect::<HashSet<_>>().len(), 3, "{tags:?}");
}

#[tokio::test]
async fn head_is_answered_without_the_body_and_post_not_at_all() {
    let (status, headers, body) = send(page(), "HEAD", SCRIPT, &[]).await;
    assert_eq!((status, &headers["content-length"], body.len()), (StatusCode::OK, &"5000".parse().unwrap(), 0));
    assert_eq!(send(page(), "POST", "/explorer", &[]).await.0, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_build_without_the_page_says_how_to_get_it() {
    let (status, headers, body) = send(router(&[]), "GET", "/explorer/audit", &[]).await;
    assert_eq!(
        (status, headers["content-type"].to_str().unwrap()),
        (StatusCode::NOT_FOUND, "text/plain; charset=utf-8")
    );
    assert!(String::from_utf8(body.to_vec()).unwrap().contains("./just up"));
}
