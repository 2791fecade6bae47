//! How many of something there are at a time, by a key: connections of an address, long answers of an account.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// What is counted. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct AtOnce {
    taken: Arc<Mutex<HashMap<String, usize>>>,
    /// The most of one key; 0: any number.
    most: Arc<AtomicUsize>,
}

/// One that counts until it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    among: AtOnce,
    key: String,
}

impl AtOnce {
    /// At most so many of one key; 0: any number.
    pub(crate) fn new(most: usize) -> Self {
        Self { taken: Arc::default(), most: Arc::new(most.into()) }
    }

    /// The most of one key.
    pub(crate) fn most(&self) -> usize {
        self.most.load(Ordering::Relaxed)
    }

    /// Changes that. Who has a seat keeps it.
    pub(crate) fn set_most(&self, most: usize) {
        self.most.store(most, Ordering::Relaxed);
    }

    /// A seat, unless the key has as many as it may have.
    pub(crate) fn take(&self, key: String) -> Option<Seat> {
        self.take_of(key, self.most())
    }

    /// A seat, however many the key has.
    pub(crate) fn take_beyond(&self, key: String) -> Option<Seat> {
        self.take_of(key, 0)
    }

    fn take_of(&self, key: String, most: usize) -> Option<Seat> {
        let mut taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let count = taken.entry(key.clone()).or_default();
        if most > 0 && *count >= most {
            return None;
        }
        *count += 1;
        Some(Seat { among: self.clone(), key })
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut taken = self.among.taken.lock().unwrap_or_else(PoisonError::into_inner);
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
    fn a_key_has_so_many_seats_and_what_is_given_back_can_be_taken() {
        let seats = AtOnce::new(2);
        let take = |key: &str| seats.take(key.to_owned());
        let one = take("one").unwrap();
        let _two = take("one").unwrap();
        assert!(take("one").is_none());
        assert!(take("other").is_some());
        let beyond = seats.take_beyond("one".to_owned()).unwrap();
        drop(beyond);
        assert!(take("one").is_none());
        drop(one);
        assert!(take("one").is_some());
        assert_eq!(seats.taken.lock().unwrap().len(), 1, "who has left is forgotten");
        let _two = take("one").unwrap();
        seats.set_most(3);
        assert!(take("one").is_some());
        seats.set_most(1);
        assert!(take("one").is_none() && take("other").is_some());
    }
}
