//! Looks after the streams themselves: whether each is there, whole, and as it was left.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bus::{Bus, Damage, LoadError, StreamState};
use model::log::Stream;
use runtime::clock::now_micros;
use tokio_util::sync::CancellationToken;

use crate::troubles::{Kind, Troubles};

/// How often they are looked at.
const LOOKS_EVERY: Duration = Duration::from_secs(5);
/// How many places are named of what is missing.
const NAMED: usize = 3;

/// Looks after the streams. Cheap to clone.
#[derive(Clone)]
pub(crate) struct LogWatch {
    bus: Bus,
    troubles: Troubles,
    /// What readers did not find, as long as the server does not say that it was deleted or forgotten.
    passed_over: Arc<Mutex<BTreeMap<Stream, Vec<RangeInclusive<u64>>>>>,
}

impl LogWatch {
    pub(crate) fn new(bus: Bus, troubles: Troubles) -> Self {
        Self { bus, troubles, passed_over: Arc::default() }
    }

    pub(crate) fn troubles(&self) -> &Troubles {
        &self.troubles
    }

    /// Notes sequences that were not found in reading a stream.
    pub(crate) fn passed_over(&self, stream: Stream, ranges: Vec<RangeInclusive<u64>>) {
        if !ranges.is_empty() {
            let mut passed_over = self.passed_over.lock().unwrap_or_else(PoisonError::into_inner);
            let known = passed_over.entry(stream).or_default();
            for range in ranges {
                if !known.contains(&range) {
                    known.push(range);
                }
            }
        }
    }

    /// What is missing from a stream.
    ///
    /// # Errors
    /// When the log cannot be asked.
    pub(crate) async fn damage(&self, stream: Stream) -> Result<Damage, LoadError> {
        let passed_over = self.passed_over.lock().unwrap_or_else(PoisonError::into_inner).get(&stream).cloned();
        let passed_over = passed_over.unwrap_or_default();
        let damage = self.bus.damage(stream, &passed_over).await?;
        let is_missing = |range: &RangeInclusive<u64>| {
            damage.missing.iter().any(|missing| missing.start() <= range.end() && range.start() <= missing.end())
        };
        if let Some(known) = self.passed_over.lock().unwrap_or_else(PoisonError::into_inner).get_mut(&stream) {
            // What came meanwhile was not looked at.
            known.retain(|range| is_missing(range) || !passed_over.contains(range));
        }
        Ok(damage)
    }

    /// Looks at all of them again and again until `stop`.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let mut seen = BTreeMap::new();
        loop {
            for stream in Stream::ALL {
                self.look(stream, &mut seen).await;
            }
            // Whoever cannot be asked says nothing new.
            if let Ok(is_there) = self.bus.keys().is_there().await {
                let said = "the bucket is gone that has the keys of integrations' secrets: nothing is delivered that needs one. \
                            Bring it back from a backup";
                self.troubles.note(bus::KEYS_STREAM, Kind::Gone, (!is_there).then(|| said.to_owned()));
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOKS_EVERY) => {}
            }
        }
    }

    async fn look(&self, stream: Stream, seen: &mut BTreeMap<Stream, StreamState>) {
        let about = stream.name();
        let state = match self.bus.state(stream).await {
            Ok(state) => state,
            Err(LoadError::Missing { .. }) => {
                self.troubles.note(
                    about,
                    Kind::Gone,
                    Some("the stream is gone. Bring it back from a backup".to_owned()),
                );
                return;
            }
            Err(LoadError::Unreachable(_)) => return,
        };
        self.troubles.note(about, Kind::Gone, None);
        if let Ok(damage) = self.damage(stream).await {
            self.troubles.note(about, Kind::Damaged, (!damage.is_none()).then(|| describe(&damage)));
        }
        let before = seen.insert(stream, state);
        if stream != Stream::Delivery {
            return;
        }
        if before.is_some_and(|before| is_purged(&before, &state, now_micros())) {
            let said = "the stream was purged, which says how far each delivery is. What is under way goes on where it is; \
                        after a restart of the streamer, the others begin anew, and deliver again what they had";
            self.troubles.note(about, Kind::Purged, Some(said.to_owned()));
        } else if before.is_none() {
            self.troubles.note(about, Kind::Purged, None);
        }
    }
}

/// Whether messages are gone that were to be kept for longer.
fn is_purged(before: &StreamState, now: &StreamState, now_micros: i64) -> bool {
    let is_gone = before.messages > 0 && before.created == now.created && now.first_sequence > before.last_sequence;
    let waited = Duration::from_micros(u64::try_from(now_micros.saturating_sub(before.last_at)).unwrap_or_default());
    is_gone && now.retention.bytes.is_none() && now.retention.age.is_none_or(|age| waited < age)
}

/// What is missing, in words.
pub(crate) fn describe(damage: &Damage) -> String {
    let place = |range: &RangeInclusive<u64>| match range.start() == range.end() {
        true => range.start().to_string(),
        false => format!("{} to {}", range.start(), range.end()),
    };
    let named: Vec<String> = damage.missing.iter().take(NAMED).map(place).collect();
    let more = if damage.missing.len() > NAMED { ", and more" } else { "" };
    let what = match damage.messages() {
        0 => format!("the nats-server has lost {} bytes of the stream", damage.lost_bytes),
        count => {
            format!("messages are missing from the stream that nobody took out: {count}, {}{more}", named.join(", "))
        }
    };
    format!("{what}. Views that still have them are kept: see \"A damaged log\" in docs/operations.md")
}

#[cfg(test)]
mod tests {
    use bus::Retention;

    use super::*;

    fn state(first_sequence: u64, last_sequence: u64, age: Option<Duration>) -> StreamState {
        StreamState {
            created: 1,
            first_sequence,
            last_sequence,
            messages: last_sequence + 1 - first_sequence,
            bytes: 0,
            first_at: 0,
            last_at: 0,
            retention: Retention { age, bytes: None },
        }
    }

    #[test]
    fn what_goes_before_its_time_was_purged() {
        let age = Some(Duration::from_secs(10));
        let (before, purged) = (state(1, 5, age), state(6, 5, age));
        assert!(is_purged(&before, &purged, 9_000_000));
        assert!(is_purged(&before, &state(6, 8, age), 9_000_000), "and written to since");
        assert!(!is_purged(&before, &purged, 10_000_000), "its time was over");
        assert!(!is_purged(&before, &state(5, 8, age), 9_000_000), "the last is there");
        assert!(!is_purged(&purged, &purged, 9_000_000), "it was empty before");
        let other = StreamState { created: 2, ..purged };
        assert!(!is_purged(&before, &other, 9_000_000), "it is another stream");
    }

    #[test]
    fn what_is_missing_is_told_in_few_words() {
        let told = |missing: Vec<RangeInclusive<u64>>| describe(&Damage { missing, lost_bytes: 7 });
        assert!(told(vec![5..=5, 7..=9]).contains(": 4, 5, 7 to 9."), "{}", told(vec![5..=5, 7..=9]));
        assert!(told(vec![1..=1, 3..=3, 5..=5, 7..=7]).contains(": 4, 1, 3, 5, and more."));
        assert!(told(Vec::new()).contains("lost 7 bytes"));
    }
}
