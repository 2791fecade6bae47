//! Packs many events into one message: a batch of CloudEvents.

use bytes::Bytes;
use model::log::AccountId;

use super::draft::{Rejected, hash_of};

/// A message is full at this size, unless the log takes even less. The log is synced for each message, so large ones
/// cost less: half of this made an import a seventh slower.
const FULL_SIZE: usize = 1000 * 1024;
/// Or at this many events: a view takes in the events of a message together.
const FULL_COUNT: u64 = 1000;
/// What headers and the brackets around the events may take of the log's limit.
const RESERVED: usize = 1024;

/// Events in one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Batch {
    pub(super) payload: Bytes,
    pub(super) events: u64,
}

impl Batch {
    /// The same for the same events in the same account, so that the broker knows a message that comes again. Not of
    /// the event ids alone: two files may tell of one connection differently, and then both must go in.
    pub(super) fn message_id(&self, account: &AccountId) -> String {
        hash_of([account.as_str().as_bytes(), &self.payload])
    }
}

/// Collects events until a message is full.
pub(super) struct Packer {
    limit: usize,
    payload: Vec<u8>,
    events: u64,
}

impl Packer {
    /// For a log that takes messages of `max_payload` bytes.
    pub(super) fn new(max_payload: usize) -> Self {
        Self { limit: max_payload.saturating_sub(RESERVED), payload: Vec::new(), events: 0 }
    }

    /// Adds an event; what was collected before is handed out when that is full with it.
    ///
    /// # Errors
    /// When the event alone is larger than a message may be.
    pub(super) fn add(&mut self, event: &[u8]) -> Result<Option<Batch>, Rejected> {
        if event.len() > self.limit {
            return Err(Rejected::TooLarge { length: event.len(), limit: self.limit });
        }
        let is_full = self.events >= FULL_COUNT || self.payload.len() + event.len() >= self.limit.min(FULL_SIZE);
        let full = if is_full { self.finish() } else { None };
        self.payload.push(if self.events == 0 { b'[' } else { b',' });
        self.payload.extend_from_slice(event);
        self.events += 1;
        Ok(full)
    }

    /// Hands out what is collected, if there is any.
    pub(super) fn finish(&mut self) -> Option<Batch> {
        if self.events == 0 {
            return None;
        }
        let room = self.payload.len();
        let mut payload = std::mem::replace(&mut self.payload, Vec::with_capacity(room));
        payload.push(b']');
        Some(Batch { payload: payload.into(), events: std::mem::take(&mut self.events) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(packer: &mut Packer, events: &[&str]) -> Vec<Batch> {
        let mut full: Vec<Batch> = events.iter().filter_map(|event| packer.add(event.as_bytes()).unwrap()).collect();
        full.extend(packer.finish());
        full
    }

    #[test]
    fn a_batch_is_a_json_array() {
        let batches = packed(&mut Packer::new(1 << 20), &["{}", r#"{"a":1}"#]);
        assert_eq!(batches, [Batch { payload: r#"[{},{"a":1}]"#.into(), events: 2 }]);
        assert!(packed(&mut Packer::new(1 << 20), &[]).is_empty());
    }

    #[test]
    fn no_batch_is_over_the_limits() {
        let counts = |batches: &[Batch]| batches.iter().map(|batch| batch.events).collect::<Vec<_>>();
        assert_eq!(counts(&packed(&mut Packer::new(1 << 20), &["{}"; 2001])), [1000, 1000, 1]);
        let large = "x".repeat(800_000);
        assert_eq!(counts(&packed(&mut Packer::new(1 << 20), &[large.as_str(); 3])), [1, 1, 1]);
        let small_log = packed(&mut Packer::new(2048), &["x".repeat(300).as_str(); 9]);
        assert!(small_log.iter().all(|batch| batch.payload.len() <= 2048), "{:?}", counts(&small_log));
    }

    #[test]
    fn an_event_that_fits_into_no_message_is_refused() {
        let refused = Packer::new(2048).add(&[b'x'; 1025]).unwrap_err();
        assert_eq!(refused.to_string(), "1025 bytes long; the log takes 1024");
    }

    #[test]
    fn the_message_id_tells_accounts_and_contents_apart() {
        let id = |account: &str, payload: &'static str| {
            let batch = Batch { payload: payload.into(), events: 1 };
            batch.message_id(&AccountId::parse(account).unwrap())
        };
        assert_eq!(id("a", "[1]"), id("a", "[1]"));
        assert_ne!(id("a", "[1]"), id("b", "[1]"));
        assert_ne!(id("a", "[1]"), id("a", "[2]"));
    }
}
