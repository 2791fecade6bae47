//! Events packed into messages for the log: few, each with an id that is the same when the same events come again.

use bus::Outgoing;
use feed::write;
use model::log::Subject;

/// The most events of one message: it is projected as one.
const MAX_EVENTS: usize = 500;

/// Packs events, each a structured CloudEvent, into batch messages of at most half of `largest` bytes. An event that
/// alone has more gets a message of its own.
pub(super) fn pack(subject: &Subject, events: Vec<String>, largest: usize) -> Vec<Outgoing> {
    let mut messages = Vec::new();
    let mut payload = String::new();
    let mut count = 0;
    for event in events {
        let is_full = count == MAX_EVENTS || payload.len() + event.len() > largest / 2;
        if is_full && count > 0 {
            messages.push(message(subject, std::mem::take(&mut payload)));
            count = 0;
        }
        payload.push(if count == 0 { '[' } else { ',' });
        payload.push_str(&event);
        count += 1;
    }
    if count > 0 {
        messages.push(message(subject, payload));
    }
    messages
}

fn message(subject: &Subject, mut payload: String) -> Outgoing {
    payload.push(']');
    write::batch(subject.clone(), payload)
}

#[cfg(test)]
mod tests {
    use model::envelope::{Encoding, MAX_UNPACKED};
    use model::log::AccountId;

    use super::*;

    fn subject(account: &str) -> Subject {
        Subject::audit(&AccountId::parse(account).unwrap(), "http")
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
        let messages = pack(&subject("main"), events(1201), 1 << 20);
        let payloads = payloads(&messages);
        assert_eq!(payloads.iter().map(Vec::len).collect::<Vec<_>>(), [500, 500, 201]);
        let numbers = payloads.into_iter().flatten().map(|event| event["n"].as_u64().unwrap());
        assert!(numbers.eq(1000..2201));
    }

    #[test]
    fn messages_stay_below_half_of_the_largest_but_for_a_single_event() {
        let messages = pack(&subject("main"), events(100), 200);
        assert!(messages.len() > 1);
        assert!(messages.iter().all(|message| message.payload.len() <= 102), "{messages:?}");
        assert_eq!(pack(&subject("main"), events(3), 2).len(), 3);
    }

    #[test]
    fn the_id_is_the_same_for_the_same_events_of_the_same_account_only() {
        let id = |account, count| pack(&subject(account), events(count), 1 << 20).remove(0).message_id.unwrap();
        assert_eq!(id("main", 3), id("main", 3));
        assert_ne!(id("main", 3), id("main", 2));
        assert_ne!(id("main", 3), id("other", 3));
        assert!(id("main", 3).starts_with("main:"));
    }
}
