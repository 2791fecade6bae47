//! How many connections there are, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::http::origin::rate_limit_key;
use crate::http::proxies::Proxies;

/// The connections of each address.
#[derive(Clone, Debug)]
pub(super) struct Seats {
    taken: Arc<Mutex<HashMap<String, usize>>>,
    /// The most of one address; 0: any number.
    most: usize,
    /// These bring the connections of many.
    proxies: Proxies,
}

/// A connection that counts until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    key: String,
}

impl Seats {
    pub(super) fn new(most: usize, proxies: Proxies) -> Self {
        Self { taken: Arc::default(), most, proxies }
    }

    /// A seat, unless the address has as many as it may have.
    pub(super) fn take(&self, address: IpAddr) -> Option<Seat> {
        let key = rate_limit_key(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(key.clone()).or_default();
        if self.most > 0 && *count >= self.most && !self.proxies.include(address) {
            return None;
        }
        *count += 1;
        Some(Seat { seats: self.clone(), key })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.seats.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(count) = taken.get_mut(&self.key) else { return };
        *count -= 1;
        if *count == 0 {
            taken.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_so_many_seats_and_what_is_given_back_can_be_taken() {
        let seats = Seats::new(2, "198.51.100.0/24".parse().unwrap());
        let address = |text: &str| text.parse().unwrap();
        let one = seats.take(address("192.0.2.1")).unwrap();
        let _two = seats.take(address("192.0.2.1")).unwrap();
        assert!(seats.take(address("192.0.2.1")).is_none());
        assert!(seats.take(address("192.0.2.2")).is_some());
        let of_a_proxy: Vec<Seat> = (0..3).filter_map(|_| seats.take(address("198.51.100.1"))).collect();
        assert_eq!(of_a_proxy.len(), 3);
        drop((one, of_a_proxy));
        assert!(seats.take(address("192.0.2.1")).is_some());
        assert_eq!(seats.taken.lock().unwrap().len(), 1, "who has left is forgotten");
    }
}
