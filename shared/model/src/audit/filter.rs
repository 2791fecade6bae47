//! Which audit events are wanted.

use serde::{Deserialize, Serialize};

use super::Event;
use crate::directory::Named;
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
    /// Done by whom vRNI shows as this: [`Event::user_name`], with the directory's names.
    pub user_name: Option<String>,
    /// Came from this address.
    pub ip_address: Option<String>,
    /// Done to this kind of resource.
    pub resource_type: Option<String>,
    /// This was done: [`Event::operation`].
    pub operation: Option<String>,
    /// It ended like this: [`Event::response`].
    pub response: Option<String>,
    /// Part of activity, type, actor (id, name, address), resource or payload; any case, literal.
    pub search: Option<String>,
    /// Of this group; an empty text is a group too.
    pub event_group: Option<String>,
    /// Ended so.
    pub status: Option<String>,
    /// Of the user with this number, which may be one that no event can have.
    pub user_id: Option<i128>,
    /// Of this virtual machine.
    pub vm_id: Option<String>,
    /// Of this session.
    pub session_id: Option<String>,
}

impl Filter {
    /// Whether it lets everything through, but for the period, which the keys answer.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.event_types.is_empty()
            && self.actor_id.is_none()
            && self.resource_id.is_none()
            && self.event_group.is_none()
            && self.status.is_none()
            && self.user_id.is_none()
            && self.vm_id.is_none()
            && self.session_id.is_none()
            && self.user_name.is_none()
            && self.ip_address.is_none()
            && self.resource_type.is_none()
            && self.operation.is_none()
            && self.response.is_none()
            && self.search.is_none()
    }

    /// Whether `event` passes, its period aside. `found` holds the ids of the users in the directory whose
    /// name or address matches the search, or is the wanted user name: they count where the event itself names none.
    #[must_use]
    pub fn matches(&self, event: &Event, found: &Named) -> bool {
        let given = &event.given;
        if self.event_group.as_deref().is_some_and(|group| group != event.event_group()) {
            return false;
        }
        if self.status.as_deref().is_some_and(|status| status != event.status()) {
            return false;
        }
        if self.user_id.is_some() && self.user_id != given.user_id.map(i128::from) {
            return false;
        }
        if self.vm_id.is_some() && self.vm_id != given.vm_id {
            return false;
        }
        if self.session_id.is_some() && self.session_id != given.session_id {
            return false;
        }
        if !self.event_types.is_empty() && !self.event_types.contains(&event.event_type) {
            return false;
        }
        if self.actor_id.is_some() && self.actor_id != given.actor_id {
            return false;
        }
        if self.resource_id.is_some() && self.resource_id != given.resource_id {
            return false;
        }
        let is_as = |wanted: &Option<String>, own: Option<&str>| wanted.is_none() || wanted.as_deref() == own;
        if !is_as(&self.ip_address, given.ip_address.as_deref())
            || !is_as(&self.resource_type, given.resource_type.as_deref())
            || !is_as(&self.response, Some(event.response()))
            || self.operation.as_ref().is_some_and(|wanted| *wanted != event.operation())
            || self.user_name.as_ref().is_some_and(|wanted| !found.shown_as.is_shown(event, wanted))
        {
            return false;
        }
        let Some(search) = &self.search else { return true };
        let needle = search.to_lowercase();
        let contains = |text: &str| text.to_lowercase().contains(&needle);
        let any = |texts: &[&Option<String>]| texts.iter().any(|text| text.as_deref().is_some_and(contains));
        contains(event.activity())
            || contains(&event.event_type)
            || any(&[&given.actor_id, &given.actor_name, &given.actor_email, &given.resource_id])
            || found.names_user(given.actor_id.as_deref(), given.actor_name.as_deref(), given.actor_email.as_deref())
            || event.event_payload().is_some_and(|payload| contains(payload.as_str()))
            || given.meta.as_ref().is_some_and(|meta| contains(meta.as_str()))
    }
}
