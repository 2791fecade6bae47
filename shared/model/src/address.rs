//! Addresses in one spelling: IPv6 has many, and an address is looked for in any of them.

use std::borrow::Cow;
use std::net::{Ipv6Addr, SocketAddrV6};

/// An IPv6 address as RFC 5952 writes it. None: it is none, or is written so.
#[must_use]
pub fn canonical_ip(text: &str) -> Option<String> {
    // Nearly all texts are something else, and told apart by this: `ip:port` has one colon.
    memchr::memchr_iter(b':', text.as_bytes()).nth(1)?;
    let canonical = text.parse::<Ipv6Addr>().ok()?.to_string();
    (canonical != text).then_some(canonical)
}

/// The same for an address that may have a port: `[ip]:port`.
#[must_use]
pub fn canonical_address(text: &str) -> Option<String> {
    if !text.starts_with('[') {
        return canonical_ip(text);
    }
    let canonical = text.parse::<SocketAddrV6>().ok()?.to_string();
    (canonical != text).then_some(canonical)
}

/// What someone looks for, in the spelling in which an IPv6 address would be found.
#[must_use]
pub fn as_stored(text: &str) -> Cow<'_, str> {
    canonical_address(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_becomes_one() {
        for text in ["2001:0db8:0:0:0:0:0:5", "2001:DB8::5", "2001:db8:0::5"] {
            assert_eq!(canonical_ip(text).as_deref(), Some("2001:db8::5"), "{text}");
            assert_eq!(canonical_address(&format!("[{text}]:443")).as_deref(), Some("[2001:db8::5]:443"), "{text}");
        }
    }

    #[test]
    fn what_is_written_so_and_what_is_no_address_stays() {
        for text in
            ["2001:db8::5", "10.0.0.1", "10.0.0.1:443", "[2001:db8::5]:443", "host", "a:b", "[a]:1", "fe80::1%eth0", ""]
        {
            assert_eq!((canonical_ip(text), canonical_address(text)), (None, None), "{text}");
        }
    }
}
