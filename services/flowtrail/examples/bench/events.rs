//! Events as publishers make them, and the messages and bodies they travel in.

use bus::Outgoing;
use bytes::Bytes;
use model::envelope::{self, Envelope};
use model::log::Subject;
use model::time::Timestamp;
use serde::Serialize;

const SOURCE: &str = "bench";
const IS_JSON: &str = "an event has text keys only, so it is JSON";

/// What happened, with what its envelope says.
pub(crate) struct Event<D> {
    pub(crate) id: String,
    pub(crate) time: Timestamp,
    pub(crate) data: D,
}

/// A CloudEvent in structured form.
pub(crate) struct Written {
    id: String,
    json: Vec<u8>,
}

#[derive(Serialize)]
struct Plain<'a, D> {
    id: &'a str,
    time: Timestamp,
    #[serde(flatten)]
    data: &'a D,
}

impl<D: Serialize> Event<D> {
    /// As a CloudEvent of type `kind`.
    pub(crate) fn write(&self, kind: &str) -> Written {
        let sealed = Envelope::new(&self.id, SOURCE, kind, self.time, &self.data);
        Written { id: self.id.clone(), json: serde_json::to_vec(&sealed).expect(IS_JSON) }
    }
}

/// Messages of so many events each: of one as it is, of several as a batch.
pub(crate) fn messages(
    subject: &Subject,
    per_message: usize,
    mut events: impl Iterator<Item = Written>,
) -> impl Iterator<Item = Outgoing> {
    std::iter::from_fn(move || {
        let events: Vec<Written> = events.by_ref().take(per_message).collect();
        message(subject, &events)
    })
}

fn message(subject: &Subject, events: &[Written]) -> Option<Outgoing> {
    let first = events.first()?;
    let (content_type, payload) = match events {
        [event] => (envelope::STRUCTURED, event.json.clone()),
        events => (envelope::BATCH, array(events.iter().map(|event| event.json.as_slice()))),
    };
    Some(Outgoing {
        subject: subject.clone(),
        message_id: Some(format!("{}:{}", subject.account(), first.id)),
        headers: vec![("content-type".to_owned(), content_type.to_owned())],
        payload: payload.into(),
        expected_last: None,
    })
}

/// The body of a request: a JSON array of plain events.
pub(crate) fn body<D: Serialize>(events: impl Iterator<Item = Event<D>>) -> Bytes {
    let plain = |event: Event<D>| {
        serde_json::to_vec(&Plain { id: &event.id, time: event.time, data: &event.data }).expect(IS_JSON)
    };
    array(events.map(plain)).into()
}

fn array(parts: impl Iterator<Item = impl AsRef<[u8]>>) -> Vec<u8> {
    let mut array = vec![b'['];
    for (index, part) in parts.enumerate() {
        if index > 0 {
            array.push(b',');
        }
        array.extend_from_slice(part.as_ref());
    }
    array.push(b']');
    array
}
