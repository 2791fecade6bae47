//! How many connections there are, in all and from one address.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use crate::http::origin::rate_limit_key;

/// The connections of each address.
#[derive(Clone, Debug)]
pub(super) struct Seats {
    taken: Arc<Mutex<HashMap<String, usize>>>,
    /// The most of one address; 0: any number.
    most: usize,
}

/// A connection that counts until it is dropped.
#[derive(Debug)]
pub(super) struct Seat {
    seats: Seats,
    key: String,
}

impl Seats {
    pub(super) fn new(most: usize) -> Self {
        Self { taken: Arc::default(), most }
    }

    /// A seat, unless the address has as many as it may have.
    pub(super) fn take(&self, address: IpAddr) -> Option<Seat> {
        let key = rate_limit_key(address);
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(key.clone()).or_default();
        if self.most > 0 && *count >= self.most {
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
        let seats = Seats::new(2);
        let address = |text: &str| text.parse().unwrap();
        let one = seats.take(address("192.0.2.1")).unwrap();
        let _two = seats.take(address("192.0.2.1")).unwrap();
        assert!(seats.take(address("192.0.2.1")).is_none());
        assert!(seats.take(address("192.0.2.2")).is_some());
        drop(one);
        assert!(seats.take(address("192.0.2.1")).is_some());
        assert_eq!(seats.taken.lock().unwrap().len(), 1, "who has left is forgotten");
    }
}
