//! HTTP credentials, as they stand in a header: a scheme, which is no secret, and what is one.

/// Schemes have names like `Bearer` and `AWS4-HMAC-SHA256`; what is longer is likely to be a secret itself.
const SCHEME_BYTES: usize = 32;

/// The scheme of an `Authorization` header (RFC 9110, 11.4). Values of other headers have no such form: whatever stands
/// before a blank there may be secret.
pub(super) fn scheme<'a>(header: &str, value: &'a str) -> Option<&'a str> {
    let (scheme, credentials) = value.split_once(' ').filter(|_| header.eq_ignore_ascii_case("authorization"))?;
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let is_scheme = scheme.len() <= SCHEME_BYTES
        && scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(is_part);
    (is_scheme && !credentials.trim().is_empty()).then_some(scheme)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_authorization_has_a_scheme_and_other_headers_have_none() {
        assert_eq!(scheme("Authorization", "Bearer x"), Some("Bearer"));
        assert_eq!(scheme("authorization", "Basic YTpi"), Some("Basic"));
        assert_eq!(scheme("AUTHORIZATION", "AWS4-HMAC-SHA256 Credential=a, Signature=b"), Some("AWS4-HMAC-SHA256"));
        assert_eq!(scheme("X-Key", "Bearer x"), None);
    }

    #[test]
    fn what_may_be_secret_is_no_scheme() {
        let long = format!("{} x", "a".repeat(33));
        for value in ["token", "Bearer", "Bearer ", "Bearer  ", " x", "7f3a x", "a=b x", "pass,word x", &long] {
            assert_eq!(scheme("Authorization", value), None, "{value}");
        }
    }
}
