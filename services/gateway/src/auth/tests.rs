use axum::http::HeaderValue;

use super::*;

fn with(name: HeaderName, value: &str) -> HeaderMap {
    HeaderMap::from_iter([(name, HeaderValue::from_bytes(value.as_bytes()).unwrap())])
}

#[test]
fn a_token_is_read_behind_each_scheme_in_any_case() {
    for value in ["Token t", "token t", "TOKEN t", "Bearer t", "bEaReR  t", "NetworkInsight t", " networkinsight t "] {
        assert_eq!(token(&with(AUTHORIZATION, value)), Some("t"), "{value:?}");
    }
}

#[test]
fn an_api_key_is_a_token() {
    assert_eq!(token(&with(API_KEY, " t ")), Some("t"));
}

#[test]
fn a_usable_api_key_counts_beside_an_unusable_authorization() {
    let mut headers = with(AUTHORIZATION, "Basic dTpw");
    headers.insert(API_KEY, HeaderValue::from_static("t"));
    assert_eq!(token(&headers), Some("t"));
}

#[test]
fn nothing_is_read_from_what_is_no_token() {
    for value in ["", "Token", "Token ", "Bearer  ", "Basic dTpw", "t", "Tokent", "\u{e4} t"] {
        assert_eq!(token(&with(AUTHORIZATION, value)), None, "{value:?}");
    }
    assert_eq!(token(&with(API_KEY, "")), None);
    assert_eq!(token(&HeaderMap::new()), None);
}
