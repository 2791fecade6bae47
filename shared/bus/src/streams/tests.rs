use model::log::Stream;

use super::*;

fn definition(settings: &Value) -> Definition {
    Definition { name: "S".to_owned(), settings: settings.as_object().unwrap().clone() }
}

#[test]
fn every_stream_of_the_log_is_defined() {
    let defined: Vec<String> = definitions(DEFINITIONS).unwrap().into_iter().map(|one| one.name).collect();
    for stream in Stream::ALL {
        assert!(defined.contains(&stream.name().to_owned()), "{stream}");
    }
}

#[test]
fn every_stream_is_read_out_into_a_backup() {
    let mut defined: Vec<String> = definitions(DEFINITIONS).unwrap().into_iter().map(|one| one.name).collect();
    let mut read_out = crate::SNAPSHOT_ORDER;
    defined.sort();
    read_out.sort_unstable();
    assert_eq!(defined, read_out);
}

#[test]
fn a_setting_that_the_server_ignored_is_named() {
    let wanted = definition(&json!({ "allow_atomic": true }));
    let refused = wanted.check(&json!({ "config": { "name": "S" } })).unwrap_err();
    assert_eq!(refused.to_string(), "stream S: allow_atomic is null, but must be true");
}

#[test]
fn a_default_that_the_server_leaves_out_is_no_difference() {
    let wanted = definition(&json!({ "deny_purge": false, "max_age": 0 }));
    assert!(wanted.check(&json!({ "config": {} })).is_ok());
}

#[test]
fn an_update_keeps_what_is_the_operators() {
    let found = json!({ "config": { "max_age": 1, "description": "old", "allow_direct": false, "num_replicas": 3 } });
    let wanted = definition(&json!({ "max_age": 5, "description": "new", "allow_direct": true })).of_existing(&found);
    assert!(wanted.check(&found).is_err());
    let kept = json!({ "max_age": 1, "description": "old", "allow_direct": true, "num_replicas": 3 });
    assert_eq!(wanted.over(&found), kept);
}

#[test]
fn ids_are_remembered_for_no_longer_than_messages_are_kept() {
    for (max_age, window) in [(0, 120), (60, 60), (120, 120), (600, 120)] {
        let found = json!({ "config": { "max_age": max_age, "duplicate_window": window } });
        let wanted = definition(&json!({ "max_age": 0, "duplicate_window": 120 })).of_existing(&found);
        assert!(wanted.check(&found).is_ok(), "{max_age}");
        let other = json!({ "config": { "max_age": max_age, "duplicate_window": window - 1 } });
        assert!(wanted.check(&other).is_err(), "{max_age}");
    }
}
