//! Cursors over events of several streams, whose ids need not differ.

use model::access::Actor;
use model::audit::Filter;
use model::event::Event;
use model::integration::{self, Deleted, Platform};
use model::log::Stream;
use model::paging::{Page, Start};
use views::Views;

use super::{account, answer, at, audit_event, open, project};

/// Two events of the same id and time, one of the audit stream, one derived from the integration stream.
fn with_twins(views: &Views) {
    let by = Actor { id: "root".into(), name: None, email: None };
    let deleted = integration::Event::Deleted(Deleted { platform: Platform::Datadog, by });
    let recorded = integration::Recorded { event_id: "e1".into(), time: at(1), id: 1, event: deleted };
    project(views, views::audit::VIEW, Stream::Integration, 1, &[(account("main"), Event::Integration(recorded))]);
    let events = [("e0", 1), ("e1", 1), ("e2", 1)].map(|(id, at)| (account("main"), audit_event(id, at, "a.b")));
    project(views, views::audit::VIEW, Stream::Audit, 1, &events);
}

fn list(views: &Views, start: Start) -> (Vec<String>, Option<Start>) {
    let page = Page { start, ..Page::newest(1) };
    let rows = answer(views, views::audit::List { account: account("main"), filter: Filter::default(), q: None, page });
    let shown = rows.rows.iter().map(|event| format!("{} {}", event.id, event.event_type));
    (shown.collect(), rows.next.map(Start::After))
}

#[test]
fn pages_show_an_event_whose_id_and_time_another_stream_has_too() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    with_twins(&views);
    let mut seen = Vec::new();
    let mut start = Some(Start::Offset(0));
    while let Some(from) = start {
        let (shown, next) = list(&views, from);
        seen.extend(shown);
        start = next;
    }
    assert_eq!(seen, ["e2 a.b", "e1 integration.delete", "e1 a.b", "e0 a.b"]);
}

#[test]
fn a_position_that_is_an_id_and_no_more_still_leads_on() {
    let directory = tempfile::tempdir().unwrap();
    let views = open(directory.path());
    with_twins(&views);
    let (_, Some(Start::After(mut position))) = list(&views, Start::Offset(0)) else { panic!("there are more") };
    position.id = "e1".to_owned();
    assert_eq!(list(&views, Start::After(position)).0, ["e0 a.b"]);
}
