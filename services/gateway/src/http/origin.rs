//! Where a request comes from: the address at the other end, the id it has in logs and records, and what it asks for.

use std::net::{IpAddr, Ipv6Addr};

use axum::extract::Request;
use axum::http::HeaderValue;
use axum::http::header::USER_AGENT;

use crate::http::dialect::Dialect;

/// Longer texts of a request are cut where they are kept.
const MAX_TEXT_BYTES: usize = 1024;

/// The address that a request came from: the connection's, or the one that a trusted proxy names
/// ([`crate::http::proxies`]).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Whether a request came over TLS, to here or, as a trusted proxy says, to the proxy.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OverTls(pub(crate) bool);

/// What the answer says as `X-Request-Id`.
#[derive(Clone, Debug)]
pub(crate) struct RequestId(pub(crate) HeaderValue);

/// Where a request comes from and what it asks for, as records tell it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    /// None where the request came over no connection, as in tests.
    pub(crate) address: Option<IpAddr>,
    pub(crate) request_id: Option<String>,
    /// At most 1024 bytes of it.
    pub(crate) user_agent: Option<String>,
    pub(crate) dialect: Dialect,
    pub(crate) method: String,
    /// At most 1024 bytes of it, without the query, which may hold more than a record should.
    pub(crate) path: String,
}

impl Origin {
    /// The origin of a request.
    pub(crate) fn of(request: &Request) -> Self {
        let extensions = request.extensions();
        let agent = request.headers().get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        Self {
            address: extensions.get().map(|Peer(address)| *address),
            request_id: extensions.get().and_then(|RequestId(id)| Some(id.to_str().ok()?.to_owned())),
            user_agent: agent.map(|agent| cut(&agent, MAX_TEXT_BYTES).to_owned()),
            dialect: Dialect::of(request.uri().path()),
            method: request.method().to_string(),
            path: cut(request.uri().path(), MAX_TEXT_BYTES).to_owned(),
        }
    }
}

/// What requests and connections from an address are counted under. With IPv6 that is its first 64 bits, because
/// everybody has at least the other 64 to themselves and could come from a new address each time.
pub(crate) fn rate_limit_key(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64)).to_string(),
    }
}

/// At most so many bytes of a text, whole characters.
pub(crate) fn cut(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_in_64_bits_are_one_and_those_in_32_are_not() {
        let key = |text: &str| rate_limit_key(text.parse().unwrap());
        assert_eq!(key("2001:db8::1"), key("2001:db8::ffff:0:1"));
        assert_ne!(key("2001:db8::1"), key("2001:db8:0:1::1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }
}
