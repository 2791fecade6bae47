//! The proxies in front of the gateway, who are believed when they say for whom they ask.
//!
//! Invariant: what a client itself writes into these headers changes nothing: each proxy appends the address that it was
//! asked from, so they are read from their end, and no further than to the first address that is none of the proxies'.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;
use std::sync::Arc;

use arc_swap::ArcSwap;
use axum::http::header::FORWARDED;
use axum::http::{HeaderMap, HeaderName};
use model::networks::{BadNetwork, Networks};

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The networks that these proxies are in; by default nobody is believed. Cheap to clone; clones change together.
#[derive(Clone, Debug, Default)]
pub struct Proxies(Arc<ArcSwap<Networks>>);

impl FromStr for Proxies {
    type Err = BadNetwork;

    /// As [`Networks`].
    fn from_str(text: &str) -> Result<Self, BadNetwork> {
        Ok(Self(Arc::new(ArcSwap::from_pointee(text.parse()?))))
    }
}

impl Proxies {
    /// Whether an address is that of a proxy.
    pub(crate) fn include(&self, address: IpAddr) -> bool {
        self.0.load().contain(address)
    }

    /// Believes the others instead.
    pub(crate) fn become_like(&self, others: &Self) {
        self.0.store(others.0.load_full());
    }

    /// Whom a request is from that came over a connection from `connected`: the nearest address that is no proxy's, or of
    /// proxies alone the farthest that is known.
    pub(crate) fn client(&self, connected: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = connected;
        if !self.include(client) {
            return client;
        }
        for hop in hops(headers) {
            let Some(address) = hop else { break };
            client = address;
            if !self.include(client) {
                break;
            }
        }
        client
    }

    /// Whether a request over a connection from `connected` is said to have come over TLS, by the proxy that asks here.
    pub(crate) fn say_tls(&self, connected: IpAddr, headers: &HeaderMap) -> bool {
        if !self.include(connected) {
            return false;
        }
        let last = |name| headers.get_all(name).iter().next_back().map(|value| value.to_str().unwrap_or_default());
        let scheme = match last(X_FORWARDED_PROTO) {
            Some(text) => text.rsplit(',').next(),
            None => last(FORWARDED).and_then(|text| parameter(elements_from_the_end(text).next()?, "proto")),
        };
        scheme.is_some_and(|scheme| unquoted(scheme.trim()).eq_ignore_ascii_case("https"))
    }
}

/// The addresses that a request came by, the nearest first; none for what cannot be read, or hides itself.
///
/// Where there are both headers, `X-Forwarded-For` counts: most proxies write it, and let the other pass as clients send it.
fn hops(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let texts = |name| headers.get_all(name).iter().rev().map(|value| value.to_str().unwrap_or_default());
    if headers.contains_key(X_FORWARDED_FOR) {
        return texts(X_FORWARDED_FOR).flat_map(|text| text.rsplit(',')).map(address).collect();
    }
    texts(FORWARDED).flat_map(elements_from_the_end).map(forwarded_for).collect()
}

/// The elements of a `Forwarded` (RFC 7239), the last one first. From the end, as a quote that a client leaves open at the
/// beginning must not swallow what a proxy appends.
fn elements_from_the_end(text: &str) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.rsplit(move |letter| {
        is_quoted ^= letter == '"';
        letter == ',' && !is_quoted
    })
}

/// The address in `for=192.0.2.1;proto=https` or `for="[2001:db8::1]:4711"`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    address(unquoted(parameter(element, "for")?))
}

/// A parameter of an element of `Forwarded`, as it is written.
fn parameter<'e>(element: &'e str, name: &str) -> Option<&'e str> {
    let mut pairs = element.split(';').filter_map(|pair| pair.split_once('='));
    pairs.find(|(other, _)| other.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('"').and_then(|text| text.strip_suffix('"')).unwrap_or(text)
}

/// An address, with a port or without one.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse().ok().map(|with_port: SocketAddr| with_port.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const PROXY: &str = "10.0.0.1";

    /// Whom a request is from, over a connection from an address, with these headers.
    fn client(connected: &str, headers: &[(&HeaderName, &str)]) -> String {
        let proxies: Proxies = "10.0.0.0/8, fd00::/8".parse().unwrap();
        let pairs = headers.iter().map(|(name, value)| ((*name).clone(), HeaderValue::from_str(value).unwrap()));
        let mut map = HeaderMap::new();
        for (name, value) in pairs {
            map.append(name, value);
        }
        proxies.client(connected.parse().unwrap(), &map).to_string()
    }

    #[test]
    fn only_proxies_are_believed() {
        let headers = [(&X_FORWARDED_FOR, "192.0.2.1"), (&FORWARDED, "for=192.0.2.1")];
        assert_eq!(client("198.51.100.1", &headers), "198.51.100.1");
        assert_eq!(client(PROXY, &headers), "192.0.2.1");
        assert_eq!(client(PROXY, &[]), PROXY);
        let nobody = Proxies::default().client(PROXY.parse().unwrap(), &HeaderMap::new());
        assert_eq!(nobody.to_string(), PROXY);
    }

    #[test]
    fn the_nearest_address_that_is_no_proxys_counts() {
        for (forwarded, expected) in [
            ("192.0.2.66, 192.0.2.1", "192.0.2.1"),
            ("192.0.2.66, 192.0.2.1, 10.0.0.2", "192.0.2.1"),
            ("192.0.2.66,192.0.2.1:4711 , fd00::2", "192.0.2.1"),
            ("[2001:db8::1]:4711, [fd00::2]", "2001:db8::1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("10.0.0.3, 10.0.0.2", "10.0.0.3"),
            // What is behind something that is no address could be anything.
            ("192.0.2.1, unknown, 10.0.0.2", "10.0.0.2"),
            ("192.0.2.1, ", PROXY),
            ("", PROXY),
        ] {
            assert_eq!(client(PROXY, &[(&X_FORWARDED_FOR, forwarded)]), expected, "{forwarded}");
        }
        let twice = [(&X_FORWARDED_FOR, "192.0.2.66"), (&X_FORWARDED_FOR, "192.0.2.1, 10.0.0.2")];
        assert_eq!(client(PROXY, &twice), "192.0.2.1");
    }

    #[test]
    fn the_standard_header_is_read_from_its_end() {
        for (forwarded, expected) in [
            ("for=192.0.2.66, For=192.0.2.1;proto=https;by=10.0.0.9", "192.0.2.1"),
            (r#"for="[2001:db8::1]:4711";proto=http, for=10.0.0.2"#, "2001:db8::1"),
            (r#"for="192.0.2.66, for=192.0.2.1"#, "192.0.2.1"),
            (r#"for="a,b", for=10.0.0.2"#, "10.0.0.2"),
            ("for=192.0.2.1, for=_hidden", PROXY),
            ("for=192.0.2.1, proto=https", PROXY),
        ] {
            assert_eq!(client(PROXY, &[(&FORWARDED, forwarded)]), expected, "{forwarded}");
        }
        let both = [(&FORWARDED, "for=192.0.2.66"), (&X_FORWARDED_FOR, "192.0.2.1")];
        assert_eq!(client(PROXY, &both), "192.0.2.1");
    }

    #[test]
    fn a_proxy_says_whether_it_was_asked_over_tls() {
        let proxies: Proxies = "10.0.0.0/8".parse().unwrap();
        let said = |connected: &str, name: &HeaderName, text: &str| {
            let headers = HeaderMap::from_iter([(name.clone(), HeaderValue::from_str(text).unwrap())]);
            proxies.say_tls(connected.parse().unwrap(), &headers)
        };
        for (name, text) in [
            (&X_FORWARDED_PROTO, "https"),
            (&X_FORWARDED_PROTO, "http, HTTPS"),
            (&FORWARDED, "for=192.0.2.66;proto=http, for=192.0.2.1;proto=https"),
            (&FORWARDED, r#"proto="https";for=192.0.2.1"#),
        ] {
            assert!(said(PROXY, name, text), "{text}");
            assert!(!said("198.51.100.1", name, text), "it is no proxy");
        }
        for (name, text) in [
            (&X_FORWARDED_PROTO, "https, http"),
            (&X_FORWARDED_PROTO, ""),
            (&FORWARDED, "for=192.0.2.66;proto=https, for=192.0.2.1"),
        ] {
            assert!(!said(PROXY, name, text), "{text}");
        }
        assert!(!proxies.say_tls(PROXY.parse().unwrap(), &HeaderMap::new()));
    }
}
