//! What was done to an integration, by whom, and how it changed; secrets masked.

use std::collections::{BTreeMap, VecDeque};

use bus::{Bus, LoadError, Message};
use feed::read::events_in;
use model::access::Actor;
use model::delivery::Change;
use model::event::Event as Any;
use model::integration::{Event, Integration, Recorded};
use model::log::{AccountId, Subject};
use serde_json::{Value, json};

use crate::desired::Followed;

/// An integration as its events tell it.
///
/// # Errors
/// When the log cannot be read.
pub(crate) async fn followed(bus: &Bus, account: &AccountId, id: u64) -> Result<Followed, LoadError> {
    let mut followed = Followed::default();
    let take = |sequence, received_at, recorded| followed.apply(sequence, received_at, recorded);
    read(bus, account, id, take).await?;
    Ok(followed)
}

/// The most changes that are told, and the most bytes of values in them. Who asks for the history wants the newest, and
/// an answer that no message can carry tells nothing.
const CHANGES: usize = 1_000;
const CHANGES_BYTES: usize = 4 << 20;

/// The newest changes, within those bounds.
#[derive(Default)]
struct Newest {
    changes: VecDeque<(usize, Change)>,
    bytes: usize,
}

impl Newest {
    fn push(&mut self, change: Change) {
        let size = |values: &BTreeMap<String, Value>| {
            values.iter().map(|(key, value)| key.len() + value.as_str().map_or(0, str::len)).sum::<usize>()
        };
        let bytes = size(&change.before) + size(&change.after);
        self.bytes += bytes;
        self.changes.push_front((bytes, change));
        while self.changes.len() > CHANGES || (self.bytes > CHANGES_BYTES && self.changes.len() > 1) {
            let oldest = self.changes.pop_back();
            self.bytes -= oldest.map_or(0, |(bytes, _)| bytes);
        }
    }
}

/// What was done to an integration, newest first, as far as [`Newest`] goes back; none when it is not there (any more).
///
/// # Errors
/// When the log cannot be read.
pub(crate) async fn of(bus: &Bus, account: &AccountId, id: u64) -> Result<Option<Vec<Change>>, LoadError> {
    let mut integration = Integration::default();
    let mut newest = Newest::default();
    let take = |sequence, _, recorded| newest.push(apply(&mut integration, sequence, recorded));
    read(bus, account, id, take).await?;
    let changes = newest.changes.into_iter().map(|(_, change)| change).collect();
    Ok(matches!(integration, Integration::Present(_)).then_some(changes))
}

/// Applies an event, and says what it changed.
fn apply(integration: &mut Integration, sequence: u64, recorded: Recorded) -> Change {
    let before = values(integration);
    let (name, by) = said(&recorded.event);
    let (name, by) = (name.to_owned(), by.clone());
    let (id, time, changed) = (recorded.event_id, recorded.time, changed(&recorded.event));
    integration.apply(recorded.event, time);
    let of_changed = |values: BTreeMap<String, Value>| {
        values.into_iter().filter(|(key, _)| changed.contains(key)).collect::<BTreeMap<_, _>>()
    };
    let (before, after) = (of_changed(before), of_changed(values(integration)));
    Change { id, sequence, time, event: name, by, before, after, changed }
}

/// Hands over the integration's events, oldest first, each with its sequence and when the log received it.
async fn read(
    bus: &Bus,
    account: &AccountId,
    id: u64,
    mut take: impl FnMut(u64, i64, Recorded),
) -> Result<(), LoadError> {
    let subject = Subject::integration(account, id);
    let take_all = |message: Message| {
        for event in events_in(&subject, &message) {
            match event {
                Any::Integration(recorded) => take(message.position.sequence, message.received_at, recorded),
                Any::Audit(_)
                | Any::Traffic(_)
                | Any::Access(_)
                | Any::Directory { .. }
                | Any::Search(_)
                | Any::Delivery(_) => {}
            }
        }
    };
    bus.read_each(&subject, 0, take_all).await
}

/// What happened, in a word, and who did it.
fn said(event: &Event) -> (&'static str, &Actor) {
    match event {
        Event::Created(data) => ("created", &data.by),
        Event::Updated(data) => ("updated", &data.by),
        Event::Deleted(data) => ("deleted", &data.by),
        Event::Paused(data) => ("paused", &data.by),
        Event::Resumed(data) => ("resumed", &data.by),
        Event::ReplayRequested(data) => ("replay_requested", &data.by),
        Event::RedriveRequested(data) => ("redrive_requested", &data.by),
    }
}

/// The keys that an event changed; pausing counts as one.
fn changed(event: &Event) -> Vec<String> {
    match event {
        Event::Created(data) => data.config.keys().cloned().chain(["enabled".to_owned()]).collect(),
        Event::Updated(data) => data.changed.clone(),
        Event::Paused(_) | Event::Resumed(_) => vec!["paused".to_owned()],
        Event::Deleted(_) | Event::ReplayRequested(_) | Event::RedriveRequested(_) => Vec::new(),
    }
}

/// Everything about an integration that can change, as its account may see it.
fn values(integration: &Integration) -> BTreeMap<String, Value> {
    let Integration::Present(current) = integration else { return BTreeMap::new() };
    let mut values: BTreeMap<String, Value> =
        current.platform.shown(&current.config).into_iter().map(|(key, text)| (key, Value::String(text))).collect();
    values.insert("enabled".to_owned(), json!(current.enabled));
    values.insert("paused".to_owned(), json!(current.paused));
    values
}
