//! Addresses in one form: an IPv6 address can be spelled in many ways, and a list finds only the one that it holds.

use std::net::{IpAddr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// `ip:port`, or `[ip]:port` for IPv6.
pub(super) fn endpoint(ip: IpAddr, port: u16) -> String {
    SocketAddr::new(ip, port).to_string()
}

/// An IPv6 address, with brackets and a port or without, as [`endpoint`] would spell it. `None` when it is spelled so
/// already, or is no such address.
pub(super) fn respelled(text: &str) -> Option<String> {
    // Everything else has fewer colons, and most addresses are of IPv4.
    if memchr::memchr_iter(b':', text.as_bytes()).take(2).count() < 2 {
        return None;
    }
    let alone = || text.parse::<Ipv6Addr>().map(|ip| ip.to_string()).ok();
    let with_port = || text.parse::<SocketAddrV6>().map(|address| address.to_string()).ok();
    alone().or_else(with_port).filter(|spelled| spelled != text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ipv6_has_one_spelling() {
        assert_eq!(respelled("2001:0DB8:0:0:0:0:0:5").as_deref(), Some("2001:db8::5"));
        assert_eq!(respelled("[2001:0db8::0005]:443").as_deref(), Some("[2001:db8::5]:443"));
        for text in ["2001:db8::5", "[2001:db8::5]:443", "10.0.0.1:80", "10.0.0.1", "", "a:b:c", "AWS Internal"] {
            assert_eq!(respelled(text), None, "{text}");
        }
        assert_eq!(endpoint("2001:0db8::5".parse().unwrap(), 443), "[2001:db8::5]:443");
    }
}
