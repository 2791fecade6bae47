//! Addresses in one spelling: IPv6 has many, and an address is looked for in any of them.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddrV6};
use std::ops::RangeInclusive;

pub use ipnet::IpNet;
use ipnet::Ipv4Net;

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

/// Splits `host:port`; a text that ends in no port is all host, and so is an IPv6 address without brackets.
#[must_use]
pub fn split_port(address: &str) -> (&str, Option<u16>) {
    let split = address.rsplit_once(':').and_then(|(host, text)| {
        let port: u16 = text.parse().ok()?;
        // Only what is written back the same is a port: not `:080`, not `:+80`.
        let is_written_so = text == "0" || !text.starts_with(['0', '+']);
        let is_bare_ipv6 = host.as_bytes().contains(&b':') && address.parse::<Ipv6Addr>().is_ok();
        (is_written_so && !is_bare_ipv6).then_some((host, port))
    });
    split.map_or((address, None), |(host, port)| (host, Some(port)))
}

/// The address that a host is, in brackets or not. An IPv4 address in the form of an IPv6 one is the IPv4 address.
#[must_use]
pub fn ip_of(host: &str) -> Option<IpAddr> {
    let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let address = match inner {
        Some(inner) => IpAddr::V6(inner.parse().ok()?),
        None => host.parse().ok()?,
    };
    Some(address.to_canonical())
}

/// The addresses that someone looks for, exactly: a network, or one address, which may have a port. None: it is a name.
#[must_use]
pub fn network_of(text: &str) -> Option<(IpNet, Option<u16>)> {
    if let Ok(network) = text.parse() {
        return Some((canonical_network(network), None));
    }
    let (host, port) = split_port(text);
    Some((IpNet::from(ip_of(host)?), port))
}

/// A network of IPv4 addresses in the form of IPv6 ones is that of the IPv4 addresses.
fn canonical_network(network: IpNet) -> IpNet {
    let IpNet::V6(v6) = network else { return network.trunc() };
    let v4 = v6.prefix_len().checked_sub(96).and_then(|length| match IpAddr::V6(v6.network()).to_canonical() {
        IpAddr::V4(address) => Ipv4Net::new(address, length).ok(),
        IpAddr::V6(_) => None,
    });
    v4.map_or(IpNet::V6(v6.trunc()), IpNet::V4)
}

/// Where an address stands on the line of all addresses: an IPv4 one where its IPv6 form does.
#[must_use]
pub fn place_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

/// Where the addresses of a network stand, in one range or two: among those of an IPv6 network no IPv4 one is.
#[must_use]
pub fn places_of(network: &IpNet) -> Vec<RangeInclusive<u128>> {
    let (first, last) = (place_of(network.network()), place_of(network.broadcast()));
    let [first_v4, last_v4] = [Ipv4Addr::UNSPECIFIED, Ipv4Addr::BROADCAST].map(|v4| place_of(v4.into()));
    let ranges = match network {
        IpNet::V4(_) => vec![first..=last],
        IpNet::V6(_) => vec![first..=last.min(first_v4 - 1), first.max(last_v4 + 1)..=last],
    };
    ranges.into_iter().filter(|range| !range.is_empty()).collect()
}

/// A host as it is known whatever its spelling: its address, or its name in lower case.
#[must_use]
pub fn canonical_host(host: &str) -> String {
    ip_of(host).map_or_else(|| host.to_lowercase(), |ip| ip.to_string())
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

    #[test]
    fn a_port_is_what_stands_behind_a_host() {
        let cases = [
            ("10.0.0.1:443", ("10.0.0.1", Some(443))),
            ("[2001:db8::5]:443", ("[2001:db8::5]", Some(443))),
            ("host:0", ("host", Some(0))),
            ("2001:db8::5", ("2001:db8::5", None)),
            ("host", ("host", None)),
            ("host:080", ("host:080", None)),
            ("host:65536", ("host:65536", None)),
            ("a:b:1", ("a:b", Some(1))),
            ("", ("", None)),
        ];
        for (text, split) in cases {
            assert_eq!(split_port(text), split, "{text}");
        }
    }

    #[test]
    fn an_address_is_one_in_brackets_and_in_the_form_of_the_other_version() {
        let v4 = Some(IpAddr::from([10, 0, 0, 1]));
        assert_eq!([ip_of("10.0.0.1"), ip_of("::ffff:10.0.0.1"), ip_of("[::ffff:a00:1]")], [v4; 3]);
        assert_eq!(ip_of("[2001:DB8::5]"), ip_of("2001:db8:0::5"));
        assert!(ip_of("2001:db8::5").is_some());
        assert_eq!([ip_of("[10.0.0.1]"), ip_of("host"), ip_of(""), ip_of("10.0.0.1:80")], [None; 4]);
    }

    #[test]
    fn an_address_is_in_a_network_where_its_place_is() {
        let addresses = [
            "0.0.0.0",
            "10.0.0.0",
            "10.0.0.1",
            "10.255.255.255",
            "11.0.0.0",
            "255.255.255.255",
            "::",
            "::1",
            "::a00:1",
            "::fffe:ffff:ffff",
            "::1:0:0:0",
            "2001:db8::5",
            "2001:db9::",
            "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
            "::ffff:10.0.0.1",
        ];
        for text in [
            "10.0.0.0/8",
            "10.0.0.1",
            "0.0.0.0/0",
            "::/0",
            "::/64",
            "::/96",
            "2001:db8::/32",
            "::ffff:10.0.0.0/104",
            "8000::/1",
        ] {
            let (network, _) = network_of(text).unwrap();
            let places = places_of(&network);
            for address in addresses.map(|address| ip_of(address).unwrap()) {
                let is_in = places.iter().any(|range| range.contains(&place_of(address)));
                assert_eq!(is_in, network.contains(&address), "{text} {address}");
            }
        }
    }

    #[test]
    fn who_looks_for_an_address_means_it_exactly() {
        let found = |text: &str| network_of(text).map(|(network, port)| (network.to_string(), port));
        for (text, network, port) in [
            ("10.0.0.1", "10.0.0.1/32", None),
            ("10.0.0.1:80", "10.0.0.1/32", Some(80)),
            ("::ffff:10.0.0.1", "10.0.0.1/32", None),
            ("[2001:DB8::5]:80", "2001:db8::5/128", Some(80)),
            ("10.0.0.9/8", "10.0.0.0/8", None),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8", None),
            ("2001:db8:0::/32", "2001:db8::/32", None),
        ] {
            assert_eq!(found(text), Some((network.to_owned(), port)), "{text}");
        }
        assert_eq!(
            [found("gate"), found("gate:80"), found("10.0.0"), found("10.0.0.0/40"), found("")],
            [(); 5].map(|()| None)
        );
        assert_eq!(
            ["Gate", "::FFFF:10.0.0.1", "[2001:DB8::5]"].map(canonical_host),
            ["gate", "10.0.0.1", "2001:db8::5"]
        );
    }
}
