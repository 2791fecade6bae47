//! Saved searches and a browser's session, in both topologies.

use reqwest::header::{AUTHORIZATION, COOKIE, HOST, ORIGIN, SET_COOKIE};
use reqwest::{RequestBuilder, StatusCode};
use serde_json::{Value, json};

use crate::flowtrail::{Flowtrail, Topology};

const SEARCHES: &str = "/flowtrail/v1/searches";
const SESSION: &str = "/flowtrail/v1/session";

async fn json_of(request: RequestBuilder) -> (StatusCode, Value) {
    let answer = request.send().await.unwrap();
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

fn search(name: &str, shared: bool) -> Value {
    json!({ "name": name, "family": "audit", "q": "status:denied", "from": "now-7d", "shared": shared })
}

fn names(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

async fn searches_are_kept_as_they_are_saved(topology: Topology) {
    let mut flowtrail = Flowtrail::start(topology).await;
    let other_gateway = flowtrail.add_gateway();
    let admin = flowtrail.token.clone();
    let token = |flowtrail: &Flowtrail, account: &str| {
        let made =
            flowtrail.succeed(["token", "create", "--account", account, "--name", "ci", "--scopes", "audit:read"]);
        made.trim().to_owned()
    };
    flowtrail.succeed(["account", "create", "other"]);
    let (reader, foreign) = (token(&flowtrail, "main"), token(&flowtrail, "other"));

    // What was saved is seen at once, and through another gateway by the position of the write.
    let answer = flowtrail.request("POST", SEARCHES).json(&search("mine", false)).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let (path, position) = (answer.headers()["location"].clone(), answer.headers()["flowtrail-as-of"].clone());
    let mine = path.to_str().unwrap().to_owned();
    assert_eq!(names(&flowtrail.get(SEARCHES).await), ["mine"]);
    let first_gateway = std::mem::replace(&mut flowtrail.url, other_gateway);
    let read = flowtrail.request("GET", &mine).header("Flowtrail-At-Least", &position);
    let (status, shown) = json_of(read).await;
    assert_eq!(
        (status, &shown["q"], &shown["owner"]["email"]),
        (StatusCode::OK, &json!("status:denied"), &json!("admin@local"))
    );
    flowtrail.url = first_gateway;
    let (_, shared) = json_of(flowtrail.request("POST", SEARCHES).json(&search("shared", true))).await;
    let shared = format!("{SEARCHES}/{}", shared["id"].as_str().unwrap());

    // Nobody else sees the private one, another account neither.
    flowtrail.token.clone_from(&reader);
    assert_eq!(names(&flowtrail.get(SEARCHES).await), ["shared"]);
    let missing = json_of(flowtrail.request("GET", &format!("{SEARCHES}/missing"))).await;
    assert_eq!(json_of(flowtrail.request("GET", &mine)).await, missing);
    let change = json!({ "name": "taken over" });
    let missing = json_of(flowtrail.request("PUT", &format!("{SEARCHES}/missing")).json(&change)).await;
    assert_eq!((missing.0.as_u16(), json_of(flowtrail.request("PUT", &mine).json(&change)).await), (404, missing));
    let (status, refused) = json_of(flowtrail.request("PUT", &shared).json(&change)).await;
    assert_eq!(status, 403, "{refused}");
    let (status, own) = json_of(flowtrail.request("POST", SEARCHES).json(&search("readers", true))).await;
    assert_eq!(status, 201);
    flowtrail.token = foreign;
    assert_eq!(names(&flowtrail.get(SEARCHES).await), Vec::<&str>::new());
    assert_eq!(json_of(flowtrail.request("DELETE", &shared)).await.0, 404);

    // An admin changes what others share; a mistake says where it is.
    flowtrail.token = admin;
    let readers = format!("{SEARCHES}/{}", own["id"].as_str().unwrap());
    let (status, changed) = json_of(flowtrail.request("PUT", &readers).json(&json!({ "q": "status:error" }))).await;
    assert_eq!((status, &changed["q"], &changed["from"]), (StatusCode::OK, &json!("status:error"), &json!("now-7d")));
    let (status, refused) = json_of(flowtrail.request("PUT", &readers).json(&json!({ "q": "x actr:y" }))).await;
    let meant = r#"q: column 3: "actr" is no field: is actor meant?"#;
    assert_eq!((status, &refused["detail"]), (StatusCode::BAD_REQUEST, &json!(meant)));
    assert_eq!(flowtrail.request("DELETE", &shared).send().await.unwrap().status(), 204);

    // The view comes back from the log the same.
    let dump = flowtrail.succeed(["dump", "searches"]);
    assert_eq!(dump.lines().count(), 2);
    flowtrail.succeed(["rebuild", "searches"]);
    assert_eq!(flowtrail.succeed(["dump", "searches"]), dump);
    assert_eq!(names(&flowtrail.get(SEARCHES).await), ["mine", "readers"]);
}

#[tokio::test]
async fn searches_are_kept_as_they_are_saved_in_one_process() {
    searches_are_kept_as_they_are_saved(Topology::Together).await;
}

#[tokio::test]
async fn searches_are_kept_as_they_are_saved_over_nats() {
    searches_are_kept_as_they_are_saved(Topology::Split).await;
}

/// Asks with a session's cookie instead of a token, as a page of this origin does.
async fn with_cookie(flowtrail: &Flowtrail, request: RequestBuilder, cookie: &str) -> (StatusCode, Value) {
    let mut request = request.header(COOKIE, cookie).build().unwrap();
    request.headers_mut().remove(AUTHORIZATION);
    let answer = flowtrail.execute(request).await;
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    (status, serde_json::from_str(&text).unwrap_or(Value::Null))
}

async fn a_page_signs_in_works_and_signs_out(topology: Topology) {
    let flowtrail = Flowtrail::start(topology).await;
    let password = std::fs::read_to_string(flowtrail.data().join("admin.password")).unwrap();
    let credentials = json!({ "username": "admin@local", "password": password.trim() });
    let answer = flowtrail.request("POST", SESSION).json(&credentials).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let set = answer.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    assert!(set.contains("; HttpOnly; SameSite=Strict; Path=/; Max-Age=") && !set.contains("Secure"), "{set}");
    let cookie = set.split(';').next().unwrap();
    let get = |path: &str| flowtrail.request("GET", path);
    let (status, shown) = with_cookie(&flowtrail, get(SESSION), cookie).await;
    let expected = (StatusCode::OK, &json!("main"), &json!("admin@local"));
    assert_eq!((status, &shown["account"], &shown["user"]["email"]), expected);
    assert!(shown["scopes"].as_array().unwrap().contains(&json!("admin")) && shown["expires_at"].is_string());

    let save = || flowtrail.request("POST", SEARCHES).json(&search("mine", false));
    assert_eq!(with_cookie(&flowtrail, save(), cookie).await.0, 403, "the header is missing");
    let host = flowtrail.url.strip_prefix("http://").unwrap();
    let as_page = |request: RequestBuilder, origin: &str| {
        request.header("Flowtrail-Csrf", "1").header(HOST, host).header(ORIGIN, origin)
    };
    assert_eq!(with_cookie(&flowtrail, as_page(save(), "http://evil.example"), cookie).await.0, 403);
    assert_eq!(with_cookie(&flowtrail, as_page(save(), &flowtrail.url), cookie).await.0, 201);
    assert_eq!(names(&with_cookie(&flowtrail, get(SEARCHES), cookie).await.1), ["mine"]);
    assert_eq!(names(&flowtrail.get(SEARCHES).await), ["mine"], "the token of the same user sees it too");

    let end = || as_page(flowtrail.request("DELETE", SESSION), &flowtrail.url);
    assert_eq!(with_cookie(&flowtrail, end(), cookie).await.0, 204);
    assert_eq!(with_cookie(&flowtrail, get(SESSION), cookie).await.0, 401, "its token has ended");

    // A token that is given outlives its session.
    let given = json!({ "token": flowtrail.token });
    let answer = flowtrail.request("POST", SESSION).json(&given).send().await.unwrap();
    let set = answer.headers()[SET_COOKIE].to_str().unwrap().to_owned();
    assert_eq!(with_cookie(&flowtrail, end(), set.split(';').next().unwrap()).await.0, 204);
    assert_eq!(flowtrail.get(SESSION).await["user"]["email"], "admin@local");
}

#[tokio::test]
async fn a_page_signs_in_works_and_signs_out_in_one_process() {
    a_page_signs_in_works_and_signs_out(Topology::Together).await;
}

#[tokio::test]
async fn a_page_signs_in_works_and_signs_out_over_nats() {
    a_page_signs_in_works_and_signs_out(Topology::Split).await;
}
