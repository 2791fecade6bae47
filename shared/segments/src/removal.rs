//! Segments that go: none does while anybody holds on to those that are there, and who misses one that goes waits until its
//! table no longer has it.
//!
//! Invariant: a hold ends by itself when it is not renewed, so that nobody who went away keeps what is to go.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// How long a hold lasts from when it was last renewed. The slowest client takes this long over what it gets at once.
const HOLD_LASTS: Duration = Duration::from_secs(300);

/// Whether segments of a table are about to go: their values may be gone from the tree already, while readers still find
/// them in the state.
#[derive(Debug, Default)]
pub(crate) struct Removal(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    going: Mutex<Going>,
    is_over: Condvar,
}

#[derive(Debug, Default)]
struct Going {
    is_under_way: bool,
    /// Until when each holds on.
    holds: HashMap<u64, Instant>,
    next_hold: u64,
}

/// Segments go while this is there: until that is published, or given up.
#[derive(Debug)]
pub(crate) struct Removing(Arc<Shared>);

/// No segment goes while this is there.
#[derive(Debug)]
pub(crate) struct Hold {
    removal: Arc<Shared>,
    number: u64,
}

impl Removal {
    /// Begins to remove segments; none while somebody holds on to them.
    pub(crate) fn begin(&self) -> Option<Removing> {
        let mut going = self.0.going.lock();
        let now = Instant::now();
        going.holds.retain(|_, until| *until > now);
        if !going.holds.is_empty() {
            return None;
        }
        going.is_under_way = true;
        Some(Removing(self.0.clone()))
    }

    /// Waits while segments are about to go; says whether there was anything to wait for.
    pub(crate) fn wait(&self) -> bool {
        let mut going = self.0.going.lock();
        let waits = going.is_under_way;
        self.0.is_over.wait_while(&mut going, |going| going.is_under_way);
        waits
    }

    /// Holds on to all segments that are there, once none is about to go.
    pub(crate) fn hold(&self) -> Hold {
        let mut going = self.0.going.lock();
        self.0.is_over.wait_while(&mut going, |going| going.is_under_way);
        let number = going.next_hold;
        going.next_hold += 1;
        going.holds.insert(number, Instant::now() + HOLD_LASTS);
        Hold { removal: self.0.clone(), number }
    }
}

impl Hold {
    /// Whether it has not ended.
    pub(crate) fn lasts(&self) -> bool {
        self.removal.going.lock().holds.get(&self.number).is_some_and(|until| *until > Instant::now())
    }

    /// Goes on holding; says whether it did all the time.
    pub(crate) fn renew(&self) -> bool {
        let mut going = self.removal.going.lock();
        let now = Instant::now();
        match going.holds.get_mut(&self.number) {
            Some(until) if *until > now => {
                *until = now + HOLD_LASTS;
                true
            }
            Some(_) | None => false,
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.removal.going.lock().holds.remove(&self.number);
    }
}

impl Drop for Removing {
    fn drop(&mut self) {
        self.0.going.lock().is_under_way = false;
        self.0.is_over.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_goes_while_somebody_holds_on() {
        let removal = Removal::default();
        let (one, other) = (removal.hold(), removal.hold());
        assert!(removal.begin().is_none());
        drop(one);
        assert!(other.renew() && removal.begin().is_none());
        drop(other);
        let removing = removal.begin().unwrap();
        drop(removing);
        assert!(!removal.wait());
    }

    #[test]
    fn a_hold_that_is_not_renewed_ends_and_says_so() {
        let removal = Removal::default();
        let hold = removal.hold();
        removal.0.going.lock().holds.insert(hold.number, Instant::now());
        assert!(removal.begin().is_some());
        assert!(!hold.renew());
    }

    #[test]
    fn who_holds_on_or_misses_something_waits_until_it_is_gone() {
        let removal = Removal::default();
        let removing = removal.begin().unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| removal.wait());
            let holding = scope.spawn(|| removal.hold().renew());
            while Arc::strong_count(&removal.0) < 2 {}
            drop(removing);
            // Who came only now had nothing to wait for.
            let _ = waiting.join().unwrap();
            assert!(holding.join().unwrap());
        });
    }
}
