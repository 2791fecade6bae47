//! IP protocols by the names that IANA gives them.

/// Those that are seen in networks; any other is asked for by its number.
pub(super) const PROTOCOLS: [(&str, u16); 14] = [
    ("icmp", 1),
    ("igmp", 2),
    ("ipip", 4),
    ("tcp", 6),
    ("udp", 17),
    ("dccp", 33),
    ("ipv6", 41),
    ("gre", 47),
    ("esp", 50),
    ("ah", 51),
    ("icmpv6", 58),
    ("ipv6-icmp", 58),
    ("ospf", 89),
    ("sctp", 132),
];

/// The number of a protocol, by its name in any case.
pub(super) fn number(name: &str) -> Option<u16> {
    PROTOCOLS.iter().find(|(own, _)| own.eq_ignore_ascii_case(name)).map(|(_, number)| *number)
}

/// The name of a protocol, by its number; none: it is known by that alone.
#[must_use]
pub fn protocol_name(number: u16) -> Option<&'static str> {
    PROTOCOLS.iter().find(|(_, own)| *own == number).map(|(name, _)| *name)
}
