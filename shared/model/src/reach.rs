//! Which receivers may be reached: the rules for addresses that users give, so that nobody makes Flowtrail talk to
//! what only Flowtrail can reach.
//!
//! Pure: names are resolved elsewhere, and every address that comes out is brought here before it is dialled.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};
use url::{Host, Url};

use crate::networks::{BadNetwork, Networks};

/// What may be reached: public addresses over TLS, and what the operator allows in addition.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach {
    allowed: Networks,
}

/// Why an address is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the texts say it")]
pub enum Unreachable {
    #[error("must be {0}")]
    Malformed(&'static str),
    #[error("must not hold a user name or password")]
    UserInfo,
    #[error("must name its host as {0}")]
    OddHost(String),
    #[error("must name its host in ASCII letters, without a dot at the end")]
    BadName,
    #[error("must not use port {0}")]
    Port(u16),
    #[error("must be encrypted (https, or TLS); the operator may allow others (FLOWTRAIL_EGRESS_ALLOW)")]
    Plain,
    #[error("is not a public address; the operator may allow it (FLOWTRAIL_EGRESS_ALLOW)")]
    Address(IpAddr),
}

/// A receiver whose address has the right form. Whatever its name resolves to still goes through [`Reach::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The name or the address, as it is dialled: an IPv6 address without brackets.
    pub host: String,
    /// The TCP port.
    pub port: u16,
    /// Whether the connection is encrypted.
    pub encrypted: bool,
}

/// Remote shells and mail: what listens there acts on lines that HTTP can be made to hold.
const REFUSED_PORTS: [u16; 3] = [0, 22, 25];

const WEB: &str = "an http or https URL";
const TCP: &str = "a host and a port, such as logs.example.com:6514";

impl std::str::FromStr for Reach {
    type Err = BadNetwork;

    /// Reads what is allowed, as [`Networks`].
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self { allowed: text.parse()? })
    }
}

impl Reach {
    /// Reads a URL that a user gave.
    ///
    /// # Errors
    /// When its form alone says that it may not be reached.
    pub fn web(&self, text: &str) -> Result<Target, Unreachable> {
        let url = Url::parse(text).map_err(|_| Unreachable::Malformed(WEB))?;
        let encrypted = match url.scheme() {
            "https" => true,
            "http" => false,
            _ => return Err(Unreachable::Malformed(WEB)),
        };
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Unreachable::UserInfo);
        }
        // The parser mends what it can, and what it mends others may read otherwise: only the plain form is taken.
        let rest = text.get(url.scheme().len()..).and_then(|rest| rest.strip_prefix("://"));
        let rest = rest.filter(|_| text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\'));
        let rest = rest.ok_or(Unreachable::Malformed("a URL of ASCII letters without spaces or backslashes"))?;
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if authority.contains('@') {
            return Err(Unreachable::UserInfo);
        }
        let port = url.port_or_known_default().ok_or(Unreachable::Malformed(WEB))?;
        let host = url.host().ok_or(Unreachable::Malformed(WEB))?;
        self.target(split_port(authority).0, &host, port, encrypted)
    }

    /// Reads a `host:port` that a user gave.
    ///
    /// # Errors
    /// When its form alone says that it may not be reached.
    pub fn tcp(&self, text: &str, encrypted: bool) -> Result<Target, Unreachable> {
        let (written, port) = split_port(text);
        let port = port.filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
        let port = port.and_then(|port| port.parse().ok()).ok_or(Unreachable::Malformed(TCP))?;
        // As in a URL, so that odd spellings of addresses are known for what they are.
        let url = Url::parse(&format!("https://{written}/")).map_err(|_| Unreachable::Malformed(TCP))?;
        let host = url.host().filter(|_| url.path() == "/" && url.username().is_empty());
        self.target(written, &host.ok_or(Unreachable::Malformed(TCP))?, port, encrypted)
    }

    fn target(&self, written: &str, host: &Host<&str>, port: u16, encrypted: bool) -> Result<Target, Unreachable> {
        if !written.is_ascii() || written.ends_with('.') {
            return Err(Unreachable::BadName);
        }
        let plain = host.to_string();
        if !written.eq_ignore_ascii_case(&plain) {
            return Err(Unreachable::OddHost(plain));
        }
        if REFUSED_PORTS.contains(&port) {
            return Err(Unreachable::Port(port));
        }
        let target = |host: String| Target { host, port, encrypted };
        match host {
            Host::Ipv4(address) => self.check(IpAddr::V4(*address), encrypted).map(|()| target(address.to_string())),
            Host::Ipv6(address) => self.check(IpAddr::V6(*address), encrypted).map(|()| target(address.to_string())),
            Host::Domain(_) if !encrypted && self.allowed.are_none() => Err(Unreachable::Plain),
            Host::Domain(name) => Ok(target((*name).to_owned())),
        }
    }

    /// Whether `address` may be dialled.
    ///
    /// # Errors
    /// When it may not.
    pub fn check(&self, address: IpAddr, encrypted: bool) -> Result<(), Unreachable> {
        if self.allowed.contain(address) {
            return Ok(());
        }
        if !is_public(address) {
            return Err(Unreachable::Address(address));
        }
        if encrypted { Ok(()) } else { Err(Unreachable::Plain) }
    }
}

/// Host and port of `host:port`, `[v6]:port` or either without a port.
fn split_port(authority: &str) -> (&str, Option<&str>) {
    match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        Some(_) | None => (authority, None),
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !is_special_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// The IANA registry of special-purpose addresses, multicast, what is reserved, and one address by which a cloud's
/// machines reach their host.
fn is_special_v4(address: Ipv4Addr) -> bool {
    const SPECIAL: [(Ipv4Addr, u8); 17] = [
        (Ipv4Addr::new(0, 0, 0, 0), 8),
        (Ipv4Addr::new(10, 0, 0, 0), 8),
        (Ipv4Addr::new(100, 64, 0, 0), 10),
        (Ipv4Addr::new(127, 0, 0, 0), 8),
        (Ipv4Addr::new(168, 63, 129, 16), 32),
        (Ipv4Addr::new(169, 254, 0, 0), 16),
        (Ipv4Addr::new(172, 16, 0, 0), 12),
        (Ipv4Addr::new(192, 0, 0, 0), 24),
        (Ipv4Addr::new(192, 0, 2, 0), 24),
        (Ipv4Addr::new(192, 31, 196, 0), 24),
        (Ipv4Addr::new(192, 88, 99, 0), 24),
        (Ipv4Addr::new(192, 168, 0, 0), 16),
        (Ipv4Addr::new(198, 18, 0, 0), 15),
        (Ipv4Addr::new(198, 51, 100, 0), 24),
        (Ipv4Addr::new(203, 0, 113, 0), 24),
        (Ipv4Addr::new(224, 0, 0, 0), 4),
        (Ipv4Addr::new(240, 0, 0, 0), 4),
    ];
    SPECIAL.into_iter().any(|(net, bits)| Ipv4Net::new_assert(net, bits).contains(&address))
}

/// Only what is handed out as global unicast; never what carries an IPv4 address inside (Teredo, 6to4, and, outside
/// of 2000::/3 anyway, mapped ones and NAT64).
fn is_public_v6(address: Ipv6Addr) -> bool {
    const GLOBAL: (Ipv6Addr, u8) = (Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3);
    const SPECIAL: [(Ipv6Addr, u8); 4] = [
        (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 23),
        (Ipv6Addr::new(0x2001, 0x0db8, 0, 0, 0, 0, 0, 0), 32),
        (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
        (Ipv6Addr::new(0x3fff, 0, 0, 0, 0, 0, 0, 0), 20),
    ];
    let is_in = |(net, bits): (Ipv6Addr, u8)| Ipv6Net::new_assert(net, bits).contains(&address);
    is_in(GLOBAL) && !SPECIAL.into_iter().any(is_in)
}

#[cfg(test)]
mod tests;
