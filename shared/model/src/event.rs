//! Every event of the log, decoded: from a message to values, or to the reason why not.

use std::borrow::Cow;
use std::collections::BTreeSet;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::envelope::{self, CloudEvent, Malformed, Message, Part};
use crate::json::{self, BadJson, Json, Watched};
use crate::log::{AccountId, Stream, Subject, token};
use crate::time::Timestamp;
use crate::{access, audit, delivery, directory, integration, search, traffic};

/// An event, whatever its family.
#[derive(Clone, Debug, PartialEq)]
#[expect(missing_docs, reason = "each is described at its data")]
pub enum Event {
    Audit(audit::Event),
    Traffic(traffic::Report),
    Integration(integration::Recorded),
    Access(access::Recorded),
    Directory { kind: directory::Kind, id: String, entry: directory::Entry },
    Search(search::Recorded),
    Delivery(Box<delivery::Recorded>),
}

impl Event {
    /// The audit event that it is. Integration and access events are audit events too.
    #[must_use]
    pub fn as_audit(&self) -> Option<Cow<'_, audit::Event>> {
        match self {
            Self::Audit(event) => Some(Cow::Borrowed(event)),
            Self::Integration(recorded) => Some(Cow::Owned(audit::Event::from(recorded))),
            Self::Access(recorded) => Some(Cow::Owned(audit::Event::from(recorded))),
            Self::Traffic(_) | Self::Directory { .. } | Self::Search(_) | Self::Delivery(_) => None,
        }
    }

    /// The same, taken out.
    #[must_use]
    pub fn into_audit(self) -> Option<audit::Event> {
        match self {
            Self::Audit(event) => Some(event),
            other => other.as_audit().map(Cow::into_owned),
        }
    }
}

/// Why a message, or one event of a batch, is no event. Its text is the reason in the dead letter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The envelope cannot be opened.
    #[error(transparent)]
    Envelope(#[from] Malformed),
    /// The data does not fit its schema.
    #[error("data.{0}")]
    Data(BadJson),
    /// The stream holds no events of this type.
    #[error("type: {found:?} is not known on this subject; known are {known}")]
    Type {
        /// What stands there, as the publisher wrote it.
        found: String,
        /// What may stand there.
        known: String,
    },
    /// The event says that it belongs to another account than its subject.
    #[error("account: the event names {0:?}, its subject another one")]
    Account(String),
    /// Something else about the data is wrong.
    #[error("data.{0}")]
    Rule(String),
}

/// One event of a message, or why it is none.
#[derive(Clone, Debug, PartialEq)]
pub struct Decoded {
    /// Its place in the message, from 0.
    pub index: usize,
    /// Its id, where that much could be read.
    pub id: Option<String>,
    /// The decoded event, or why there is none.
    pub event: Result<Event, Unreadable>,
    /// What a traffic report says and the event does not: members of its data that no field holds, by their paths, and
    /// attributes such as `ce.traceparent`. Of a batch only the first report is looked at, for those of one publisher are
    /// mostly alike, and a look at each would cost a twentieth of reading them.
    pub ignored: BTreeSet<String>,
}

impl Decoded {
    /// One of which nothing is ignored.
    #[must_use]
    pub const fn new(index: usize, id: Option<String>, event: Result<Event, Unreadable>) -> Self {
        Self { index, id, event, ignored: BTreeSet::new() }
    }
}

/// What a message of the log says.
#[derive(Clone, Debug, PartialEq)]
pub struct Contents {
    /// Its events, in order.
    pub events: Vec<Decoded>,
    /// Bytes of its payload, unpacked.
    pub bytes: usize,
}

/// Decodes a message of the log. Never fails: what cannot be read is part of the answer.
#[must_use]
pub fn decode(subject: &Subject, message: Message<'_>, received_at: Timestamp) -> Contents {
    match envelope::unpacked(message) {
        Ok(payload) => {
            let unpacked = Message { payload: &payload, ..message };
            Contents { events: decode_unpacked(subject, unpacked, received_at), bytes: payload.len() }
        }
        Err(bad) => Contents { events: unreadable(message, bad.into()), bytes: message.payload.len() },
    }
}

fn decode_unpacked(subject: &Subject, message: Message<'_>, received_at: Timestamp) -> Vec<Decoded> {
    if let Some(decoded) = decode_at_once(subject, message, received_at) {
        return decoded;
    }
    match envelope::split(message) {
        Ok(parts) => {
            let decoded = parts.into_iter().enumerate();
            decoded.map(|(index, part)| Decoded { index, ..decode_part(subject, part, received_at) }).collect()
        }
        Err(malformed) => unreadable(message, malformed),
    }
}

/// A message none of whose events can be read.
fn unreadable(message: Message<'_>, malformed: Malformed) -> Vec<Decoded> {
    vec![Decoded::new(0, envelope::id_in(message), Err(malformed.into()))]
}

/// Decodes one event of a message as if it came on `subject`.
#[must_use]
pub fn decode_part(subject: &Subject, part: Part<'_>, received_at: Timestamp) -> Decoded {
    let malformed = match part.open() {
        Ok(event) => return decode_opened(subject, &event, received_at),
        Err(malformed) => malformed,
    };
    // Only what no strict reader takes is looked through for what can be mended.
    let mended = match part.mended() {
        Ok(mended) => mended,
        Err(bad) => return Decoded::new(0, part.id(), Err(bad.into())),
    };
    match mended.as_deref().map(|text| envelope::open_structured(text.as_bytes())) {
        Some(Ok(event)) => decode_opened(subject, &event, received_at),
        Some(Err(malformed)) => Decoded::new(0, part.id(), Err(malformed.into())),
        None => Decoded::new(0, part.id(), Err(malformed.into())),
    }
}

fn decode_opened(subject: &Subject, event: &CloudEvent<'_>, received_at: Timestamp) -> Decoded {
    let decoded = decode_as::<Watched<Box<traffic::Reported>>>(subject, event, received_at);
    let ignored = match &decoded {
        Ok(Watched { value: Event::Traffic(_), has_more }) => ignored_of(event, *has_more),
        Ok(_) | Err(_) => BTreeSet::new(),
    };
    let event_or_why = decoded.map(|decoded| decoded.value);
    Decoded { ignored, ..Decoded::new(0, Some(event.id.to_string()), event_or_why) }
}

/// What is ignored of a traffic report. Its data is looked through where it has more than the fields, or may have.
fn ignored_of(report: &CloudEvent<'_>, may_have_more: bool) -> BTreeSet<String> {
    /// How many attributes are named. They are texts of strangers.
    const MOST: usize = 100;
    let mut names = if may_have_more { traffic::unknown_members(&report.data) } else { BTreeSet::new() };
    let subject = report.subject.iter().map(|_| "subject");
    let attributes = subject.chain(report.attributes.iter().map(|(name, _)| name.as_ref()));
    names.extend(attributes.take(MOST).map(|name| format!("ce.{name}")));
    names
}

/// Decodes a batch of the streams that are written the most in one pass, when nothing is wrong with any of it.
fn decode_at_once(subject: &Subject, message: Message<'_>, received_at: Timestamp) -> Option<Vec<Decoded>> {
    match subject.stream() {
        Stream::Audit => decode_all(subject, message, |event| audit_event(subject, event, received_at).ok()),
        Stream::Traffic => {
            let report =
                |event: CloudEvent<'_, Box<traffic::Reported>>| traffic_report(subject, event, received_at).ok();
            let mut decoded = decode_all(subject, message, |event| Some(report(event)?.value))?;
            if let Some(first) = decoded.first_mut() {
                first.ignored = envelope::first_of_batch(message, |event| ignored_of(&event, true));
            }
            Some(decoded)
        }
        Stream::Integration
        | Stream::Access
        | Stream::Directory
        | Stream::Search
        | Stream::Delivery
        | Stream::DeadLetter => None,
    }
}

fn decode_all<'a, D: Deserialize<'a>>(
    subject: &Subject,
    message: Message<'a>,
    decode: impl Fn(CloudEvent<'a, D>) -> Option<Event>,
) -> Option<Vec<Decoded>> {
    envelope::open_batch(message, |index, event: CloudEvent<'a, D>| {
        check_account(subject.account(), event.account.as_deref()).ok()?;
        let id = Some(event.id.to_string());
        Some(Decoded::new(index, id, Ok(decode(event)?)))
    })
}

/// Decodes one event as if it came on `subject`.
///
/// # Errors
/// When it is none that may stand there.
pub fn decode_event(subject: &Subject, event: &CloudEvent<'_>, received_at: Timestamp) -> Result<Event, Unreadable> {
    decode_as::<Box<traffic::Reported>>(subject, event, received_at).map(|decoded| decoded.value)
}

/// The same, and whether the event says more than is kept of it, where reports are read as what tells that.
fn decode_as<R: DeserializeOwned + Into<Watched<Box<traffic::Reported>>>>(
    subject: &Subject,
    event: &CloudEvent<'_>,
    received_at: Timestamp,
) -> Result<Watched<Event>, Unreadable> {
    check_account(subject.account(), event.account.as_deref())?;
    let decoded = match subject.stream() {
        Stream::Audit if event.is_foreign() => foreign_event(event, received_at),
        Stream::Audit => audit_event(subject, with_data(event, &[audit::RECORDED])?, received_at),
        Stream::Traffic => {
            return traffic_report::<R>(subject, with_data(event, &[traffic::REPORTED])?, received_at);
        }
        Stream::Integration => decode_integration(subject, event, received_at).map(Event::Integration),
        Stream::Access => decode_access(subject, event, received_at).map(Event::Access),
        Stream::Directory => decode_directory(subject, event),
        Stream::Search => decode_search(subject, event, received_at).map(Event::Search),
        Stream::Delivery => decode_delivery(subject, event, received_at).map(Box::new).map(Event::Delivery),
        Stream::DeadLetter => Err(unknown_type(event, &[])),
    };
    decoded.map(Watched::from)
}

fn audit_event(
    subject: &Subject,
    mut event: CloudEvent<'_, Box<audit::Fields>>,
    received_at: Timestamp,
) -> Result<Event, Unreadable> {
    check_type(&event, &[audit::RECORDED])?;
    check_account(subject.account(), event.data.account_id.as_deref())?;
    let context = audit::Context { id: &event.id, source: &event.source, time: event.time, received_at };
    let about = event.subject.map(|subject| (Cow::Borrowed("subject"), Json::from(&*subject)));
    event.data.add_attributes(event.attributes.into_iter().chain(about));
    let decoded = audit::Event::new(context, event.data);
    decoded.map(Event::Audit).map_err(|error| Unreadable::Rule(error.to_string()))
}

/// An event that some other system made for itself: its type is what happened, its subject what it happened to.
fn foreign_event(event: &CloudEvent<'_>, received_at: Timestamp) -> Result<Event, Unreadable> {
    let context = audit::Context { id: &event.id, source: &event.source, time: event.time, received_at };
    let filled = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
    let mut data = Box::new(audit::Fields {
        event_type: filled(&event.kind),
        resource_id: event.subject.as_deref().and_then(filled),
        // What claims to be JSON and is none is kept as text: nobody here can ask its sender to mend it.
        event_payload: (!event.data.is_empty()).then(|| {
            let json = str::from_utf8(&event.data).ok().and_then(Json::parse);
            json.unwrap_or_else(|| envelope::as_string(&event.data))
        }),
        ..audit::Fields::default()
    });
    data.add_attributes(event.attributes.iter().cloned());
    let decoded = audit::Event::new(context, data);
    decoded.map(Event::Audit).map_err(|error| Unreadable::Rule(error.to_string()))
}

fn traffic_report<R: Into<Watched<Box<traffic::Reported>>>>(
    subject: &Subject,
    event: CloudEvent<'_, R>,
    received_at: Timestamp,
) -> Result<Watched<Event>, Unreadable> {
    check_type(&event, &[traffic::REPORTED])?;
    let Watched { value: mut data, has_more } = event.data.into();
    check_account(subject.account(), data.account_id.as_deref())?;
    data.spell_addresses();
    let subject_reporter = if data.reporter_id.is_none() { subject.name().to_owned() } else { String::new() };
    let report = traffic::Report {
        id: event.id.into_owned(),
        time: event.time.unwrap_or(received_at),
        received_at,
        subject_reporter,
        data,
    };
    Ok(Watched { value: Event::Traffic(report), has_more })
}

/// The same event with its data read. The type is looked at first: of an unknown one, the data means nothing.
fn with_data<'a, D: DeserializeOwned>(event: &CloudEvent<'a>, known: &[&str]) -> Result<CloudEvent<'a, D>, Unreadable> {
    check_type(event, known)?;
    let data = read_data(event)?;
    let CloudEvent { id, source, kind, time, account, subject, attributes, data: _ } = event;
    let (id, source, kind, account) = (id.clone(), source.clone(), kind.clone(), account.clone());
    let (subject, attributes) = (subject.clone(), attributes.clone());
    Ok(CloudEvent { id, source, kind, time: *time, account, subject, attributes, data })
}

fn decode_integration(
    subject: &Subject,
    event: &CloudEvent<'_>,
    received_at: Timestamp,
) -> Result<integration::Recorded, Unreadable> {
    use integration::{CREATED, DELETED, Event, PAUSED, REDRIVE_REQUESTED, REPLAY_REQUESTED, RESUMED, UPDATED};
    let id = number(subject)?;
    let decoded = match event.kind.as_ref() {
        CREATED => Event::Created(read_data(event)?),
        UPDATED => Event::Updated(read_data(event)?),
        DELETED => Event::Deleted(read_data(event)?),
        PAUSED => Event::Paused(read_data(event)?),
        RESUMED => Event::Resumed(read_data(event)?),
        REPLAY_REQUESTED => Event::ReplayRequested(read_data(event)?),
        REDRIVE_REQUESTED => Event::RedriveRequested(read_data(event)?),
        _ => {
            let known = [CREATED, UPDATED, DELETED, PAUSED, RESUMED, REPLAY_REQUESTED, REDRIVE_REQUESTED];
            return Err(unknown_type(event, &known));
        }
    };
    let time = event.time.unwrap_or(received_at);
    Ok(integration::Recorded { event_id: event.id.to_string(), time, id, event: decoded })
}

fn decode_search(
    subject: &Subject,
    event: &CloudEvent<'_>,
    received_at: Timestamp,
) -> Result<search::Recorded, Unreadable> {
    use search::{CREATED, DELETED, Event, UPDATED};
    let decoded = match event.kind.as_ref() {
        CREATED => Event::Created(read_data(event)?),
        UPDATED => Event::Updated(read_data(event)?),
        DELETED => Event::Deleted(read_data(event)?),
        _ => return Err(unknown_type(event, &[CREATED, UPDATED, DELETED])),
    };
    Ok(search::Recorded { time: event.time.unwrap_or(received_at), id: subject.name().to_owned(), event: decoded })
}

fn decode_delivery(
    subject: &Subject,
    event: &CloudEvent<'_>,
    received_at: Timestamp,
) -> Result<delivery::Recorded, Unreadable> {
    let id = number(subject)?;
    let step = delivery::Step::ALL.into_iter().find(|step| step.event_type() == event.kind);
    let step = step.ok_or_else(|| unknown_type(event, &delivery::Step::ALL.map(delivery::Step::event_type)))?;
    let time = event.time.unwrap_or(received_at);
    Ok(delivery::Recorded { event_id: event.id.to_string(), time, id, step, data: read_data(event)? })
}

/// The number of the integration that a subject is about.
fn number(subject: &Subject) -> Result<u64, Unreadable> {
    let number = subject.name().parse();
    number.map_err(|_| Unreadable::Rule("id: the subject's last token must be a number".to_owned()))
}

fn decode_access(
    subject: &Subject,
    event: &CloudEvent<'_>,
    received_at: Timestamp,
) -> Result<access::Recorded, Unreadable> {
    use access::{
        ACCOUNT_CREATED, Event, PERSON_ERASED, TOKEN_CREATED, TOKEN_DELETED, USER_CHANGED, USER_CREATED, USER_DELETED,
    };
    let decoded = match event.kind.as_ref() {
        ACCOUNT_CREATED => Event::AccountCreated(read_data(event)?),
        USER_CREATED => Event::UserCreated(read_data(event)?),
        USER_CHANGED => Event::UserChanged(read_data(event)?),
        USER_DELETED => Event::UserDeleted(read_data(event)?),
        TOKEN_CREATED => Event::TokenCreated(read_data(event)?),
        TOKEN_DELETED => Event::TokenDeleted(read_data(event)?),
        PERSON_ERASED => Event::PersonErased(read_data(event)?),
        _ => {
            let known = [
                ACCOUNT_CREATED,
                USER_CREATED,
                USER_CHANGED,
                USER_DELETED,
                TOKEN_CREATED,
                TOKEN_DELETED,
                PERSON_ERASED,
            ];
            return Err(unknown_type(event, &known));
        }
    };
    if subject.kind() != Some(decoded.kind()) {
        return Err(Unreadable::Rule(format!("type: belongs on a subject of kind {}", decoded.kind())));
    }
    let time = event.time.unwrap_or(received_at);
    Ok(access::Recorded { event_id: event.id.to_string(), time, id: subject.name().to_owned(), event: decoded })
}

fn decode_directory(subject: &Subject, event: &CloudEvent<'_>) -> Result<Event, Unreadable> {
    let kind = directory::Kind::ALL.into_iter().find(|kind| Some(kind.name()) == subject.kind());
    let Some(kind) = kind else {
        return Err(Unreadable::Rule("kind: must be peer, user, policy or resource".to_owned()));
    };
    check_type(event, &[kind.event_type()])?;
    let entry: directory::Entry = read_data(event)?;
    let id = entry.id.clone().unwrap_or_else(|| subject.name().to_owned());
    // The stream keeps the last message of each subject: an entry under another's subject would be lost.
    if token(&id) != subject.name() {
        return Err(Unreadable::Rule("id: must be the last token of the subject".to_owned()));
    }
    Ok(Event::Directory { kind, id, entry })
}

fn read_data<T: DeserializeOwned>(event: &CloudEvent<'_>) -> Result<T, Unreadable> {
    json::read_lenient(&event.data).map_err(Unreadable::Data)
}

fn check_account(account: &AccountId, named: Option<&str>) -> Result<(), Unreadable> {
    match named {
        Some(named) if named != account.as_str() => Err(Unreadable::Account(named.to_owned())),
        Some(_) | None => Ok(()),
    }
}

fn check_type<D>(event: &CloudEvent<'_, D>, known: &[&str]) -> Result<(), Unreadable> {
    if known.contains(&event.kind.as_ref()) { Ok(()) } else { Err(unknown_type(event, known)) }
}

fn unknown_type<D>(event: &CloudEvent<'_, D>, known: &[&str]) -> Unreadable {
    Unreadable::Type { found: event.kind.to_string(), known: known.join(", ") }
}

#[cfg(test)]
mod tests;
