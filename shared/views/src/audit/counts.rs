//! Counts of audit events: by value and by time.

use std::num::NonZeroU32;

use model::audit::Filter;
use model::log::AccountId;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::row::{ADDRESS, RESOURCE, Resource, WHAT, WHO, what, who};
use super::wanted::selected;
use crate::{Error, Question, View, Views, columns};

/// What events are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Facet {
    /// What happened.
    EventType,
    /// The group of that.
    EventGroup,
    /// How it ended.
    Status,
    /// Who did it, by id.
    Actor,
    /// What kind of thing it was done to.
    ResourceType,
    /// Where it came from.
    Address,
}

/// How many audit events match, by value of a facet, the most frequent first. What has no value counts as the empty text.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CountByValue {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub filter: Filter,
    /// By what.
    pub facet: Facet,
}

impl Question for CountByValue {
    type Answer = Vec<(String, u64)>;
    const PATH: &'static str = "audit.count_by_value";

    fn view(&self) -> View {
        View::Audit
    }

    fn answer(&self, views: &Views) -> Result<Self::Answer, Error> {
        let selected = selected(views, &self.account, &self.filter)?;
        selected.count_by_value(self.facet.column(), |symbol| self.facet.name(symbol))
    }
}

/// How many audit events match in each stretch of time, in order; empty stretches are left out.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CountByTime {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub filter: Filter,
    /// The length of a stretch, in seconds. Stretches start at multiples of it since 1970.
    pub seconds: NonZeroU32,
}

impl Question for CountByTime {
    type Answer = Vec<(Timestamp, u64)>;
    const PATH: &'static str = "audit.count_by_time";

    fn view(&self) -> View {
        View::Audit
    }

    fn answer(&self, views: &Views) -> Result<Self::Answer, Error> {
        selected(views, &self.account, &self.filter)?.count_by_time(self.seconds)
    }
}

impl Facet {
    fn column(self) -> usize {
        match self {
            Self::EventType | Self::EventGroup | Self::Status => WHAT,
            Self::Actor => WHO,
            Self::ResourceType => RESOURCE,
            Self::Address => ADDRESS,
        }
    }

    /// What a symbol of the column counts as.
    fn name(self, symbol: &[u8]) -> Result<String, Error> {
        match self {
            Self::EventType => what(symbol).map(|event| event.event_type),
            Self::EventGroup => what(symbol).map(|event| event.event_group().to_owned()),
            Self::Status => what(symbol).map(|event| event.status().to_owned()),
            Self::Actor => who(symbol).map(|given| given.actor_id.unwrap_or_default()),
            Self::ResourceType => columns::read(symbol).map(|resource: Resource<'_>| text(resource.resource_type)),
            Self::Address => columns::read(symbol).map(text),
        }
    }
}

fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}
