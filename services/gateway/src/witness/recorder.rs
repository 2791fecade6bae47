//! Writes down what the witness notes, many records at a time, behind the requests' backs.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, PublishError};
use model::audit::Fields;
use model::envelope::BATCH;
use model::log::AccountId;
use runtime::telemetry::chain;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tracing::{error, info, warn};

use super::{Entry, Shared, filled, locked, message};

/// How many records are taken up at a time, and how many are in a message: each has some kilobytes at the most.
const MOST_AT_ONCE: usize = 256;
const MOST_IN_MESSAGE: usize = 64;
/// The pause after each write. What comes in meanwhile is written together: a log that syncs every message is spared.
const GATHERS: Duration = Duration::from_millis(50);
/// How often is looked for what can be summed up.
const SUMS_UP: Duration = Duration::from_secs(1);
/// The pause before the log is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// Owns the way to the log. It ends once its witness is gone and everything is written.
pub(crate) struct Recorder {
    bus: Bus,
    entries: mpsc::Receiver<Entry>,
    shared: Arc<Shared>,
    is_away: bool,
}

impl Recorder {
    pub(super) fn new(bus: Bus, entries: mpsc::Receiver<Entry>, shared: Arc<Shared>) -> Self {
        Self { bus, entries, shared, is_away: false }
    }

    /// Writes until the witness is gone. While the log is away, the records wait.
    pub(crate) async fn run(mut self) {
        let mut entries = Vec::with_capacity(MOST_AT_ONCE);
        let mut ticks = interval(SUMS_UP);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let (count, is_tick) = tokio::select! {
                count = self.entries.recv_many(&mut entries, MOST_AT_ONCE) => (count, false),
                _ = ticks.tick() => (0, true),
            };
            let is_end = count == 0 && !is_tick;
            if count == 0 {
                entries = self.sum_up(is_end);
            }
            self.write(std::mem::take(&mut entries)).await;
            if is_end {
                return;
            }
            if count > 0 {
                sleep(GATHERS).await;
            }
        }
    }

    /// Records of what was only counted until now.
    fn sum_up(&self, is_end: bool) -> Vec<Entry> {
        let turned_away = locked(&self.shared.turned_away).sum_up(Instant::now(), is_end);
        let told = turned_away.iter().filter_map(|(away, again)| away.told(*again));
        let mut entries: Vec<Entry> = told.filter_map(|(account, data)| Entry::new(account, &data)).collect();
        for (account, count) in std::mem::take(&mut *locked(&self.shared.unrecorded)) {
            warn!(%account, count, "records of who read or was turned away had no room, they are only counted");
            let data = Fields {
                event_type: Some("audit.unrecorded".to_owned()),
                activity: Some("Reads and denials that are only counted".to_owned()),
                status: Some("error".to_owned()),
                resource_type: Some("log".to_owned()),
                meta: filled(json!({ "count": count })),
                ..Fields::default()
            };
            entries.extend(Entry::new(account, &data));
        }
        entries
    }

    async fn write(&mut self, entries: Vec<Entry>) {
        let mut by_account: Vec<(AccountId, Vec<Entry>)> = Vec::new();
        for entry in entries {
            match by_account.iter_mut().find(|(account, _)| *account == entry.account) {
                Some((_, entries)) => entries.push(entry),
                None => by_account.push((entry.account.clone(), vec![entry])),
            }
        }
        for (account, entries) in &by_account {
            for some in entries.chunks(MOST_IN_MESSAGE) {
                self.publish(account, some).await;
            }
        }
    }

    /// Publishes some records of an account as one message, as often as it takes.
    async fn publish(&mut self, account: &AccountId, entries: &[Entry]) {
        let Some(first) = entries.first() else { return };
        let events: Vec<&[u8]> = entries.iter().map(|entry| entry.event.as_slice()).collect();
        let payload = [b"[", events.join(&b',').as_slice(), b"]"].concat();
        let message = message(account, &first.id, BATCH, payload);
        loop {
            let Err(failure) = self.bus.publish(message.clone()).await else {
                if std::mem::take(&mut self.is_away) {
                    info!("who reads and who is turned away is recorded again");
                }
                return;
            };
            let may_pass = matches!(failure, PublishError::Unreachable(_));
            // Nobody waits for the log to come back when the gateway ends.
            if !may_pass || self.entries.is_closed() {
                let count = entries.len();
                error!(error = %chain(&failure), %account, count, "who read or was turned away is not recorded");
                return;
            }
            if !std::mem::replace(&mut self.is_away, true) {
                warn!(error = %chain(&failure), "who reads and who is turned away cannot be recorded yet");
            }
            sleep(PAUSE).await;
        }
    }
}
