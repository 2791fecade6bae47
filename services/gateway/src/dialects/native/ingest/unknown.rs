//! Members of traffic reports that no field holds, of which their sender is told.

use std::collections::BTreeSet;

use model::traffic::unknown_members;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::family::Family;

/// How many names are told.
const MAX_NAMES: usize = 100;

#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    data: &'a RawValue,
}

/// The names of all members in reports that are no fields, each once.
pub(super) fn members(family: Family, events: &[String]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    if family == Family::Audit {
        return names;
    }
    for event in events {
        // They were read before, so they read again; and none that is told of may be missed.
        let Ok(Envelope { data }) = serde_json::from_str(event) else { continue };
        names.extend(unknown_members(data.get().as_bytes()));
        if names.len() >= MAX_NAMES {
            break;
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_is_told_once() {
        let event = r#"{"id":"1","data":{"flow_id":"f","protcol":6,"user":{"mail":1}}}"#;
        let told = members(Family::Traffic, &[event.to_owned(), event.to_owned()]);
        assert_eq!(told.iter().map(String::as_str).collect::<Vec<_>>(), ["protcol", "user.mail"]);
    }

    #[test]
    fn what_an_audit_event_says_is_kept_in_its_meta() {
        assert!(members(Family::Audit, &[r#"{"data":{"event_type":"a","more":1}}"#.to_owned()]).is_empty());
    }
}
