//! The log's own log: who read it and who was turned away, as audit events of their account.
//!
//! Invariants: no request waits for its record or fails because of it; writing records is no request, so it leads to
//! no further records; what waits to be written has a bound, and so has the rate at which anybody turned away makes
//! records. What goes over the bounds is counted, and the counts are recorded.

mod recorder;
mod repeats;
mod watched;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::extract::Request;
use axum::http::header::USER_AGENT;
use bus::Outgoing;
use model::access::{Actor, Scope};
use model::audit::{RECORDED, Recorded};
use model::envelope::Sealed;
use model::json::Json;
use model::log::{AccountId, Subject};
use model::time::Timestamp;
use runtime::clock;
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tracing::warn;

use crate::auth::Caller;
use crate::dialect::Dialect;
use crate::frame::RequestId;
use crate::refused::Refused;
use crate::server::Peer;

pub(crate) use recorder::Recorder;
use repeats::Repeats;
pub(crate) use watched::Watched;

/// Who publishes Flowtrail's own audit events, which is also the last part of their subject.
pub(crate) const SOURCE: &str = "flowtrail";
/// How many records may wait for the log: minutes of reading, some megabytes.
const MOST_WAITING: usize = 4096;
/// Longer texts of a request are cut in its record.
const LONGEST_TEXT: usize = 1024;

/// Notes what happens; cheap to ask. A [`Recorder`] writes it down.
#[derive(Debug)]
pub struct Witness {
    records_reads: bool,
    waiting: mpsc::Sender<Entry>,
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    turned_away: Mutex<Repeats>,
    /// How many records of each account there was no room for.
    unrecorded: Mutex<BTreeMap<AccountId, u64>>,
}

/// A record on its way to the log.
#[derive(Debug)]
struct Entry {
    account: AccountId,
    id: String,
    event: Vec<u8>,
}

/// Where a request comes from and what it asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Origin {
    address: Option<IpAddr>,
    request_id: Option<String>,
    user_agent: Option<String>,
    dialect: Dialect,
    method: String,
    path: String,
}

/// Whoever comes with a token that is not good enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    /// The token is, or was, of this account.
    Known {
        /// The account.
        account: AccountId,
        /// The token's id, where it is one of Flowtrail's own.
        token_id: Option<String>,
        /// As whom its deeds are recorded.
        actor: Actor,
    },
    /// Nobody has ever had this token.
    Stranger,
}

/// A request that is refused before it is carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
struct TurnedAway {
    whom: Whom,
    refused: Refused,
    from: Origin,
}

/// How much was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Seen {
    /// Rows in the answer.
    pub(crate) rows: u64,
    /// Rows that there are.
    pub(crate) total: u64,
}

/// A witness, and whoever writes down what it notes.
pub(crate) fn witness(bus: bus::Bus, records_reads: bool) -> (Witness, Recorder) {
    let (waiting, entries) = mpsc::channel(MOST_WAITING);
    let shared = Arc::<Shared>::default();
    (Witness { records_reads, waiting, shared: shared.clone() }, Recorder::new(bus, entries, shared))
}

impl Witness {
    /// What `question` asks for, when it is about a log and is to be recorded.
    pub(crate) fn asked<Q: Watched>(&self, question: &Q) -> Option<Value> {
        (self.records_reads && Q::LOG.is_some()).then(|| question.filter())
    }

    /// Someone has read in a log.
    pub(crate) fn looked<Q: Watched>(&self, caller: &Caller, filter: &Value, seen: Seen) {
        let Some(log) = Q::LOG else { return };
        let meta = json!({
            "dialect": caller.from.dialect.name(), "question": Q::PATH, "filter": filter, "rows": seen.rows,
            "total": seen.total, "token_id": caller.principal.token_id,
        });
        let data = Recorded {
            event_type: Some(format!("{}.read", log.name())),
            activity: Some(log.activity().to_owned()),
            resource_type: Some("log".to_owned()),
            resource_id: Some(log.name().to_owned()),
            http_status: Some(200),
            meta: filled(meta),
            ..caller.from.data(&caller.principal.actor)
        };
        self.enter(caller.principal.account.clone(), &data);
    }

    /// A request was refused because of whom it comes from.
    pub(crate) fn turned_away(&self, whom: Whom, refused: &Refused, from: Origin) {
        let (away, now) = (TurnedAway { whom, refused: refused.clone(), from }, Instant::now());
        // Again and again from the same is counted, and summed up by the recorder.
        let Some(first) = locked(&self.shared.turned_away).note(away, now) else { return };
        if let Some((account, data)) = first.told(1) {
            self.enter(account, &data);
        }
    }

    fn enter(&self, account: AccountId, data: &Recorded) {
        let Some(entry) = Entry::new(account.clone(), data) else { return };
        if self.waiting.try_send(entry).is_err() {
            *locked(&self.shared.unrecorded).entry(account).or_default() += 1;
        }
    }
}

impl Entry {
    fn new(account: AccountId, data: &Recorded) -> Option<Self> {
        let (id, event) = sealed(data)?;
        Some(Self { account, id, event })
    }
}

/// An audit event of Flowtrail's own with its envelope, and its id.
pub(crate) fn sealed(data: &Recorded) -> Option<(String, Vec<u8>)> {
    let id = clock::new_ulid().ok()?.to_string();
    let now = Timestamp::from_micros(clock::now_micros()).ok()?;
    let event = serde_json::to_vec(&Sealed::new(&id, SOURCE, RECORDED, now, data)).ok()?;
    Some((id, event))
}

/// A message of one or more such events: the first one's id stands for all of them.
pub(crate) fn message(account: &AccountId, id: &str, content_type: &str, payload: Vec<u8>) -> Outgoing {
    Outgoing {
        subject: Subject::audit(account, SOURCE),
        message_id: Some(format!("{account}:{id}")),
        headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
        payload: payload.into(),
        expected_last: None,
    }
}

impl TurnedAway {
    /// The account that it is recorded in, and the record; nobody's account has a line in the log instead.
    fn told(&self, times: u64) -> Option<(AccountId, Recorded)> {
        let Self { whom, refused, from } = self;
        let Whom::Known { account, token_id, actor } = whom else {
            let (address, path) = (from.address.map(tracing::field::display), &from.path);
            warn!(address, path, times, "someone comes with a token that nobody has");
            return None;
        };
        let scope = if let Refused::MissingScope(scope) = refused { Some(*scope) } else { None };
        let reason = match scope {
            Some(_) => "missing scope",
            None if *refused == Refused::ExpiredToken => "expired token",
            None => "deleted token",
        };
        let meta = json!({
            "dialect": from.dialect.name(), "reason": reason, "scope": scope.map(Scope::name),
            "token_id": token_id, "times": times,
        });
        let data = Recorded {
            event_type: Some("access.denied".to_owned()),
            activity: Some("Access denied".to_owned()),
            status: Some("denied".to_owned()),
            resource_type: Some("endpoint".to_owned()),
            resource_id: Some(format!("{} {}", from.method, from.path)),
            http_status: Some(refused.status().as_u16().into()),
            error_message: Some(refused.to_string()),
            meta: filled(meta),
            ..from.data(actor)
        };
        Some((account.clone(), data))
    }
}

impl Origin {
    /// The origin of a request.
    pub(crate) fn of(request: &Request) -> Self {
        let extensions = request.extensions();
        let agent = request.headers().get(USER_AGENT).map(|agent| String::from_utf8_lossy(agent.as_bytes()));
        Self {
            address: extensions.get().map(|Peer(address)| *address),
            request_id: extensions.get().and_then(|RequestId(id)| Some(id.to_str().ok()?.to_owned())),
            user_agent: agent.map(|agent| cut(&agent, LONGEST_TEXT).to_owned()),
            dialect: Dialect::of(request.uri().path()),
            method: request.method().to_string(),
            path: cut(request.uri().path(), LONGEST_TEXT).to_owned(),
        }
    }

    /// What it says about itself in a record.
    fn data(&self, actor: &Actor) -> Recorded {
        Recorded {
            actor_id: Some(actor.id.clone()),
            actor_name: actor.name.clone(),
            actor_email: actor.email.clone(),
            ip_address: self.address.map(|address| address.to_string()),
            request_id: self.request_id.clone(),
            user_agent: self.user_agent.clone(),
            http_method: Some(self.method.clone()),
            path: Some(self.path.clone()),
            ..Recorded::default()
        }
    }
}

/// The members of an object that have a value.
fn filled(object: Value) -> Option<Json> {
    let Value::Object(mut members) = object else { return None };
    members.retain(|_, value| !value.is_null());
    Some(members.into())
}

/// At most so many bytes of a text, whole characters.
fn cut(text: &str, bytes: usize) -> &str {
    let end = (0..=bytes.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
    &text[..end.unwrap_or_default()]
}

/// What is guarded here is right after every single step, so a panic elsewhere does no harm to it.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
