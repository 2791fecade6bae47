//! Events packed into messages for the log: few, each with an id that is the same when the same events come again.

use bus::Outgoing;
use feed::write;
use model::log::Subject;

use crate::http::budget::Share;
use crate::render::refusal::Refusal;

/// The most events of one message: it is projected as one.
const MAX_EVENTS: usize = 500;

/// What a message takes beside its payload: its subject, its id and its headers.
const BESIDE_BYTES: usize = 512;

/// Packs events, each a structured CloudEvent, into batch messages of at most half of `largest` bytes. An event that
/// alone has more gets a message of its own.
pub(super) struct Packer {
    subject: Subject,
    largest: usize,
    /// The message that has room.
    payload: String,
    events: usize,
    packed: Packed,
}

/// Messages, with the memory that they take until they are published.
pub(super) struct Packed {
    pub(super) messages: Vec<Outgoing>,
    pub(super) share: Share,
}

impl Packer {
    /// One that has packed nothing. What its messages take is taken from `share`.
    pub(super) fn new(subject: Subject, largest: usize, share: Share) -> Self {
        let packed = Packed { messages: Vec::new(), share };
        Self { subject, largest, payload: String::new(), events: 0, packed }
    }

    /// Adds an event.
    ///
    /// # Errors
    /// When there is no memory for the message that it completes.
    pub(super) fn add(&mut self, event: &str) -> Result<(), Refusal> {
        let is_full = self.events == MAX_EVENTS || self.payload.len() + event.len() > self.largest / 2;
        if is_full {
            self.end_message()?;
        }
        self.payload.push(if self.events == 0 { '[' } else { ',' });
        self.payload.push_str(event);
        self.events += 1;
        Ok(())
    }

    /// All that was added.
    ///
    /// # Errors
    /// When there is no memory for the last message.
    pub(super) fn finish(mut self) -> Result<Packed, Refusal> {
        self.end_message()?;
        Ok(self.packed)
    }

    fn end_message(&mut self) -> Result<(), Refusal> {
        if self.events == 0 {
            return Ok(());
        }
        self.events = 0;
        self.payload.push(']');
        let message = write::batch(self.subject.clone(), std::mem::take(&mut self.payload));
        self.packed.share.take(message.payload.len() + BESIDE_BYTES)?;
        self.packed.messages.push(message);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use model::envelope::{Encoding, MAX_UNPACKED};
    use model::log::AccountId;

    use super::*;
    use crate::http::budget::Budget;

    fn subject(account: &str) -> Subject {
        Subject::audit(&AccountId::parse(account).unwrap(), "http")
    }

    fn pack(subject: &Subject, events: &[String], largest: usize) -> Vec<Outgoing> {
        let share = Budget::of_mib(1).share(subject.account());
        let mut packer = Packer::new(subject.clone(), largest, share);
        events.iter().try_for_each(|event| packer.add(event)).unwrap();
        packer.finish().unwrap().messages
    }

    fn events(count: usize) -> Vec<String> {
        (0..count).map(|number| format!(r#"{{"n":{}}}"#, 1000 + number)).collect()
    }

    fn payloads(messages: &[Outgoing]) -> Vec<Vec<serde_json::Value>> {
        let unpacked = |message: &Outgoing| match message.headers.iter().find(|(name, _)| name == "Content-Encoding") {
            Some((_, encoding)) => Encoding::parse(encoding).unwrap().unpack(&message.payload, MAX_UNPACKED).unwrap(),
            None => message.payload.to_vec(),
        };
        messages.iter().map(|message| serde_json::from_slice(&unpacked(message)).unwrap()).collect()
    }

    #[test]
    fn messages_hold_all_events_in_order_and_none_too_many() {
        let messages = pack(&subject("main"), &events(1201), 1 << 20);
        let payloads = payloads(&messages);
        assert_eq!(payloads.iter().map(Vec::len).collect::<Vec<_>>(), [500, 500, 201]);
        let numbers = payloads.into_iter().flatten().map(|event| event["n"].as_u64().unwrap());
        assert!(numbers.eq(1000..2201));
    }

    #[test]
    fn messages_stay_below_half_of_the_largest_but_for_a_single_event() {
        let messages = pack(&subject("main"), &events(100), 200);
        assert!(messages.len() > 1);
        assert!(messages.iter().all(|message| message.payload.len() <= 102), "{messages:?}");
        assert_eq!(pack(&subject("main"), &events(3), 2).len(), 3);
    }

    #[test]
    fn there_are_no_messages_without_memory_for_them() {
        let subject = subject("main");
        let share = Budget::of_mib(0).share(subject.account());
        let mut packer = Packer::new(subject, 1 << 20, share);
        packer.add("1").unwrap();
        assert!(packer.finish().is_err());
    }

    #[test]
    fn the_id_is_the_same_for_the_same_events_of_the_same_account_only() {
        let id = |account, count| pack(&subject(account), &events(count), 1 << 20).remove(0).message_id.unwrap();
        assert_eq!(id("main", 3), id("main", 3));
        assert_ne!(id("main", 3), id("main", 2));
        assert_ne!(id("main", 3), id("other", 3));
        assert!(id("main", 3).starts_with("main:"));
    }
}
