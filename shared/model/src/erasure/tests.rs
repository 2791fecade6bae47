use serde_json::json;

use super::*;
use crate::audit::{self, Fields};
use crate::directory::Entry;
use crate::json::Json;
use crate::time::Timestamp;
use crate::traffic::{Reported, User};

const PSEUDO: &str = "erased:1";

fn erasures(ids: &[&str], details: &[&str]) -> Erasures {
    let erasure = Erasure::new([7; 32], ids.iter().copied(), details.iter().copied());
    Erasures::new([("1".to_owned(), erasure)])
}

fn alice() -> Erasures {
    erasures(&["alice-7", "alice@example.com"], &["Alice Doe", "203.0.113.7"])
}

fn event(data: serde_json::Value) -> audit::Event {
    let context =
        audit::Context { id: "e1", source: "/test", time: Some(Timestamp::EPOCH), received_at: Timestamp::EPOCH };
    let fields: Fields = serde_json::from_value(data).unwrap();
    audit::Event::new(context, fields).unwrap()
}

fn given(event: &audit::Event) -> String {
    serde_json::to_string(&event.given).unwrap()
}

#[test]
fn an_actor_becomes_a_pseudonym_and_what_is_said_of_them_goes() {
    let mut event = event(json!({
        "event_type": "route.add", "actor_id": "alice-7", "actor_name": "Alice Doe", "actor_email": "Alice@Example.com",
        "user_id": 7, "user_name": "alice", "ip_address": "198.51.100.9", "user_agent": "curl/8", "status": "denied",
        "activity": "Alice Doe added a route", "path": "/users/alice-7/routes", "resource_id": "r1",
        "event_payload": { "by": "ALICE@example.com", "from": ["198.51.100.9"], "note": "for \"alice\"", "metric": 10.5 },
    }));
    assert!(alice().erase_audit(&mut event));
    assert_eq!(event.given.actor_id.as_deref(), Some(PSEUDO));
    assert_eq!(event.given.status.as_deref(), Some("denied"));
    assert_eq!(event.given.path.as_deref(), Some("/users/erased:1/routes"));
    assert_eq!(event.given.activity.as_deref(), Some("erased:1 added a route"));
    let payload = event.given.event_payload.as_ref().unwrap().as_str();
    assert_eq!(payload, r#"{"by":"erased:1","from":["erased:1"],"metric":10.5,"note":"for \"erased:1\""}"#);
    let text = given(&event).to_lowercase();
    assert!(!["alice", "198.51.100.9", "curl", "doe"].iter().any(|known| text.contains(known)), "{text}");
    let once = event.clone();
    assert!(!alice().erase_audit(&mut event), "to erase again changes nothing");
    assert_eq!(event, once);
}

#[test]
fn a_target_and_a_mention_are_erased_and_the_others_stay() {
    let mut event = event(json!({
        "event_type": "user.block", "actor_id": "bob", "actor_name": "Bob", "ip_address": "203.0.113.7",
        "resource_id": "alice-7", "meta": { "name": "Alice Doe", "alice-7": 1, "b": "malice-7" },
    }));
    assert!(alice().erase_audit(&mut event));
    let Fields { actor_id, actor_name, resource_id, meta, .. } = &*event.given;
    assert_eq!((actor_id.as_deref(), actor_name.as_deref()), (Some("bob"), Some("Bob")));
    assert_eq!(resource_id.as_deref(), Some(PSEUDO));
    assert_eq!(meta.as_ref().unwrap().as_str(), r#"{"b":"malice-7","erased:1":1,"name":"erased:1"}"#);

    let mut mention =
        self::event(json!({ "event_type": "a.b", "actor_id": "bob", "error_message": "no alice-7, Alice Doe" }));
    assert!(alice().erase_audit(&mut mention));
    assert_eq!(mention.given.error_message.as_deref(), Some("no erased:1, Alice Doe"), "a name may be another's");
}

#[test]
fn who_is_nobody_erased_is_left_as_they_are() {
    let mut event =
        event(json!({ "event_type": "a.b", "actor_id": "alice-70", "meta": { "a": "alice-77", "n": 1.0 } }));
    let before = event.clone();
    assert!(!alice().erase_audit(&mut event));
    assert_eq!(event, before);
}

#[test]
fn a_short_id_is_replaced_only_where_it_stands_for_a_person() {
    let short = erasures(&["u7"], &[]);
    let mut event = event(json!({ "event_type": "a.b", "actor_id": "bob", "resource_id": "u7", "path": "/u7/1" }));
    assert!(short.erase_audit(&mut event));
    assert_eq!(event.given.resource_id.as_deref(), Some(PSEUDO));
    assert_eq!(event.given.path.as_deref(), Some("/u7/1"));
}

#[test]
fn a_number_is_replaced_as_a_whole() {
    let numbered = erasures(&["1234567"], &[]);
    let mut event = event(json!({ "event_type": "a.b", "meta": { "a": 1234567, "b": 1234567.5, "c": 71234567 } }));
    assert!(numbered.erase_audit(&mut event));
    assert_eq!(event.given.meta.unwrap().as_str(), r#"{"a":"erased:1","b":1234567.5,"c":71234567}"#);
}

#[test]
fn the_user_of_traffic_is_erased_with_the_names_that_they_are_known_by() {
    let mut given = Reported {
        user: User { id: Some("alice-7".into()), email: Some("a@b.c".into()), name: Some("Alice".into()) },
        ..Reported::default()
    };
    given.source.id = Some("p1".into());
    given.source.name = Some("alice doe's laptop".into());
    given.source.address = Some("203.0.113.7:443".into());
    given.destination.address = Some("10.0.0.1:443".into());
    assert!(alice().erase_traffic(&mut given));
    assert_eq!(given.user, User { id: Some(PSEUDO.into()), email: None, name: None });
    assert_eq!(given.source.name.as_deref(), Some("erased:1's laptop"));
    assert_eq!((given.source.id.as_deref(), given.source.address.as_deref()), (Some("p1"), None));
    assert_eq!(given.destination.address.as_deref(), Some("10.0.0.1:443"));
    assert!(!alice().erase_traffic(&mut given));
    // What another report of the same flow adds.
    given.user.email = Some("other@example.com".into());
    assert!(alice().erase_traffic(&mut given));
    assert_eq!(given.user.email, None);
}

#[test]
fn an_entry_of_the_directory_is_gone_by_its_id_or_its_address() {
    for (id, email) in [("alice-7", None), ("other", Some("ALICE@example.com"))] {
        let mut entry = Entry { name: Some("A".into()), email: email.map(str::to_owned), ..Entry::default() };
        assert!(alice().erase_entry(id, &mut entry));
        assert_eq!(entry, Entry { deleted: true, ..Entry::default() });
    }
    let mut entry = Entry { name: Some("laptop of alice-7".into()), ..Entry::default() };
    assert!(alice().erase_entry("p1", &mut entry));
    assert_eq!(entry.name.as_deref(), Some("laptop of erased:1"));
}

#[test]
fn an_erasure_names_nobody() {
    let erasure = Erasure::new([7; 32], ["alice-7", "alice@example.com"], ["Alice Doe"]);
    let text = serde_json::to_string(&erasure).unwrap().to_lowercase();
    assert!(!text.contains("alice") && !text.contains("doe"), "{text}");
    assert_eq!(erasure.problem(), None);
    assert!(Erasure::new([7; 32], [], ["Alice Doe"]).problem().is_some());
    let other = Erasure::new([8; 32], ["alice-7"], []);
    assert_ne!(other.ids[0].digest, erasure.ids[0].digest, "each has a key of its own");
}

#[test]
fn what_is_found_begins_and_ends_with_a_word_whatever_stands_around_it() {
    let erasures = erasures(&["müller-1"], &[]);
    for (text, named) in [
        ("müller-1", true),
        ("(MüLLER-1)", true),
        ("x müller-1, y", true),
        ("müller-10", false),
        ("xmüller-1", false),
        ("émüller-1", false),
        ("", false),
    ] {
        assert_eq!(erasures.are_named_in(text), named, "{text}");
    }
    let escaped = Json::parse(r#"{"a":"\\müller-1\\"}"#).unwrap();
    let without = erasures.everywhere.replaced_in(&escaped).unwrap();
    assert_eq!(without.as_str(), r#"{"a":"\\erased:1\\"}"#);
}
