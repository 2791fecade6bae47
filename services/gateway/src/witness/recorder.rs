//! Writes down what the witness notes, many records at a time, behind the requests' backs.

use std::sync::Arc;
use std::time::Duration;

use bus::{Bus, PublishError};
use feed::write::Form;
use model::audit::Fields;
use model::log::AccountId;
use runtime::telemetry::chain;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};
use tracing::{error, info, warn};

use super::record::{Record, filled, message};
use super::shared::Shared;

/// How many records are taken up at a time, and how many are in a message: each has some kilobytes at the most.
const MAX_RECORDS_AT_ONCE: usize = 256;
const MAX_RECORDS_IN_MESSAGE: usize = 64;
/// The pause after each write. What comes in during it is written together: a log that syncs every message is spared.
const GATHERS_FOR: Duration = Duration::from_millis(50);
/// How often is looked for what can be summed up.
const SUMS_UP_EVERY: Duration = Duration::from_secs(1);
/// The pause before the log is tried again.
const RETRIES_AFTER: Duration = Duration::from_secs(1);

/// Owns the way to the log. It ends once its witness is gone and everything is written.
pub(crate) struct Recorder {
    bus: Bus,
    records: mpsc::Receiver<Record>,
    shared: Arc<Shared>,
    is_away: bool,
}

impl Recorder {
    pub(super) fn new(bus: Bus, records: mpsc::Receiver<Record>, shared: Arc<Shared>) -> Self {
        Self { bus, records, shared, is_away: false }
    }

    /// Writes until the witness is gone. While the log is away, the records wait.
    pub(crate) async fn run(mut self) {
        let mut records = Vec::with_capacity(MAX_RECORDS_AT_ONCE);
        let mut ticks = interval(SUMS_UP_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let (count, is_tick) = tokio::select! {
                count = self.records.recv_many(&mut records, MAX_RECORDS_AT_ONCE) => (count, false),
                _ = ticks.tick() => (0, true),
            };
            let is_end = count == 0 && !is_tick;
            if count == 0 {
                records = self.sum_up(is_end);
            }
            self.write(std::mem::take(&mut records)).await;
            if is_end {
                return;
            }
            // Not after a tick alone: nothing was written that others could have gone along with.
            if count > 0 {
                sleep(GATHERS_FOR).await;
            }
        }
    }

    /// Records of what was only counted until now.
    fn sum_up(&self, is_end: bool) -> Vec<Record> {
        let denials = self.shared.denials().sum_up(Instant::now(), is_end);
        let events = denials.iter().filter_map(|(denial, again)| denial.to_event(*again));
        let mut records: Vec<Record> = events.filter_map(|(account, data)| Record::new(account, &data)).collect();
        for (account, count) in std::mem::take(&mut *self.shared.unrecorded()) {
            warn!(%account, count, "records of who read or was denied had no room, they are only counted");
            let data = Fields {
                event_type: Some("audit.unrecorded".to_owned()),
                activity: Some("Reads and denials that are only counted".to_owned()),
                status: Some("error".to_owned()),
                resource_type: Some("log".to_owned()),
                meta: filled(json!({ "count": count })),
                ..Fields::default()
            };
            records.extend(Record::new(account, &data));
        }
        records
    }

    async fn write(&mut self, records: Vec<Record>) {
        // A list, not a map: a few accounts at a time, and each one's records stay in order.
        let mut by_account: Vec<(AccountId, Vec<Record>)> = Vec::new();
        for record in records {
            match by_account.iter_mut().find(|(account, _)| *account == record.account) {
                Some((_, records)) => records.push(record),
                None => by_account.push((record.account.clone(), vec![record])),
            }
        }
        for (account, records) in &by_account {
            for some in records.chunks(MAX_RECORDS_IN_MESSAGE) {
                self.publish(account, some).await;
            }
        }
    }

    /// Publishes some records of an account as one message, as often as it takes.
    async fn publish(&mut self, account: &AccountId, records: &[Record]) {
        let Some(first) = records.first() else { return };
        let events: Vec<&[u8]> = records.iter().map(|record| record.event.as_slice()).collect();
        let payload = [b"[", events.join(&b',').as_slice(), b"]"].concat();
        let message = message(account, &first.id, Form::Batch, payload);
        loop {
            let Err(failure) = self.bus.publish(message.clone()).await else {
                if std::mem::take(&mut self.is_away) {
                    info!("who reads and who is denied is recorded again");
                }
                return;
            };
            let may_pass = matches!(failure, PublishError::Unreachable(_) | PublishError::Full(_));
            // When the gateway ends, its end does not wait for the log to come back.
            if !may_pass || self.records.is_closed() {
                let count = records.len();
                error!(error = %chain(&failure), %account, count, "who read or was denied is not recorded");
                return;
            }
            if !std::mem::replace(&mut self.is_away, true) {
                warn!(error = %chain(&failure), "who reads and who is denied cannot be recorded yet");
            }
            sleep(RETRIES_AFTER).await;
        }
    }
}
