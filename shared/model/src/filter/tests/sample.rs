//! Events of what their JSON says.

use std::collections::BTreeSet;
use std::convert::Infallible;

use serde_json::Value;

use crate::audit;
use crate::time::Timestamp;
use crate::traffic::fields::{Field, Visit};
use crate::traffic::{self, Record, Report, Reported};

fn time_of(data: &Value) -> Timestamp {
    data.get("time").and_then(Value::as_str).map_or(Timestamp::EPOCH, |time| Timestamp::parse(time).unwrap())
}

/// The audit event of a `data`, whose id is `e` and whose time is its `time`.
pub(super) fn audit_event(data: &Value) -> audit::Event {
    let time = time_of(data);
    let mut data = data.clone();
    data.as_object_mut().unwrap().remove("time");
    let fields: audit::Fields = serde_json::from_value(data).unwrap();
    let context = audit::Context { id: "e", source: "/test", time: Some(time), received_at: time };
    audit::Event::new(context, fields).unwrap()
}

/// The report of a `data`, as an envelope is read.
pub(super) fn report(data: &Value) -> Report {
    let time = time_of(data);
    let mut reported: Reported = serde_json::from_value(data.clone()).unwrap();
    reported.spell_addresses();
    Report { id: "e".into(), time, received_at: time, subject_reporter: "gw".into(), data: Box::new(reported) }
}

pub(super) fn traffic_record(data: &Value) -> Record {
    Record::from(&report(data)).owned()
}

/// The paths of all fields that a record keeps of its reports.
pub(super) fn paths_of_reports() -> BTreeSet<String> {
    #[derive(Default)]
    struct Paths(&'static str, BTreeSet<String>);

    impl Paths {
        fn add(&mut self, field: Field) {
            let part = match (self.0, field.name) {
                ("", _) => String::new(),
                (part, "city_name" | "country_code") => format!("{part}.geo_location."),
                (part, _) => format!("{part}."),
            };
            self.1.insert(part + field.name);
        }
    }

    impl<'a> Visit<'a, (), ()> for Paths {
        type Error = Infallible;

        fn enter(&mut self, part: &'static str) {
            self.0 = part;
        }

        fn text(&mut self, field: Field, _: &mut Option<()>, _: &'a Option<()>) -> Result<(), Infallible> {
            self.add(field);
            Ok(())
        }

        fn value<V: traffic::Value>(&mut self, field: Field, _: &mut V, _: &'a V) -> Result<(), Infallible> {
            self.add(field);
            Ok(())
        }
    }

    let mut paths = Paths::default();
    let Ok(()) = Reported::default().each(&Reported::default(), &mut paths);
    paths.1
}
