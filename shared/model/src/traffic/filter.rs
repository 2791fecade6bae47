//! Which traffic records are wanted.

use serde::{Deserialize, Serialize};

use super::values::{Direction, EventType};
use crate::paging::Period;

/// How a flow reached its destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Connection {
    /// The reporter is one of the two endpoints.
    #[serde(rename = "P2P")]
    PeerToPeer,
    /// Neither endpoint is the reporter.
    #[serde(rename = "ROUTED")]
    Routed,
}

/// A filter over traffic records: all given parts must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// The user behind it.
    pub user_id: Option<String>,
    /// By the reporter's id, which records have even where reports name none.
    pub reporter_id: Option<String>,
    /// From the endpoint of this id.
    pub source_id: Option<String>,
    /// To the endpoint of this id.
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
    /// Which times: a record's is that of its earliest event.
    pub period: Period,
}
