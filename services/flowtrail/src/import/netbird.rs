//! Events as NetBird streams them: into objects of S3 (`message`, `initiator_id`) and to web hooks (`Message`,
//! `InitiatorID`), which Flowtrail's web hooks write too.
//!
//! | member | Flowtrail |
//! |---|---|
//! | `id`, `ID` | event id |
//! | `timestamp`, `Timestamp` | the event's time |
//! | `message`, `Message` | `event_type`: the code that NetBird has for this text; else the text in lower case, and `activity` |
//! | `initiator_id`, `InitiatorID`; `target_id`, `TargetID` | `actor_id`; `resource_id` |
//! | `meta`, `Meta`; `reference`, `Reference` | `meta`; `correlation_id` |
//!
//! A traffic event has a `TYPE_..` as message and all else in `meta`.

use model::audit::{Fields, known_code};
use model::json::{Integer, integer};
use model::time::Timestamp;
use model::traffic::{Direction, Endpoint, EndpointType, EventType, Policy, Reported, User};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use super::draft::{Draft, Mapped, Rejected, id_of_text, to_text};
use super::item::{Item, id_of};
use super::skipped::Skipped;
use super::{addresses, times};

/// The message of every traffic event begins so.
const OF_TRAFFIC: &str = "TYPE_";
/// A text that two codes have, and the code when the peer came with a setup key.
const PEER_ADDED: (&str, &str) = ("peer added", "peer.setupkey.add");

/// Whether an item is such an event.
pub(super) fn is_streamed(item: &Item<'_>) -> bool {
    let has_code = item.has("event_type") || item.has("activity_code");
    !has_code && (item.has("message") || item.has("Message")) && (item.has("timestamp") || item.has("Timestamp"))
}

/// What both families have.
struct Envelope<'a> {
    id: String,
    time: Timestamp,
    message: String,
    initiator: Option<String>,
    target: Option<String>,
    reference: Option<String>,
    meta: Option<Item<'a>>,
}

impl<'a> Envelope<'a> {
    fn read(text: &str, item: &Item<'a>) -> Result<Self, Rejected> {
        let either = |name: &str, other: &str| item.text(name).or_else(|| item.text(other));
        let id = id_of(item.get("id").or_else(|| item.get("ID")))?;
        let time = either("timestamp", "Timestamp").and_then(|time| times::of_text(&time));
        Ok(Self {
            id: id.unwrap_or_else(|| id_of_text("netbird", text)),
            time: time.ok_or_else(|| Rejected::field("timestamp", "must be an RFC 3339 time"))?,
            message: either("message", "Message").ok_or_else(|| Rejected::field("message", "must be a text"))?,
            initiator: either("initiator_id", "InitiatorID"),
            target: either("target_id", "TargetID"),
            reference: either("reference", "Reference"),
            meta: item.object("meta").or_else(|| item.object("Meta")),
        })
    }

    fn is_of_traffic(&self) -> bool {
        self.message.starts_with(OF_TRAFFIC)
    }

    fn has_meta(&self, name: &str) -> bool {
        self.meta.as_ref().is_some_and(|meta| meta.has(name))
    }
}

/// An audit event.
pub(super) fn audit(text: &str, item: &Item<'_>) -> Result<Mapped<'static>, Rejected> {
    let envelope = Envelope::read(text, item)?;
    if envelope.is_of_traffic() {
        return Ok(Mapped::Skipped(Skipped::ForFormat("traffic")));
    }
    let with_setup_key = envelope.has_meta("setup_key_name") && envelope.message.eq_ignore_ascii_case(PEER_ADDED.0);
    let known = if with_setup_key { Some(PEER_ADDED.1) } else { known_code(&envelope.message) };
    let event_type = known.map_or_else(|| code_of(&envelope.message), str::to_owned);
    let is_said = known.is_some() || event_type == envelope.message;
    // Passed on as it stands, so that its numbers stay what they are.
    let meta = item.get("meta").or_else(|| item.get("Meta")).filter(|_| envelope.meta.is_some());
    let recorded = Fields {
        event_type: Some(event_type),
        activity: (!is_said).then_some(envelope.message),
        actor_id: envelope.initiator,
        resource_id: envelope.target,
        correlation_id: envelope.reference,
        ..Fields::default()
    };
    let data = to_text(&Data { recorded, meta })?;
    Ok(Mapped::Event(Draft { id: envelope.id, time: Some(envelope.time), data: data.into() }))
}

/// The data of an audit event.
#[derive(Serialize)]
struct Data<'a> {
    #[serde(flatten)]
    recorded: Fields,
    #[serde(skip_serializing_if = "Option::is_none")]
    meta: Option<&'a RawValue>,
}

/// A traffic event. `reporter` stands above what it says; `default` is for those that say nothing.
pub(super) fn traffic(text: &str, reporter: Option<&str>, default: &str) -> Result<Mapped<'static>, Rejected> {
    let item = Item::parse(text)?;
    let envelope = Envelope::read(text, &item)?;
    if !envelope.is_of_traffic() {
        return Ok(Mapped::Skipped(Skipped::ForFormat("audit")));
    }
    let event_type: EventType = named(Some(&envelope.message), "message")?;
    let meta = envelope.meta.as_ref().ok_or_else(|| Rejected::missing("meta"))?;
    let in_log = meta.text("reporter_id");
    let mut source = end(meta, "source")?;
    let user = meta.text("user_id");
    // Who set a flow off is the user, or the peer itself.
    source.id = envelope.initiator.filter(|id| Some(id) != user.as_ref());
    let destination = Endpoint { id: envelope.target, ..end(meta, "destination")? };
    let data = Reported {
        flow_id: meta.text("flow_id"),
        event_type: Some(event_type),
        reporter_id: Some(reporter.map(str::to_owned).or(in_log).unwrap_or_else(|| default.to_owned())),
        source,
        destination,
        user: User { id: user, ..User::default() },
        policy: Policy { name: meta.text("policy_name"), id: meta.text("policy_id") },
        protocol: number(meta, "protocol")?,
        direction: named::<Direction>(meta.text("direction").as_deref(), "meta.direction")?,
        rx_bytes: number(meta, "rx_bytes")?.unwrap_or_default(),
        rx_packets: number(meta, "rx_packets")?.unwrap_or_default(),
        tx_bytes: number(meta, "tx_bytes")?.unwrap_or_default(),
        tx_packets: number(meta, "tx_packets")?.unwrap_or_default(),
        ..Reported::default()
    };
    Ok(Mapped::Event(Draft { id: envelope.id, time: Some(envelope.time), data: to_text(&data)?.into() }))
}

fn end(meta: &Item<'_>, side: &str) -> Result<Endpoint, Rejected> {
    let member = |name: &str| meta.text(&format!("{side}_{name}"));
    let address = member("addr").map(|address| addresses::respelled(&address).unwrap_or(address));
    let endpoint_type = named::<EndpointType>(member("type").as_deref(), &format!("meta.{side}_type"))?;
    Ok(Endpoint { address, name: member("name"), endpoint_type, ..Endpoint::default() })
}

/// One of a few names; nothing is the default.
fn named<T: DeserializeOwned + Default>(name: Option<&str>, field: &str) -> Result<T, Rejected> {
    let Some(name) = name else { return Ok(T::default()) };
    let read = serde_json::from_value(name.into());
    read.map_err(|_| Rejected::field(field, format!("{name:?} is none that is known")))
}

/// A number, or a text of one: values of `meta` may have been made texts.
fn number<T: Integer + DeserializeOwned>(meta: &Item<'_>, name: &str) -> Result<Option<T>, Rejected> {
    let Some(value) = meta.get(name) else { return Ok(None) };
    let mut text = serde_json::Deserializer::from_str(value.get().trim_matches('"'));
    let read = integer(&mut text).and_then(|number| text.end().map(|()| number));
    read.map_err(|_| Rejected::field(format!("meta.{name}"), "must be a number that fits"))
}

/// A code for a text that has none: events that Flowtrail does not know the text of show their code itself.
fn code_of(message: &str) -> String {
    let lower = message.to_lowercase();
    let is_of_code = |letter: char| letter.is_alphanumeric() || matches!(letter, '.' | '_' | '-' | ':' | '/');
    if message.chars().all(is_of_code) {
        return message.to_owned();
    }
    lower.split(|letter: char| !is_of_code(letter)).filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_")
}
