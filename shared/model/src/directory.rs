//! The directory: names for the ids that events carry.
//!
//! Names are filled in when a question is answered, never when an event is projected, because a view must not
//! depend on how two streams interleave.

use std::collections::HashSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::endpoint::{EndpointType, GeoLocation};
use crate::json::{filled, or_default};

/// What an id in the directory stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A machine in the network.
    Peer,
    /// A person or program with an account.
    User,
    /// A rule that allows traffic.
    Policy,
    /// A thing behind a routing peer.
    Resource,
}

impl Kind {
    /// One for each CloudEvents type of the directory.
    pub const ALL: [Self; 4] = [Self::Peer, Self::User, Self::Policy, Self::Resource];

    /// The token in subjects.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Peer => "peer",
            Self::User => "user",
            Self::Policy => "policy",
            Self::Resource => "resource",
        }
    }

    /// The CloudEvents type that sets an entry of this kind.
    #[must_use]
    pub const fn event_type(self) -> &'static str {
        match self {
            Self::Peer => "flowtrail.directory.peer.v1",
            Self::User => "flowtrail.directory.user.v1",
            Self::Policy => "flowtrail.directory.policy.v1",
            Self::Resource => "flowtrail.directory.resource.v1",
        }
    }
}

/// The `data` of a directory event: all that is known of an id now. It replaces what was known before.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Entry {
    /// The id; default: the last token of the subject, which it must match.
    #[serde(deserialize_with = "filled")]
    pub id: Option<String>,
    /// The name that lists show.
    #[serde(deserialize_with = "filled")]
    pub name: Option<String>,
    /// A user's e-mail address.
    #[serde(deserialize_with = "filled")]
    pub email: Option<String>,
    /// A peer's operating system.
    #[serde(deserialize_with = "filled")]
    pub os: Option<String>,
    /// A peer's or resource's DNS name.
    #[serde(deserialize_with = "filled")]
    pub dns_label: Option<String>,
    /// A peer's or resource's address.
    #[serde(deserialize_with = "filled")]
    pub address: Option<String>,
    /// What kind of endpoint a peer or resource is.
    #[serde(rename = "type")]
    pub endpoint_type: Option<EndpointType>,
    /// Where a peer or resource is.
    #[serde(deserialize_with = "or_default")]
    pub geo_location: GeoLocation,
    /// Whether it is gone: its id has no name any more.
    #[serde(deserialize_with = "or_default")]
    pub deleted: bool,
}

/// The directory as a question is answered: ids to names.
pub trait Names {
    /// What is known of an id.
    fn entry(&self, kind: Kind, id: &str) -> Option<Entry>;
}

/// The ids whose directory entry matches a search, by what it was that matched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Named {
    /// Users whose name matches.
    pub user_names: HashSet<String>,
    /// Users whose e-mail address matches.
    pub user_emails: HashSet<String>,
    /// Peers and resources whose name matches.
    pub endpoint_names: HashSet<String>,
    /// Peers and resources whose address matches.
    pub endpoint_addresses: HashSet<String>,
}

impl Named {
    /// Takes in an entry if it matches `needle`, which is in lower case.
    pub fn add_if_matching(&mut self, kind: Kind, id: &str, entry: &Entry, needle: &str) {
        let matches = |text: &Option<String>| text.as_deref().is_some_and(|text| text.to_lowercase().contains(needle));
        let (names, second, second_text) = match kind {
            Kind::User => (&mut self.user_names, &mut self.user_emails, &entry.email),
            Kind::Peer | Kind::Resource => (&mut self.endpoint_names, &mut self.endpoint_addresses, &entry.address),
            Kind::Policy => return,
        };
        if matches(&entry.name) {
            names.insert(id.to_owned());
        }
        if matches(second_text) {
            second.insert(id.to_owned());
        }
    }

    /// Whether the directory's name or address of this user counts: it does where the event has none of its own.
    #[must_use]
    pub fn names_user(&self, id: Option<&str>, own_name: Option<&str>, own_email: Option<&str>) -> bool {
        let by = |own: Option<&str>, found: &HashSet<String>| own.is_none() && id.is_some_and(|id| found.contains(id));
        by(own_name, &self.user_names) || by(own_email, &self.user_emails)
    }
}
