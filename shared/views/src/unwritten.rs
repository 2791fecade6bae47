//! What a view shows, and its disk does not have yet.
//!
//! New rows are first shown, then written: about once a second, and at once where a segment is sealed, whose columns are
//! read from disk. So what is soon replaced, such as a chunk of rows that a segment takes in, seldom comes to disk. What is
//! lost with the process is read from the log again, for the checkpoint is written with the rows that it stands for.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use segments::{Change, Held};

/// How long something is shown before it is written.
const WRITTEN_AFTER: Duration = Duration::from_secs(1);
/// Tables that are held in memory until they are written, at most.
const MAX_TABLES: usize = 256;
/// Bytes that wait, at most.
const MAX_BYTES: usize = 32 << 20;

/// Changes that are shown and not written.
#[derive(Debug, Default)]
pub(crate) struct Unwritten {
    changes: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// What would be read from disk otherwise stays in memory.
    held: Vec<Held>,
    bytes: usize,
    since: Option<Instant>,
}

impl Unwritten {
    /// The value that waits under a key, if there is a change of it.
    pub(crate) fn get(&self, key: &[u8]) -> Option<Option<&[u8]>> {
        self.changes.get(key).map(Option::as_deref)
    }

    /// Drops what waits to be written under a prefix.
    pub(crate) fn drop_values(&mut self, prefix: &[u8]) {
        let from = self.changes.range(prefix.to_vec()..).take_while(|(key, _)| key.starts_with(prefix));
        let values: Vec<Vec<u8>> = from.filter(|(_, value)| value.is_some()).map(|(key, _)| key.clone()).collect();
        for key in values {
            if let Some(value) = self.changes.remove(&key) {
                self.bytes -= size(&key, &value);
            }
        }
    }

    /// Takes in changes, after those that wait.
    pub(crate) fn add(&mut self, changes: impl IntoIterator<Item = Change>) {
        for (key, value) in changes {
            self.bytes += size(&key, &value);
            let key_bytes = key.len();
            if let Some(earlier) = self.changes.insert(key, value) {
                self.bytes -= key_bytes + earlier.map_or(0, |value| value.len());
            }
        }
        self.since.get_or_insert_with(Instant::now);
    }

    /// Holds tables in memory until everything is written.
    pub(crate) fn hold(&mut self, held: Held) {
        self.held.push(held);
    }

    /// Whether it has waited for long enough.
    pub(crate) fn is_due(&self) -> bool {
        self.since.is_some_and(|since| since.elapsed() >= WRITTEN_AFTER)
            || self.held.iter().map(Held::tables).sum::<usize>() > MAX_TABLES
            || self.bytes > MAX_BYTES
    }

    /// How many bytes wait.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The same changes, without what is held for them.
    pub(crate) fn changes_alone(&self) -> Self {
        Self { changes: self.changes.clone(), bytes: self.bytes, ..Self::default() }
    }

    /// The changes, in the order of their keys, so that neighbours are written together.
    pub(crate) fn changes(&self) -> impl Iterator<Item = (&[u8], Option<&[u8]>)> {
        self.changes.iter().map(|(key, value)| (key.as_slice(), value.as_deref()))
    }
}

/// Bytes of a change.
fn size(key: &[u8], value: &Option<Vec<u8>>) -> usize {
    key.len() + value.as_ref().map_or(0, Vec::len)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: &str, value: &str) -> Change {
        (key.as_bytes().to_vec(), Some(value.as_bytes().to_vec()))
    }

    #[test]
    fn what_is_dropped_before_it_is_written_never_is() {
        let mut unwritten = Unwritten::default();
        assert!(!unwritten.is_due());
        unwritten.add([put("a1", "chunk"), put("a2", "chunk"), put("b", "row"), (b"a3".to_vec(), None)]);
        unwritten.drop_values(b"a");
        unwritten.add([put("a4", "segment"), put("b", "later row")]);
        let left: Vec<(&[u8], Option<&[u8]>)> = unwritten.changes().collect();
        let expected: [(&[u8], Option<&[u8]>); 3] =
            [(b"a3", None), (b"a4", Some(b"segment")), (b"b", Some(b"later row"))];
        assert_eq!(left, expected);
        assert_eq!(unwritten.bytes(), "a3a4segmentblater row".len());
        assert_eq!((unwritten.get(b"a1"), unwritten.get(b"a3")), (None, Some(None)));
    }

    #[test]
    fn much_is_written_at_once() {
        let mut unwritten = Unwritten::default();
        unwritten.add([(b"a".to_vec(), Some(vec![0; MAX_BYTES]))]);
        assert!(unwritten.is_due());
    }
}
