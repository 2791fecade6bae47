//! Which traffic records are wanted.

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use super::{Direction, Endpoint, EventType, Record};
use crate::directory::Named;
use crate::paging::Period;

/// How a flow reached its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Connection {
    /// The reporter is one of the two endpoints.
    #[serde(rename = "P2P")]
    PeerToPeer,
    /// It is neither.
    #[serde(rename = "ROUTED")]
    Routed,
}

/// A filter over traffic records: all given parts must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// The user behind it.
    pub user_id: Option<String>,
    /// Who reported it.
    pub reporter_id: Option<String>,
    /// Where it came from.
    pub source_id: Option<String>,
    /// Where it went.
    pub destination_id: Option<String>,
    /// IANA protocol number; one that does not exist matches nothing.
    pub protocol: Option<i64>,
    /// Has an event of this type.
    pub event_type: Option<EventType>,
    /// How it reached its destination.
    pub connection: Option<Connection>,
    /// Which way it went.
    pub direction: Option<Direction>,
    /// Part of user e-mail address, endpoint names, endpoint addresses; any case, literal.
    pub search: Option<String>,
    /// The record's time.
    pub period: Period,
}

impl Filter {
    /// Whether it lets everything through, but for the period, which the keys answer.
    #[must_use]
    pub fn is_open(&self) -> bool {
        *self == Self { period: self.period, ..Self::default() }
    }

    /// Whether `record` passes, its period aside. `found` holds the ids in the directory that match the search:
    /// they count where the record itself names none.
    #[must_use]
    pub fn matches(&self, record: &Record, found: &Named) -> bool {
        let wants = |wanted: &Option<String>, have: Option<&str>| wanted.is_none() || wanted.as_deref() == have;
        if !wants(&self.user_id, record.user.id.as_deref())
            || !wants(&self.reporter_id, Some(&record.key.reporter_id))
            || !wants(&self.source_id, record.source.id.as_deref())
            || !wants(&self.destination_id, record.destination.id.as_deref())
        {
            return false;
        }
        if self.protocol.is_some_and(|protocol| protocol != i64::from(record.protocol.unwrap_or_default())) {
            return false;
        }
        if self.event_type.is_some_and(|wanted| !record.events.iter().any(|event| event.event_type == wanted)) {
            return false;
        }
        if self.direction.is_some_and(|direction| direction != record.direction) {
            return false;
        }
        if self.connection.is_some_and(|connection| connection != connection_of(record)) {
            return false;
        }
        self.search.as_deref().is_none_or(|search| found_in(record, &search.to_lowercase(), found))
    }
}

fn connection_of(record: &Record) -> Connection {
    let reporter = Some(record.key.reporter_id.as_str());
    if record.source.id.as_deref() == reporter || record.destination.id.as_deref() == reporter {
        Connection::PeerToPeer
    } else {
        Connection::Routed
    }
}

fn found_in(record: &Record, needle: &str, found: &Named) -> bool {
    let contains = |own: Option<&str>, id: Option<&str>, by_id: &HashSet<String>| match own {
        Some(text) => text.to_lowercase().contains(needle),
        None => id.is_some_and(|id| by_id.contains(id)),
    };
    let endpoint_matches = |endpoint: &Endpoint| {
        let id = endpoint.id.as_deref();
        contains(endpoint.name.as_deref(), id, &found.endpoint_names)
            || contains(endpoint.address.as_deref(), id, &found.endpoint_addresses)
    };
    contains(record.user.email.as_deref(), record.user.id.as_deref(), &found.user_emails)
        || endpoint_matches(&record.source)
        || endpoint_matches(&record.destination)
}
