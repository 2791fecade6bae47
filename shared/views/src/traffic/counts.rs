//! Counts of traffic records: by value and by time.

use std::num::NonZeroU32;

use model::log::AccountId;
use model::time::Timestamp;
use model::traffic::Filter;
use serde::{Deserialize, Serialize};

use super::row::{DESTINATION, Host, Named, PROTOCOL, REPORTER, SHAPE, SOURCE, Shape, USER, port};
use super::wanted::selected;
use crate::{Error, Question, View, Views, columns};

/// What records are counted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Facet {
    /// Who reported it.
    Reporter,
    /// The user behind it.
    User,
    /// Where it came from, by id.
    Source,
    /// Where it went, by id.
    Destination,
    /// IANA protocol number.
    Protocol,
    /// Which way it went.
    Direction,
    /// How it reached its destination.
    Connection,
}

/// How many traffic records match, by value of a facet, the most frequent first. What has no value counts as the empty text.
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
    const PATH: &'static str = "traffic.count_by_value";

    fn view(&self) -> View {
        View::Traffic
    }

    fn answer(&self, views: &Views) -> Result<Self::Answer, Error> {
        let selected = selected(views, &self.account, &self.filter)?;
        selected.count_by_value(self.facet.column(), |symbol| self.facet.name(symbol))
    }
}

/// How many traffic records match in each stretch of time, in order; empty stretches are left out.
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
    const PATH: &'static str = "traffic.count_by_time";

    fn view(&self) -> View {
        View::Traffic
    }

    fn answer(&self, views: &Views) -> Result<Self::Answer, Error> {
        selected(views, &self.account, &self.filter)?.count_by_time(self.seconds)
    }
}

impl Facet {
    fn column(self) -> usize {
        match self {
            Self::Reporter => REPORTER,
            Self::User => USER,
            Self::Source => SOURCE,
            Self::Destination => DESTINATION,
            Self::Protocol => PROTOCOL,
            Self::Direction | Self::Connection => SHAPE,
        }
    }

    /// What a symbol of the column counts as.
    fn name(self, symbol: &[u8]) -> Result<String, Error> {
        match self {
            Self::Reporter => Ok(String::from_utf8_lossy(symbol).into_owned()),
            Self::User => columns::read(symbol).map(|user: Named<'_>| text(user.id)),
            Self::Source | Self::Destination => columns::read(symbol).map(|host: Host<'_>| text(host.id)),
            Self::Protocol => Ok(port(symbol).unwrap_or_default().to_string()),
            Self::Direction => columns::read(symbol).map(|shape: Shape| wire_name(&shape.direction)),
            Self::Connection => columns::read(symbol).map(|shape: Shape| wire_name(&shape.connection)),
        }
    }
}

fn text(text: Option<&str>) -> String {
    text.unwrap_or_default().to_owned()
}

/// The name that a unit variant has in JSON.
fn wire_name<T: Serialize>(value: &T) -> String {
    let name = serde_json::to_value(value).ok();
    name.as_ref().and_then(serde_json::Value::as_str).map(str::to_owned).unwrap_or_default()
}
