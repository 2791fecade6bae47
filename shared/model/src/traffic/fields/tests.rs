use std::collections::BTreeSet;
use std::convert::Infallible;

use schemars::schema_for;
use serde_json::{Value as Any, json};

use super::*;

/// The members of a report that a record keeps in another form, or not at all.
const RESOLVED: [&str; 6] = ["flow_id", "type", "reporter_id", "window_start", "events", "account_id"];

/// A report that says something in every field.
fn whole() -> Reported {
    let end = |id: &str| {
        json!({
            "id": id, "type": "PEER", "name": "n", "os": "o", "address": "a", "dns_label": "d",
            "geo_location": { "city_name": "c", "country_code": "DE" },
        })
    };
    let whole = json!({
        "flow_id": "f", "type": "TYPE_END", "reporter_id": "r", "source": end("s"), "destination": end("d"),
        "user": { "id": "u", "email": "e", "name": "n" }, "policy": { "id": "p", "name": "n" },
        "icmp": { "type": 8, "code": 1 }, "protocol": 6, "direction": "EGRESS", "rx_bytes": 1, "rx_packets": 2,
        "tx_bytes": 3, "tx_packets": 4, "num_of_starts": 5, "num_of_ends": 6, "num_of_drops": 7,
        "window_start": "2024-01-31T12:00:00Z", "window_end": "2024-01-31T12:05:00Z",
        "events": [{ "timestamp": "2024-01-31T12:00:00Z", "type": "TYPE_START" }], "account_id": "main",
    });
    serde_json::from_value(whole).unwrap()
}

/// Copies by the table, and notes where in JSON each field is.
#[derive(Default)]
struct Copier {
    part: &'static str,
    paths: Vec<String>,
}

impl Copier {
    fn note(&mut self, field: Field) {
        let part = match (self.part, field.name) {
            ("", _) => String::new(),
            (part, "city_name" | "country_code") => format!("{part}.geo_location."),
            (part, _) => format!("{part}."),
        };
        self.paths.push(part + field.name);
    }
}

impl<'a> Visit<'a, String, String> for Copier {
    type Error = Infallible;

    fn enter(&mut self, part: &'static str) {
        self.part = part;
    }

    fn text(&mut self, field: Field, one: &mut Option<String>, other: &'a Option<String>) -> Result<(), Infallible> {
        one.clone_from(other);
        self.note(field);
        Ok(())
    }

    fn value<V: Value>(&mut self, field: Field, one: &mut V, other: &'a V) -> Result<(), Infallible> {
        *one = *other;
        self.note(field);
        Ok(())
    }
}

/// The paths of all members, each of which says something.
fn paths(value: &Any, path: &str, found: &mut BTreeSet<String>) {
    match value {
        Any::Object(members) if path != "icmp" => {
            for (name, value) in members {
                paths(value, format!("{path}.{name}").trim_start_matches('.'), found);
            }
        }
        Any::Null => panic!("{path}"),
        _ => {
            found.insert(path.to_owned());
        }
    }
}

#[test]
fn every_member_is_in_the_table_or_resolved() {
    let mut members = BTreeSet::new();
    paths(&serde_json::to_value(whole()).unwrap(), "", &mut members);
    let schema = schema_for!(Reported);
    let of_report: BTreeSet<&str> =
        schema.get("properties").unwrap().as_object().unwrap().keys().map(String::as_str).collect();
    let said: BTreeSet<&str> = members.iter().map(|path| path.split('.').next().unwrap()).collect();
    assert_eq!(of_report, said, "the report of this test says something in every field");

    let (mut copy, mut copier) = (Reported::default(), Copier::default());
    let original = whole();
    let Ok(()) = copy.each(&original, &mut copier);
    let rows: BTreeSet<String> = copier.paths.iter().cloned().collect();
    assert_eq!(rows.len(), copier.paths.len(), "no field is twice in the table");
    let resolved = RESOLVED.map(str::to_owned);
    assert_eq!(members, rows.into_iter().chain(resolved).collect());

    // Each row is of the one member whose name it has.
    let Reported { flow_id, event_type, reporter_id, window_start, events, account_id, .. } = original;
    let copy = Reported { flow_id, event_type, reporter_id, window_start, events, account_id, ..copy };
    assert_eq!(copy, whole());
}
