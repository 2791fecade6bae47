//! What was done to an integration, by whom, and how it changed; secrets masked.

use std::collections::BTreeMap;

use bus::{Bus, LoadError, Message};
use feed::read::events_in;
use model::access::Actor;
use model::delivery::Change;
use model::event::Event as Any;
use model::integration::{Event, Integration, Recorded, shown};
use model::log::{AccountId, Subject};
use serde_json::{Value, json};

use crate::desired::Followed;

/// An integration as its events tell it.
///
/// # Errors
/// When the log cannot be read.
pub(crate) async fn followed(bus: &Bus, account: &AccountId, id: u64) -> Result<Followed, LoadError> {
    let mut followed = Followed::default();
    for (message, recorded) in events(bus, account, id).await? {
        followed.apply(message.position.sequence, message.received_at, recorded);
    }
    Ok(followed)
}

/// What was done to an integration, newest first; none when it is not there (any more).
///
/// # Errors
/// When the log cannot be read.
pub(crate) async fn of(bus: &Bus, account: &AccountId, id: u64) -> Result<Option<Vec<Change>>, LoadError> {
    let mut integration = Integration::default();
    let mut changes = Vec::new();
    for (message, recorded) in events(bus, account, id).await? {
        let before = values(&integration);
        let (name, by) = said(&recorded.event);
        let (name, by) = (name.to_owned(), by.clone());
        let (event_id, time, changed) = (recorded.event_id.clone(), recorded.time, changed(&recorded.event));
        integration.apply(recorded.event, time);
        let after = values(&integration);
        let of_changed = |values: BTreeMap<String, Value>| {
            values.into_iter().filter(|(key, _)| changed.contains(key)).collect::<BTreeMap<_, _>>()
        };
        changes.push(Change {
            id: event_id,
            sequence: message.position.sequence,
            time,
            event: name,
            by,
            before: of_changed(before),
            after: of_changed(after),
            changed,
        });
    }
    changes.reverse();
    Ok(matches!(integration, Integration::Present(_)).then_some(changes))
}

async fn events(bus: &Bus, account: &AccountId, id: u64) -> Result<Vec<(Message, Recorded)>, LoadError> {
    let subject = Subject::integration(account, id);
    let messages = bus.load(&subject).await?;
    let of_message = |message: Message| {
        let events = events_in(&subject, &message);
        events.into_iter().filter_map(move |event| match event {
            Any::Integration(recorded) => Some((message.clone(), recorded)),
            Any::Audit(_) | Any::Traffic(_) | Any::Access(_) | Any::Directory { .. } | Any::Delivery(_) => None,
        })
    };
    Ok(messages.into_iter().flat_map(of_message).collect())
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
        shown(&current.config).into_iter().map(|(key, text)| (key, Value::String(text))).collect();
    values.insert("enabled".to_owned(), json!(current.enabled));
    values.insert("paused".to_owned(), json!(current.paused));
    values
}
