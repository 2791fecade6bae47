//! A traffic record: one reporter's view of one flow, folded from its reports.
//!
//! Invariant: [`Record::merge`] is commutative, associative and idempotent, so any order of the same reports,
//! and any repetition, gives the same record: of two values the known one stands, of two known the greater.
//!
//! What is folded has texts of its own. What is only shown borrows them from where it was read: a page of a list has
//! thousands.

use std::collections::BTreeSet;
use std::convert::Infallible;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use ulid::Ulid;

use super::fields::{Endpoint, Field, Reported, Visit};
use super::filter::Connection;
use super::report::Report;
use super::values::{EventType, SubEvent, Value};
use crate::directory::{Kind, Names};
use crate::endpoint::EndpointType;
use crate::time::Timestamp;

/// What makes a record, inside its account: two reports with the same key are of the same record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RecordKey<S = String> {
    /// As the report names it, else as its subject does.
    pub reporter_id: S,
    /// As the report names it, else its event id.
    pub flow_id: S,
    /// The window's start, where the reporter sums up by windows.
    pub window_start: Option<Timestamp>,
}

impl<S: AsRef<str>> RecordKey<S> {
    /// The record's id, made from the key so that it is the same after every replay.
    #[must_use]
    pub fn id(&self) -> Ulid {
        let mut hash = Sha256::new();
        for part in [self.reporter_id.as_ref(), self.flow_id.as_ref()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part.as_bytes());
        }
        hash.update(self.window_start.map_or([0; 8], Timestamp::to_sortable));
        let digest = hash.finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        Ulid::from_bytes(bytes)
    }
}

/// One reporter's view of one flow; its texts are `S`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record<S = String> {
    /// What its reports have in common.
    pub key: RecordKey<S>,
    /// When the log first received a report of it.
    pub received_at: Timestamp,
    /// What the reports say, folded; what is in `key` and `events` is empty here.
    pub given: Reported<S>,
    /// What happened, ordered by time. Invariant: never empty.
    pub events: BTreeSet<SubEvent>,
}

/// The record that a report alone would make. It borrows the report's texts, for most are only written.
impl<'a> From<&'a Report> for Record<&'a str> {
    fn from(report: &'a Report) -> Self {
        let reported = &*report.data;
        let mut events: BTreeSet<SubEvent> = reported.events.iter().copied().collect();
        if reported.event_type.is_some() || events.is_empty() {
            let event_type = reported.event_type.unwrap_or_default();
            events.insert(SubEvent { timestamp: report.time, event_type });
        }
        let key = RecordKey {
            reporter_id: reported.reporter_id.as_deref().unwrap_or(&report.subject_reporter),
            flow_id: reported.flow_id.as_deref().unwrap_or(&report.id),
            window_start: reported.window_start,
        };
        // What is in the key and the events is not in the table, and so stays empty here.
        let mut given = Reported::default();
        let Ok(()) = given.each(reported, &mut WithTexts(String::as_str));
        Self { key, received_at: report.received_at, given, events }
    }
}

impl<S: Ord + Clone> Record<S> {
    /// Folds in another record with the same key.
    pub fn merge(&mut self, other: &Self) {
        self.received_at = self.received_at.min(other.received_at);
        let Ok(()) = self.given.each(&other.given, &mut KeepGreater);
        self.events.extend(&other.events);
    }
}

impl<S> Record<S> {
    /// The same with other texts.
    pub fn with_texts<'a, T: Default>(&'a self, text: impl Fn(&'a S) -> T + Copy) -> Record<T> {
        let mut given = Reported::default();
        let Ok(()) = given.each(&self.given, &mut WithTexts(text));
        let key = RecordKey {
            reporter_id: text(&self.key.reporter_id),
            flow_id: text(&self.key.flow_id),
            window_start: self.key.window_start,
        };
        Record { key, received_at: self.received_at, given, events: self.events.clone() }
    }

    /// The record's time, by which lists are ordered: its earliest event's.
    #[must_use]
    pub fn time(&self) -> Timestamp {
        self.events.first().map_or(self.received_at, |event| event.timestamp)
    }

    /// How many events of a type there were: as reported, or as many as are known, the greater.
    #[must_use]
    pub fn count(&self, event_type: EventType) -> u64 {
        let known = self.events.iter().filter(|event| event.event_type == event_type).count() as u64;
        let given = match event_type {
            EventType::Start => self.given.num_of_starts,
            EventType::End => self.given.num_of_ends,
            EventType::Drop => self.given.num_of_drops,
            EventType::Unknown => 0,
        };
        known.max(given)
    }

    /// The window's start; default: the earliest event's time.
    #[must_use]
    pub fn window_start(&self) -> Timestamp {
        self.key.window_start.unwrap_or_else(|| self.time())
    }

    /// The window's end; default: the latest event's time.
    #[must_use]
    pub fn window_end(&self) -> Timestamp {
        let latest = || self.events.last().map_or(self.received_at, |event| event.timestamp);
        self.given.window_end.unwrap_or_else(latest)
    }
}

impl<S: AsRef<str>> Record<S> {
    /// The same with texts of its own.
    #[must_use]
    pub fn owned(&self) -> Record {
        self.with_texts(|text| text.as_ref().to_owned())
    }

    /// How the flow reached its destination: the reporter is one of the two endpoints, or neither.
    #[must_use]
    pub fn connection(&self) -> Connection {
        let is_reporter = |id: &Option<S>| id.as_ref().is_some_and(|id| id.as_ref() == self.key.reporter_id.as_ref());
        if is_reporter(&self.given.source.id) || is_reporter(&self.given.destination.id) {
            Connection::PeerToPeer
        } else {
            Connection::Routed
        }
    }
}

impl<S: AsRef<str> + From<String>> Record<S> {
    /// Fills in what the directory knows and the reports left out.
    pub fn fill_in(&mut self, names: &impl Names) {
        let Reported { source, destination, user, policy, .. } = &mut self.given;
        fill_in_endpoint(source, names);
        fill_in_endpoint(destination, names);
        if let Some(known) = user.id.as_ref().and_then(|id| names.entry(Kind::User, id.as_ref())) {
            fill(&mut user.email, known.email);
            fill(&mut user.name, known.name);
        }
        if let Some(known) = policy.id.as_ref().and_then(|id| names.entry(Kind::Policy, id.as_ref())) {
            fill(&mut policy.name, known.name);
        }
    }
}

/// Of two values the known one stands, of two known the greater.
struct KeepGreater;

impl<'a, S: Ord + Clone> Visit<'a, S, S> for KeepGreater {
    type Error = Infallible;

    #[inline]
    fn text(&mut self, _: Field, mine: &mut Option<S>, other: &'a Option<S>) -> Result<(), Infallible> {
        if other > mine {
            mine.clone_from(other);
        }
        Ok(())
    }

    #[inline]
    fn value<V: Value>(&mut self, _: Field, mine: &mut V, other: &'a V) -> Result<(), Infallible> {
        *mine = (*other).max(*mine);
        Ok(())
    }
}

impl<S> Endpoint<S> {
    /// The same with other texts.
    pub fn with_texts<'a, T: Default>(&'a self, text: impl Fn(&'a S) -> T) -> Endpoint<T> {
        let mut endpoint = Endpoint::default();
        let Ok(()) = endpoint.each(self, &mut WithTexts(text));
        endpoint
    }
}

/// Copies all, with texts made of texts.
struct WithTexts<F>(F);

impl<'a, S: 'a, T, F: Fn(&'a S) -> T> Visit<'a, T, S> for WithTexts<F> {
    type Error = Infallible;

    #[inline]
    fn text(&mut self, _: Field, copy: &mut Option<T>, original: &'a Option<S>) -> Result<(), Infallible> {
        *copy = original.as_ref().map(&self.0);
        Ok(())
    }

    #[inline]
    fn value<V: Value>(&mut self, _: Field, copy: &mut V, original: &'a V) -> Result<(), Infallible> {
        *copy = *original;
        Ok(())
    }
}

fn fill<S: From<String>>(mine: &mut Option<S>, known: Option<String>) {
    if mine.is_none() {
        *mine = known.map(S::from);
    }
}

fn fill_in_endpoint<S: AsRef<str> + From<String>>(endpoint: &mut Endpoint<S>, names: &impl Names) {
    let Some(id) = endpoint.id.as_ref().map(AsRef::as_ref) else { return };
    let peer = names.entry(Kind::Peer, id).map(|entry| (entry, EndpointType::Peer));
    let known = peer.or_else(|| Some((names.entry(Kind::Resource, id)?, EndpointType::HostResource)));
    let Some((known, default_type)) = known else { return };
    fill(&mut endpoint.name, known.name);
    fill(&mut endpoint.os, known.os);
    fill(&mut endpoint.address, known.address);
    fill(&mut endpoint.dns_label, known.dns_label);
    fill(&mut endpoint.geo_location.city_name, known.geo_location.city_name);
    fill(&mut endpoint.geo_location.country_code, known.geo_location.country_code);
    if endpoint.endpoint_type == EndpointType::Unknown {
        endpoint.endpoint_type = known.endpoint_type.unwrap_or(default_type);
    }
}
