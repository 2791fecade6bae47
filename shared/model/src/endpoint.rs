//! What traffic and the directory both say of an endpoint.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::json::filled;

/// What kind of thing an endpoint is. Unknown sorts first, so that folding prefers what is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[expect(missing_docs, reason = "the names say it")]
pub enum EndpointType {
    #[default]
    Unknown,
    Peer,
    HostResource,
    SubnetResource,
    DomainResource,
    Route,
}

impl EndpointType {
    /// Its name in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "UNKNOWN",
            Self::Peer => "PEER",
            Self::HostResource => "HOST_RESOURCE",
            Self::SubnetResource => "SUBNET_RESOURCE",
            Self::DomainResource => "DOMAIN_RESOURCE",
            Self::Route => "ROUTE",
        }
    }
}

/// Where an endpoint is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, bound(deserialize = "S: From<String> + Default"))]
#[schemars(rename = "GeoLocation", bound = "S: JsonSchema + Serialize + Default")]
pub struct GeoLocation<S = String> {
    /// The city's name, as the publisher writes it.
    #[serde(deserialize_with = "filled")]
    pub city_name: Option<S>,
    /// The country's ISO code.
    #[serde(deserialize_with = "filled")]
    pub country_code: Option<S>,
}
