//! What filters mean, row by row, apart from what the views find and count by columns.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod audit;
mod counts;
mod flows;
mod language;
mod traffic;

use std::path::Path;

use model::event::Event;
use model::log::{AccountId, LogPosition, Stream};
use model::time::Timestamp;
use proptest::prelude::*;
use proptest::sample::select;
use views::store::{Batch, Checkpoint};
use views::{Ask, Logged, Question, Refused, View, Views};

fn account() -> AccountId {
    AccountId::parse("main").unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_micros(second * 1_000_000).unwrap()
}

fn project(directory: &Path, view: View, stream: Stream, events: &[Event]) -> Views {
    let views = Views::open(directory, 64 << 20).unwrap();
    project_into(&views, view, stream, events);
    views
}

fn project_into(views: &Views, view: View, stream: Stream, events: &[Event]) {
    // Several commits, and not thousands of them.
    let commits = events.chunks(9.max(events.len() / 20));
    for (sequence, events) in (1..).zip(commits) {
        let mut batch = Batch::new(views.slot(view).store());
        for event in events {
            let logged = Logged { account: &account(), position: LogPosition { stream, sequence }, event, draft: None };
            match view.project(&mut batch, logged) {
                Ok(()) | Err(Refused::DeadLetter(_)) => {}
                Err(Refused::Failed(error)) => panic!("{error}"),
            }
        }
        let checkpoint = Checkpoint { sequence, fingerprint: "f".into(), stream_created: 1 };
        batch.commit(stream, &checkpoint).unwrap();
    }
}

fn answer<Q: Question>(views: &Views, question: Q) -> Q::Answer {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(views.ask(Ask { at_least: Vec::new(), question })).unwrap().answer
}

/// How many cases a property is tried with, each with many questions: as many as `FLOWTRAIL_FILTER_SEEDS` says, or as are
/// quickly tried.
#[expect(clippy::disallowed_methods, reason = "it is a setting of the tests alone")]
fn cases(usual: u32) -> ProptestConfig {
    let asked = std::env::var("FLOWTRAIL_FILTER_SEEDS").ok();
    let cases = asked.map_or(usual, |cases| cases.parse().unwrap());
    ProptestConfig { cases, ..ProptestConfig::default() }
}

/// A text out of a few, or none.
fn text(texts: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    prop::option::of(select(texts).prop_map(str::to_owned))
}

const IDS: &[&str] = &["a", "b", "gw"];

/// One end of a period, or none.
fn second() -> impl Strategy<Value = Option<Timestamp>> {
    prop::option::of((-4_i64..9).prop_map(at))
}
