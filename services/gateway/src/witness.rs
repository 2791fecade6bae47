//! Who reads the logs, and who was denied, as audit events of their account.
//!
//! Invariants: no request waits for its record or fails because of it; writing records is no request, so it leads to
//! no further records; what waits to be written has a bound, and so has the rate at which anybody who is denied makes
//! records. What goes over the bounds is counted, and the counts are recorded.

mod denial;
pub(crate) mod record;
mod recorder;
mod repeats;
mod shared;

use std::sync::Arc;

use bus::Bus;
use model::access::Principal;
use model::audit::Fields;
use model::log::AccountId;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;
use views::{Log, Question, Seen};

use self::denial::Denial;
pub(crate) use self::denial::Requester;
use self::record::{Record, data_of, filled};
pub(crate) use self::recorder::Recorder;
use self::shared::Shared;
use crate::http::origin::Origin;
use crate::render::refusal::Refusal;

/// How many records may wait for the log: minutes of reading, some megabytes.
const MAX_WAITING_RECORDS: usize = 4096;

/// Notes what happens, without waiting. A [`Recorder`] writes it down.
#[derive(Debug)]
pub(crate) struct Witness {
    records_reads: bool,
    waiting: mpsc::Sender<Record>,
    shared: Arc<Shared>,
}

/// A witness, and the recorder that writes down what it notes.
pub(crate) fn witness(bus: Bus, records_reads: bool) -> (Witness, Recorder) {
    let (waiting, records) = mpsc::channel(MAX_WAITING_RECORDS);
    let shared = Arc::<Shared>::default();
    (Witness { records_reads, waiting, shared: shared.clone() }, Recorder::new(bus, records, shared))
}

/// A question about a log that was answered.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) log: Log,
    /// The question's name on the bus.
    pub(crate) question: &'static str,
    pub(crate) filter: Value,
    pub(crate) seen: Seen,
}

impl Witness {
    /// What `question` asks for, when it is about a log and is to be recorded.
    pub(crate) fn filter_of<Q: Question>(&self, question: &Q) -> Option<Value> {
        Q::WATCH.filter(|_| self.records_reads).map(|watch| (watch.filter)(question))
    }

    /// Records that someone has read in a log.
    pub(crate) fn record_read(&self, reader: &Principal, origin: &Origin, read: &Read) {
        let log = read.log;
        let meta = json!({
            "dialect": origin.dialect.name(), "question": read.question, "filter": read.filter, "rows": read.seen.rows,
            "total": read.seen.total, "token_id": reader.token_id,
        });
        let data = Fields {
            event_type: Some(log.read().to_owned()),
            activity: Some(log.activity().to_owned()),
            resource_type: Some("log".to_owned()),
            resource_id: Some(log.name().to_owned()),
            http_status: Some(200),
            meta: filled(meta),
            ..data_of(origin, &reader.actor)
        };
        self.enter(reader.account.clone(), &data);
    }

    /// Records that a request was refused because of who it comes from.
    pub(crate) fn record_denial(&self, requester: Requester, refusal: &Refusal, origin: Origin) {
        let denial = Denial { requester, refusal: refusal.clone(), origin };
        // Again and again from the same is counted, and summed up by the recorder.
        let Some(first) = self.shared.denials().note(denial, Instant::now()) else { return };
        if let Some((account, data)) = first.to_event(1) {
            self.enter(account, &data);
        }
    }

    fn enter(&self, account: AccountId, data: &Fields) {
        let Some(record) = Record::new(account.clone(), data) else { return };
        // Without room it is only counted: a request never waits for the log of who reads.
        if self.waiting.try_send(record).is_err() {
            *self.shared.unrecorded().entry(account).or_default() += 1;
        }
    }
}
