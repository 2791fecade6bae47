//! Which audit events are wanted.

use serde::{Deserialize, Serialize};

use crate::paging::Period;

/// A filter over audit events: all given parts must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Filter {
    /// Any of these event types; none given: all.
    pub event_types: Vec<String>,
    /// Done by this actor.
    pub actor_id: Option<String>,
    /// Done to this resource.
    pub resource_id: Option<String>,
    /// Happened in this period.
    pub period: Period,
    /// Done by whom vRNI shows as this: [`Event::user_name`](super::Event::user_name), with the directory's names.
    pub user_name: Option<String>,
    /// Came from this address, one with a port, this network, or the host of this name; exactly, in any spelling.
    pub ip_address: Option<String>,
    /// Done to this kind of resource.
    pub resource_type: Option<String>,
    /// This was done: [`Event::operation`](super::Event::operation).
    pub operation: Option<String>,
    /// It ended like this: [`Event::response`](super::Event::response).
    pub response: Option<String>,
    /// Part of activity, type, actor (id, name, address), resource, IP address or payload; any case, literal.
    pub search: Option<String>,
    /// Of this group; an empty text is a group too.
    pub event_group: Option<String>,
    /// Only events with this status, such as `denied`.
    pub status: Option<String>,
    /// Of the user with this number, which may be one that no event can have.
    pub user_id: Option<i128>,
    /// Of this virtual machine.
    pub vm_id: Option<String>,
    /// Of this session, of whatever machine.
    pub session_id: Option<String>,
    /// Also records of reads, which are else only wanted by their type or group.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub include_reads: bool,
}

impl Filter {
    /// Whether records of reads are left out: nobody asks for them.
    #[must_use]
    pub fn hides_reads(&self) -> bool {
        !self.include_reads && self.event_types.is_empty() && self.event_group.is_none()
    }
}
