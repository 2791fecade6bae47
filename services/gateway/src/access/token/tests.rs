use axum::http::HeaderValue;

use super::*;

fn with(name: HeaderName, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(name, HeaderValue::from_bytes(value.as_bytes()).unwrap())])
}

fn read(headers: &HeaderMap) -> Vec<Cow<'_, str>> {
    let text = |sent| match sent {
        Sent::Bearer(token) | Sent::Otherwise(token) => token,
    };
    tokens(headers).into_iter().map(text).collect()
}

#[test]
fn a_token_is_read_behind_each_scheme_in_any_case() {
    for value in ["Token t", "token t", "TOKEN t", "Bearer t", "bEaReR  t", "NetworkInsight t", " networkinsight t "] {
        assert_eq!(read(&with(AUTHORIZATION, value)), ["t"], "{value:?}");
    }
}

#[test]
fn an_api_key_is_a_token() {
    assert_eq!(read(&with(API_KEY, " t ")), ["t"]);
}

#[test]
fn a_usable_api_key_counts_next_to_an_unusable_authorization() {
    let mut headers = with(AUTHORIZATION, "Basic dTpw");
    headers.insert(API_KEY, HeaderValue::from_static("t"));
    assert_eq!(read(&headers), ["t"]);
}

#[test]
fn of_two_tokens_that_behind_the_scheme_is_tried_first() {
    let mut headers = with(API_KEY, "second");
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Bearer first"));
    assert_eq!(read(&headers), ["first", "second"]);
}

#[test]
fn nothing_is_read_from_what_is_no_token() {
    for value in ["", "Token", "Token ", "Bearer  ", "Basic dTpw", "t", "Tokent", "\u{e4} t"] {
        assert!(read(&with(AUTHORIZATION, value)).is_empty(), "{value:?}");
    }
    assert!(read(&with(API_KEY, "")).is_empty());
    assert!(read(&HeaderMap::new()).is_empty());
}

#[test]
fn a_session_counts_where_nothing_else_is_sent() {
    let mut headers = with(COOKIE, "theme=dark");
    headers.append(COOKIE, HeaderValue::from_static("flowtrail-session=s.t"));
    assert_eq!(read(&headers), ["t"]);
    assert!(session(&headers).is_some());
    assert_eq!(read(&super::headers(&headers)), ["t"], "it is kept for who asks again");
    headers.insert(AUTHORIZATION, HeaderValue::from_static("Basic dTpw"));
    assert_eq!(read(&headers), ["t"], "this is no token");
    headers.insert(API_KEY, HeaderValue::from_static("k"));
    assert_eq!(read(&headers), ["k"]);
    assert!(session(&headers).is_none());
}
