//! Packs many events into one message: a batch of CloudEvents.

use std::collections::HashSet;

use bytes::Bytes;

use super::draft::Rejected;

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
    /// The ids of the events and where each ends in the payload; empty where nobody will ask for them.
    pub(super) ids: Vec<(String, usize)>,
}

impl Batch {
    /// The same without the events of some ids, which it holds.
    pub(super) fn without(self, ids: &HashSet<String>) -> Self {
        if ids.is_empty() {
            return self;
        }
        let mut payload = Vec::with_capacity(self.payload.len());
        let mut start = 0;
        let mut kept = Vec::with_capacity(self.ids.len());
        for (id, end) in self.ids {
            // Each part is a bracket or comma and an event.
            let part = self.payload.get(start + 1..end).unwrap_or_default();
            start = end;
            if !ids.contains(&id) {
                payload.push(if kept.is_empty() { b'[' } else { b',' });
                payload.extend_from_slice(part);
                kept.push((id, payload.len()));
            }
        }
        if kept.is_empty() {
            payload.push(b'[');
        }
        payload.push(b']');
        Self { payload: payload.into(), events: kept.len() as u64, ids: kept }
    }
}

/// Collects events until a message is full.
pub(super) struct Packer {
    limit: usize,
    payload: Vec<u8>,
    events: u64,
    keeps_ids: bool,
    ids: Vec<(String, usize)>,
}

impl Packer {
    /// For a log that takes messages of `max_payload` bytes.
    pub(super) fn new(max_payload: usize, keeps_ids: bool) -> Self {
        let limit = max_payload.saturating_sub(RESERVED);
        Self { limit, payload: Vec::new(), events: 0, keeps_ids, ids: Vec::new() }
    }

    /// Adds an event; what was collected before is handed out when that is full with it.
    ///
    /// # Errors
    /// When the event alone is larger than a message may be.
    pub(super) fn add(&mut self, id: &str, event: &[u8]) -> Result<Option<Batch>, Rejected> {
        if event.len() > self.limit {
            return Err(Rejected::TooLarge { length: event.len(), limit: self.limit });
        }
        let is_full = self.events >= FULL_COUNT || self.payload.len() + event.len() >= self.limit.min(FULL_SIZE);
        let full = if is_full { self.finish() } else { None };
        self.payload.push(if self.events == 0 { b'[' } else { b',' });
        self.payload.extend_from_slice(event);
        self.events += 1;
        if self.keeps_ids {
            self.ids.push((id.to_owned(), self.payload.len()));
        }
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
        let ids = std::mem::take(&mut self.ids);
        Some(Batch { payload: payload.into(), events: std::mem::take(&mut self.events), ids })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(packer: &mut Packer, events: &[&str]) -> Vec<Batch> {
        let mut full: Vec<Batch> =
            events.iter().filter_map(|event| packer.add("id", event.as_bytes()).unwrap()).collect();
        full.extend(packer.finish());
        full
    }

    #[test]
    fn a_batch_is_a_json_array() {
        let batches = packed(&mut Packer::new(1 << 20, false), &["{}", r#"{"a":1}"#]);
        assert_eq!(batches, [Batch { payload: r#"[{},{"a":1}]"#.into(), events: 2, ids: Vec::new() }]);
        assert!(packed(&mut Packer::new(1 << 20, false), &[]).is_empty());
    }

    #[test]
    fn no_batch_is_over_the_limits() {
        let counts = |batches: &[Batch]| batches.iter().map(|batch| batch.events).collect::<Vec<_>>();
        assert_eq!(counts(&packed(&mut Packer::new(1 << 20, false), &["{}"; 2001])), [1000, 1000, 1]);
        let large = "x".repeat(800_000);
        assert_eq!(counts(&packed(&mut Packer::new(1 << 20, false), &[large.as_str(); 3])), [1, 1, 1]);
        let small_log = packed(&mut Packer::new(2048, false), &["x".repeat(300).as_str(); 9]);
        assert!(small_log.iter().all(|batch| batch.payload.len() <= 2048), "{:?}", counts(&small_log));
    }

    #[test]
    fn an_event_that_fits_into_no_message_is_refused() {
        let refused = Packer::new(2048, false).add("id", &[b'x'; 1025]).unwrap_err();
        assert_eq!(refused.to_string(), "1025 bytes long; the log takes 1024");
    }

    #[test]
    fn events_that_are_known_are_taken_out() {
        let mut packer = Packer::new(1 << 20, true);
        for (id, event) in [("a", r#"{"id":"a"}"#), ("b", r#"{"id":"b"}"#), ("c", r#"{"id":"c"}"#)] {
            assert_eq!(packer.add(id, event.as_bytes()), Ok(None));
        }
        let batch = packer.finish().unwrap();
        let without = |ids: &[&str]| batch.clone().without(&ids.iter().map(|id| (*id).to_owned()).collect());
        assert_eq!(without(&[]), batch);
        assert_eq!(without(&["a"]).payload, r#"[{"id":"b"},{"id":"c"}]"#);
        assert_eq!(without(&["b"]).payload, r#"[{"id":"a"},{"id":"c"}]"#);
        assert_eq!(without(&["c"]).without(&["a".to_owned()].into()).payload, r#"[{"id":"b"}]"#);
        assert_eq!((without(&["a", "b", "c"]).payload, without(&["a", "b", "c"]).events), ("[]".into(), 0));
    }
}
