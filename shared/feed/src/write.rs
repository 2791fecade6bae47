//! From an event to the message that carries it into the log.
//!
//! Many events in one message are compressed: their texts repeat each other, so the log has less than a sixth to write, send and
//! keep.

use bus::Outgoing;
use bytes::Bytes;
use model::envelope::{BATCH, Encoding, Envelope, STRUCTURED};
use model::log::{AccountId, Subject};
use model::time::Timestamp;
use serde::Serialize;
use sha2::{Digest, Sha256};

/// An event that is to enter the log.
#[derive(Clone, Debug)]
pub struct NewEvent<'a, D> {
    /// Where to. It says the account.
    pub subject: Subject,
    /// The event id: the same id is the same event, also in another attempt after a crash.
    pub id: &'a str,
    /// Who publishes it, such as `flowtrail/commands`.
    pub source: &'a str,
    /// Its type, such as `flowtrail.audit.recorded.v1`.
    pub event_type: &'a str,
    /// When it happened.
    pub time: Timestamp,
    /// What happened.
    pub data: &'a D,
}

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// One event with its envelope.
    Single,
    /// A JSON array of such events.
    Batch,
}

/// The message of one event.
///
/// # Errors
/// When the data cannot be written as JSON.
pub fn write<D: Serialize>(event: NewEvent<'_, D>) -> Result<Outgoing, serde_json::Error> {
    let NewEvent { subject, id, source, event_type, time, data } = event;
    let payload = serde_json::to_vec(&Envelope::new(id, source, event_type, time, data))?;
    Ok(message(subject, id, Form::Single, payload))
}

/// A message whose payload is events that have their envelopes already. `id` is the same when the same events come
/// again, and no other message's.
pub fn message(subject: Subject, id: &str, form: Form, payload: impl Into<Bytes>) -> Outgoing {
    let (headers, payload) = body(form, payload.into());
    Outgoing { message_id: Some(message_id(subject.account(), id)), subject, headers, payload, expected_last: None }
}

/// A message of events that have their envelopes already, a JSON array of them, and nothing else to be known by. Its id is
/// a hash of what is sent: the broker drops the same events when they come again, and not an event that comes again with
/// other content, so that the view can say so in a dead letter.
pub fn batch(subject: Subject, payload: impl Into<Bytes>) -> Outgoing {
    let (headers, payload) = body(Form::Batch, payload.into());
    // Of the compressed payload, which is a sixth of the other.
    let hash: String = Sha256::digest(&payload).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    Outgoing { message_id: Some(message_id(subject.account(), &hash)), subject, headers, payload, expected_last: None }
}

/// Headers and payload as they are sent.
fn body(form: Form, payload: Bytes) -> (Vec<(String, String)>, Bytes) {
    let (content_type, packed) = match form {
        Form::Single => (STRUCTURED, None),
        Form::Batch => (BATCH, Encoding::pack(&payload)),
    };
    let mut headers = vec![("Content-Type".to_owned(), content_type.to_owned())];
    if packed.is_some() {
        headers.push(("Content-Encoding".to_owned(), "zstd".to_owned()));
    }
    (headers, packed.map_or(payload, Bytes::from))
}

/// What the broker de-duplicates by. It compares ids across the whole stream, so without the account in it one account
/// could make the broker drop the messages of another, by publishing their ids first.
pub(crate) fn message_id(account: &AccountId, id: &str) -> String {
    format!("{account}:{id}")
}

#[cfg(test)]
mod tests {
    use bus::Message;
    use model::dead_letter::{DeadLetter, RECORDED};
    use model::envelope::open_structured;
    use model::event::Event;
    use model::log::{LogPosition, Stream};
    use serde_json::json;

    use super::*;
    use crate::read;

    fn account(id: &str) -> AccountId {
        AccountId::parse(id).unwrap()
    }

    /// The message as the log gives it back.
    fn stored(outgoing: Outgoing) -> Message {
        Message {
            position: LogPosition { stream: Stream::Audit, sequence: 1 },
            subject: outgoing.subject.to_string(),
            headers: outgoing.headers,
            payload: outgoing.payload,
            received_at: 0,
            pending: 0,
        }
    }

    #[test]
    fn what_is_written_reads_back_as_the_same_event() {
        let data = json!({ "event_type": "a.b" });
        let event = NewEvent {
            subject: Subject::audit(&account("main"), "test"),
            id: "e1",
            source: "test",
            event_type: model::audit::RECORDED,
            time: Timestamp::from_micros(5).unwrap(),
            data: &data,
        };
        let entry = read::read(&stored(write(event).unwrap()));
        assert_eq!((entry.account.as_str(), entry.decoded.len()), ("main", 1));
        let Ok(Event::Audit(event)) = &entry.decoded[0].event else { panic!("{entry:?}") };
        assert_eq!((event.id.as_str(), event.time.micros(), event.event_type.as_str()), ("e1", 5, "a.b"));
    }

    #[test]
    fn a_batch_is_compressed_and_reads_back_as_the_same_events() {
        let subject = Subject::audit(&account("main"), "test");
        let event = |number: usize| {
            format!(
                r#"{{"specversion":"1.0","id":"e{number}","source":"test","type":"{}","data":{{"event_type":"a.b"}}}}"#,
                model::audit::RECORDED
            )
        };
        let payload = format!("[{}]", (0..100).map(event).collect::<Vec<_>>().join(","));
        let length = payload.len();
        let message = stored(message(subject, "m1", Form::Batch, payload));
        assert!(message.payload.len() < length / 5, "{}", message.payload.len());
        let entry = read::read(&message);
        let ids: Vec<String> = entry.decoded.into_iter().filter_map(|decoded| decoded.id).collect();
        assert_eq!(ids, (0..100).map(|number| format!("e{number}")).collect::<Vec<_>>());
        assert_eq!(entry.bytes, length);
    }

    #[test]
    fn a_batch_is_known_by_what_is_in_it() {
        let subject = || Subject::audit(&account("main"), "test");
        let id = |payload: &str| batch(subject(), payload.to_owned()).message_id.unwrap();
        let long = format!("[{}]", vec![r#"{"n":1}"#; 1000].join(","));
        for payload in ["[1]", &long] {
            assert_eq!(id(payload), id(payload));
            assert_ne!(id(payload), id(&payload.replace('1', "2")));
        }
    }

    #[test]
    fn the_same_id_in_two_accounts_is_two_messages_to_the_broker() {
        let id =
            |account: &AccountId| message(Subject::audit(account, "test"), "e1", Form::Batch, "[]").message_id.unwrap();
        assert_eq!(id(&account("main")), "main:e1");
        assert_ne!(id(&account("main")), id(&account("other")));
    }

    #[test]
    fn a_dead_letter_can_be_opened_again() {
        let data = DeadLetter {
            view: "audit".to_owned(),
            stream: Stream::Audit.name().to_owned(),
            sequence: 7,
            index: 0,
            subject: "flowtrail.v1.audit.main.test".to_owned(),
            event_id: None,
            reason: "not JSON".to_owned(),
        };
        let subject = Subject::dead_letter("audit", &account("main"));
        let (id, time) = ("audit:FLOWTRAIL_AUDIT:7:0", Timestamp::EPOCH);
        let event = NewEvent { subject, id, source: "test", event_type: RECORDED, time, data: &data };
        let written = write(event).unwrap();
        let opened = open_structured(&written.payload).unwrap();
        assert_eq!(serde_json::from_slice::<DeadLetter>(&opened.data).unwrap(), data);
    }
}
