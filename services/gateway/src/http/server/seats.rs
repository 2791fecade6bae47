//! How many connections there are from one address.

use std::net::IpAddr;

use crate::http::at_once::{AtOnce, Seat};
use crate::http::origin::rate_limit_key;
use crate::http::proxies::Proxies;

/// The connections of each address.
#[derive(Clone, Debug)]
pub(super) struct Seats {
    taken: AtOnce,
    /// These bring the connections of many.
    proxies: Proxies,
}

impl Seats {
    /// `taken` says how many an address may have.
    pub(super) fn new(taken: AtOnce, proxies: Proxies) -> Self {
        Self { taken, proxies }
    }

    /// A seat, unless the address has as many as it may have.
    pub(super) fn take(&self, address: IpAddr) -> Option<Seat> {
        let key = rate_limit_key(address);
        if self.proxies.include(address) { self.taken.take_beyond(key) } else { self.taken.take(key) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_seats_and_a_proxy_any_number() {
        let seats = Seats::new(AtOnce::new(2), "198.51.100.0/24".parse().unwrap());
        let address = |text: &str| text.parse().unwrap();
        let _two = [seats.take(address("192.0.2.1")).unwrap(), seats.take(address("192.0.2.1")).unwrap()];
        assert!(seats.take(address("192.0.2.1")).is_none());
        assert!(seats.take(address("192.0.2.2")).is_some());
        let of_a_proxy: Vec<Seat> = (0..3).filter_map(|_| seats.take(address("198.51.100.1"))).collect();
        assert_eq!(of_a_proxy.len(), 3);
    }
}
