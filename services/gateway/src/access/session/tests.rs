use axum::body::Body;

use super::*;

fn session(source: Source, token: &str) -> Session {
    Session { source, token: Secret::new(token.to_owned()) }
}

/// What a browser sends back of a `Set-Cookie`, next to cookies of others.
fn sent_back(set: &HeaderValue) -> HeaderMap {
    let pair = set.to_str().unwrap().split(';').next().unwrap();
    HeaderMap::from_iter([(COOKIE, HeaderValue::try_from(format!("theme=dark; {pair}; x=")).unwrap())])
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000).unwrap()
}

fn request(method: &str, headers: &[(&str, &str)]) -> Request {
    let mut request = Request::builder().method(method).uri("/flowtrail/v1/searches");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    request.body(Body::empty()).unwrap()
}

#[test]
fn a_cookie_is_kept_from_pages_and_other_sites() {
    let set = session(Source::SignIn, "ft_x").begin(Some(at(70)), at(10), true).unwrap();
    let expected = "flowtrail-session=s.ft_x; HttpOnly; SameSite=Strict; Secure; Path=/; Max-Age=60";
    assert_eq!(set, expected);
    assert!(!format!("{set:?}").contains("ft_x"));
    let set = session(Source::Given, "ft_x").begin(None, at(10), false).unwrap();
    assert_eq!(set, "flowtrail-session=g.ft_x; HttpOnly; SameSite=Strict; Path=/");
    let ended = end(false).unwrap();
    let ended = ended.to_str().unwrap();
    assert!(ended.starts_with("flowtrail-session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0; Expires="), "{ended}");
}

#[test]
fn any_token_comes_back_as_it_was() {
    for token in ["ft_x", "a;b=\"c\",d%20\\", "eyJ.eyJ.x-_", "s.g."] {
        for source in Source::ALL {
            let set = session(source, token).begin(None, at(0), false).unwrap();
            let found = Session::in_headers(&sent_back(&set)).unwrap();
            assert_eq!((found.source, found.token.reveal()), (source, token));
        }
    }
    let long = session(Source::Given, &"x".repeat(MAX_TOKEN_BYTES + 1)).begin(None, at(0), false);
    assert_eq!(long.unwrap_err().to_string(), "token: must have at most 3500 bytes");
    assert!(Session::in_headers(&sent_back(&end(false).unwrap())).is_none());
    assert!(Session::in_headers(&HeaderMap::new()).is_none());
}

#[test]
fn a_write_must_show_that_it_comes_from_a_page_of_this_origin() {
    let host = ("host", "logs.example.com:8443");
    let own = ("origin", "https://logs.example.com:8443");
    let csrf = (CSRF, "1");
    for headers in [
        vec![csrf],
        vec![csrf, host, own],
        vec![csrf, host, ("origin", "https://LOGS.example.com:8443")],
        vec![csrf, ("sec-fetch-site", "same-origin")],
        // A proxy has changed the host; the browser knows better.
        vec![csrf, ("host", "10.0.0.1"), own, ("sec-fetch-site", "same-origin")],
    ] {
        for method in ["POST", "PUT", "DELETE", "PATCH"] {
            assert_eq!(check_own(&request(method, &headers)), Ok(()), "{method} {headers:?}");
        }
    }
    for headers in [
        vec![],
        vec![host, own, ("sec-fetch-site", "same-origin")],
        vec![csrf, host, ("origin", "https://evil.example.com")],
        vec![csrf, host, ("origin", "https://logs.example.com")],
        vec![csrf, host, ("origin", "null")],
        vec![csrf, own],
        vec![csrf, host, own, ("sec-fetch-site", "same-site")],
        vec![csrf, host, own, ("sec-fetch-site", "cross-site")],
    ] {
        assert!(check_own(&request("POST", &headers)).is_err(), "{headers:?}");
        assert_eq!(check_own(&request("GET", &headers)), Ok(()), "it changes nothing");
    }
}

#[test]
fn over_http_2_the_host_is_that_of_the_address() {
    let request = Request::post("https://logs.example.com/flowtrail/v1/session");
    let own = request.header("origin", "https://logs.example.com").body(Body::empty()).unwrap();
    assert_eq!(check_origin(&own), Ok(()));
}
