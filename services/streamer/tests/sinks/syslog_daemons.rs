//! Ten thousand events of all sizes, to the servers that people run, at their defaults: each is one record with its text,
//! none is forged of a part of another, none is lost.

use model::integration::Platform;
use serde_json::{Value, json};
use streamer::sink::{Item, Outcome};
use streamer::sinks::Sink;

use crate::rsyslog::Rsyslog;
use crate::support::{audit, guard, opened};
use crate::syslog_ng::SyslogNg;

const EVENTS: u64 = 10_000;
/// As many as are sent at once.
const BATCH: u64 = 1_000;
const LARGEST: usize = 200_000;

/// What happened, in words: one in nine with other letters than ASCII's.
fn text(number: u64) -> String {
    let letters = if number.is_multiple_of(9) { "Tür geöffnet" } else { "Door opened" };
    format!("{letters}, the {number}th time")
}

/// An event of up to 200 kB, often with line breaks and what looks like the beginning of a message.
fn event(number: u64) -> Item {
    // Every size from a few bytes to the largest, in no order.
    let size = LARGEST >> (number * 7 % 17);
    let note = "<110>1 2024-01-31T12:00:00Z forged flowtrail - x - a record\n".repeat(size / 60 + 1);
    let payload = json!({ "note": &note[..size.min(note.len())] });
    audit(number, &json!({ "event_type": "door.open", "activity": text(number), "event_payload": payload }))
}

async fn deliver(address: &str, framing: &str) {
    let config = [("address", address), ("tls", "false"), ("framing", framing)];
    let sink = Sink::connect(Platform::Syslog, &opened(Platform::Syslog, &config), &guard()).unwrap();
    for first in (0..EVENTS).step_by(usize::try_from(BATCH).unwrap()) {
        let items: Vec<Item> = (first..first + BATCH).map(event).collect();
        assert_eq!(sink.deliver(&items).await, Outcome::Delivered);
    }
}

/// Whether records, each an id and a text, are the events and nothing else.
fn are_the_events(records: &[(String, String)]) {
    let expected: Vec<(String, String)> = (0..EVENTS).map(|number| (format!("e-{number}"), text(number))).collect();
    let other = records.iter().zip(&expected).find(|(record, event)| record != event);
    assert_eq!(other, None);
    assert_eq!(records.len(), expected.len());
}

/// The id is in `data`, alone or among all of the structured data; a text that is not ASCII may be marked as UTF-8.
fn record(message: &Value) -> (String, String) {
    let data = &message["data"];
    let id = data.as_str().or_else(|| data["flowtrail@32473"]["id"].as_str()).unwrap();
    let text = message["text"].as_str().unwrap();
    (id.to_owned(), text.trim_start_matches('\u{feff}').to_owned())
}

async fn rsyslog_has_every_event(framing: &str) {
    let Some(rsyslog) = Rsyslog::start("", None).await else { return };
    deliver(&rsyslog.address(), framing).await;
    let written = rsyslog.written(usize::try_from(EVENTS).unwrap()).await;
    are_the_events(&written.iter().map(record).collect::<Vec<_>>());
}

async fn syslog_ng_has_every_event(framing: &str) {
    let Some(syslog_ng) = SyslogNg::start().await else { return };
    deliver(&syslog_ng.address(framing), framing).await;
    let written = syslog_ng.written(usize::try_from(EVENTS).unwrap()).await;
    are_the_events(&written.iter().map(record).collect::<Vec<_>>());
}

#[tokio::test]
async fn every_event_is_one_record_of_rsyslog_counted_in_octets() {
    rsyslog_has_every_event("octet_counting").await;
}

#[tokio::test]
async fn every_event_is_one_record_of_rsyslog_on_lines() {
    rsyslog_has_every_event("newline").await;
}

#[tokio::test]
async fn every_event_is_one_record_of_syslog_ng_counted_in_octets() {
    syslog_ng_has_every_event("octet_counting").await;
}

#[tokio::test]
async fn every_event_is_one_record_of_syslog_ng_on_lines() {
    syslog_ng_has_every_event("newline").await;
}
