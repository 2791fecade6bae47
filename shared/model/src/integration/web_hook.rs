//! Addresses of web hooks: who knows one may often post to it, so that all behind its host is a secret.

use url::Url;

use crate::secret::MASK;

/// What may be shown of one: scheme, host and port. None: it is no address.
pub(super) fn origin(address: &str) -> Option<String> {
    let url = Url::parse(address).ok().filter(Url::has_host)?;
    Some(url.origin().ascii_serialization())
}

/// How one is shown that begins with this: `https://hooks.example.com/****`.
pub(super) fn masked(origin: &str) -> String {
    format!("{origin}/{MASK}")
}

/// Whether a text is how one is shown.
pub(super) fn is_masked(text: &str) -> bool {
    let shown = text.strip_suffix(MASK).and_then(|rest| rest.strip_suffix('/'));
    shown.is_some_and(|shown| origin(shown).as_deref() == Some(shown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_scheme_host_and_port_are_shown() {
        for (address, expected) in [
            ("https://hooks.example.com/services/T0/B0/secret", "https://hooks.example.com/****"),
            ("https://hooks.example.com?key=secret", "https://hooks.example.com/****"),
            ("https://hooks.example.com:443/#secret", "https://hooks.example.com/****"),
            ("http://[::1]:8080/a/b", "http://[::1]:8080/****"),
        ] {
            let shown = masked(&origin(address).unwrap());
            assert_eq!(shown, expected);
            assert!(is_masked(&shown), "{shown}");
        }
    }

    #[test]
    fn what_has_more_than_a_host_before_the_mask_is_not_how_one_is_shown() {
        for text in ["****", "https://****", "https://x.example/a/****", "https://x.example/?k=/****", "x/****"] {
            assert!(!is_masked(text), "{text}");
        }
    }
}
