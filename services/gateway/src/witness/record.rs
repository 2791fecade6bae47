//! Records: audit events of Flowtrail's own, on their way into the log.

use bus::Outgoing;
use feed::write::Form;
use model::access::Actor;
use model::audit::{Fields, OWN_SOURCE, RECORDED};
use model::envelope::Envelope;
use model::json::Json;
use model::log::{AccountId, Subject};
use model::time::Timestamp;
use runtime::clock;
use serde_json::Value;

use crate::http::origin::Origin;

/// A record that waits for the log.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) account: AccountId,
    pub(super) id: String,
    /// A CloudEvent in JSON.
    pub(super) event: Vec<u8>,
}

impl Record {
    /// None without randomness to make its id of.
    pub(super) fn new(account: AccountId, data: &Fields) -> Option<Self> {
        let (id, event) = sealed(data)?;
        Some(Self { account, id, event })
    }
}

/// An audit event of Flowtrail's own with its envelope, and its id.
pub(crate) fn sealed(data: &Fields) -> Option<(String, Vec<u8>)> {
    let id = clock::new_ulid().ok()?.to_string();
    let now = Timestamp::from_micros(clock::now_micros()).ok()?;
    let event = serde_json::to_vec(&Envelope::new(&id, OWN_SOURCE, RECORDED, now, data)).ok()?;
    Some((id, event))
}

/// A message of one or more such events: the first one's id stands for all of them.
pub(crate) fn message(account: &AccountId, id: &str, form: Form, payload: Vec<u8>) -> Outgoing {
    feed::write::message(Subject::audit(account, OWN_SOURCE), id, form, payload)
}

/// What an origin says about itself in a record.
pub(super) fn data_of(origin: &Origin, actor: &Actor) -> Fields {
    Fields {
        actor_id: Some(actor.id.clone()),
        actor_name: actor.name.clone(),
        actor_email: actor.email.clone(),
        ip_address: origin.address.map(|address| address.to_string()),
        request_id: origin.request_id.clone(),
        user_agent: origin.user_agent.clone(),
        http_method: Some(origin.method.clone()),
        path: Some(origin.path.clone()),
        ..Fields::default()
    }
}

/// The members of an object that have a value.
pub(super) fn filled(object: Value) -> Option<Json> {
    let Value::Object(mut members) = object else { return None };
    members.retain(|_, value| !value.is_null());
    Some(Json::from(members))
}
