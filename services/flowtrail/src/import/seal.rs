//! Puts drafts into their envelopes, and checks each as the projector will: no event is published that it cannot read.

use std::borrow::Cow;
use std::io::Write;

use model::envelope::CloudEvent;
use model::event::{Unreadable, decode_event};
use model::json;
use model::log::Subject;
use model::time::Timestamp;

use super::draft::{Draft, Rejected};

/// Makes structured CloudEvents for one subject.
pub(super) struct Sealer {
    subject: Subject,
    source: &'static str,
    kind: &'static str,
    /// `"source":".."` and the attributes after it, the same in every event.
    attributes: String,
    /// The event, after the bracket of a batch: the depth of a message is counted from there.
    text: Vec<u8>,
}

impl Sealer {
    /// `source` and `kind` are plain words that need no escaping in JSON.
    pub(super) fn new(subject: Subject, source: &'static str, kind: &'static str) -> Self {
        let attributes =
            format!(r#""source":"{source}","type":"{kind}","specversion":"1.0","datacontenttype":"application/json""#);
        Self { subject, source, kind, attributes, text: Vec::new() }
    }

    /// The event as JSON text.
    ///
    /// # Errors
    /// When it is none that may stand on the subject.
    pub(super) fn seal(&mut self, draft: &Draft<'_>) -> Result<&[u8], Rejected> {
        self.text.clear();
        let written = write_event(&mut self.text, draft, &self.attributes);
        written.map_err(|error| Rejected::field("document", error.to_string()))?;
        json::check_depth(&self.text)?;
        self.check(draft)?;
        Ok(self.text.get(1..).unwrap_or_default())
    }

    /// Reads the draft as the projector will read what is written of it.
    fn check(&self, draft: &Draft<'_>) -> Result<(), Unreadable> {
        let data = Cow::Borrowed(draft.data.as_bytes());
        let event = CloudEvent { time: draft.time, ..CloudEvent::new(&draft.id, self.source, self.kind, data) };
        decode_event(&self.subject, &event.valid()?, draft.time.unwrap_or_else(some_time))?;
        Ok(())
    }
}

fn write_event(into: &mut Vec<u8>, draft: &Draft<'_>, attributes: &str) -> std::io::Result<()> {
    write!(into, r#"[{{"id":"#)?;
    serde_json::to_writer(&mut *into, &draft.id)?;
    if let Some(time) = draft.time {
        write!(into, r#","time":"{time}""#)?;
    }
    write!(into, r#",{attributes},"data":{}}}"#, draft.data)
}

/// Stands for the time at which the log will receive the event; whether it can be read does not depend on it.
fn some_time() -> Timestamp {
    Timestamp::from_sortable(0_i64.cast_unsigned().to_be_bytes())
}

#[cfg(test)]
mod tests {
    use model::envelope;
    use model::log::AccountId;

    use super::*;

    fn sealed(data: &str) -> Result<String, String> {
        let account = AccountId::parse("main").unwrap();
        let subject = Subject::audit(&account, "import");
        let mut sealer = Sealer::new(subject, "import", model::audit::RECORDED);
        let draft = Draft { id: "a\"1".into(), time: None, data: data.into() };
        let text = sealer.seal(&draft).map_err(|rejected| rejected.to_string())?;
        Ok(String::from_utf8(text.to_vec()).unwrap())
    }

    #[test]
    fn the_data_is_passed_on_as_it_stands() {
        let text = sealed(r#"{"event_type": "a.b",  "unknown": 1.10}"#).unwrap();
        let event = envelope::open_structured(text.as_bytes()).unwrap();
        assert_eq!((event.id.as_ref(), event.time), ("a\"1", None));
        assert_eq!(*event.data, *br#"{"event_type": "a.b",  "unknown": 1.10}"#);
    }

    #[test]
    fn what_the_projector_could_not_read_is_rejected_with_its_words() {
        assert_eq!(sealed("{}").unwrap_err(), "event_type: is missing (or activity_code, its other name)");
        assert!(sealed(r#"{"event_type":"a","user_id":"x"}"#).unwrap_err().starts_with("user_id: must be an integer"));
        assert!(sealed(r#"{"event_type":"a","account_id":"b"}"#).unwrap_err().starts_with("account: "));
    }

    #[test]
    fn depth_is_counted_as_in_a_batch() {
        let nested = |levels: usize| {
            let payload = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
            sealed(&format!(r#"{{"event_type":"a","event_payload":{payload}}}"#))
        };
        // A batch, an event in it and its data are three levels.
        assert!(nested(61).is_ok());
        assert_eq!(nested(62).unwrap_err(), "more than 64 levels deep");
    }
}
