//! What a saved search asks, and what it may consist of.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rejected::Rejected;
use crate::access::Scope;
use crate::filter::{self, Audit, Kind, Query, Traffic, check_field, ends_of_time};
use crate::time::Timestamp;

/// The most characters of a name.
const MAX_NAME: usize = 100;
/// The most columns, and the most bytes of one of their names.
const MAX_COLUMNS: usize = 50;
const MAX_COLUMN_BYTES: usize = 200;
/// The most bytes of a time as it is written.
const MAX_TIME_BYTES: usize = 100;

/// Which events a search is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// Audit events.
    Audit,
    /// Traffic records.
    Traffic,
}

impl Family {
    /// What it takes to read such events.
    #[must_use]
    pub const fn scope(self) -> Scope {
        match self {
            Self::Audit => Scope::AuditRead,
            Self::Traffic => Scope::TrafficRead,
        }
    }
}

/// What a saved search asks, and how it is shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Definition {
    /// What people know it by; several may have the same.
    pub name: String,
    /// Which events it is about; never changes.
    pub family: Family,
    /// What it asks of them, in the language of lists; empty: all of them.
    pub q: String,
    /// From this time on, as it was written: `now-1h` is another time each time that it is asked.
    pub from: Option<String>,
    /// Up to this time, as it was written.
    pub to: Option<String>,
    /// The fields that are shown, in this order; none: the usual ones.
    pub columns: Option<Vec<String>>,
    /// Whether everybody in the account sees it who may read such events; else its owner alone.
    pub shared: bool,
}

/// What is to be changed; what is not given stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Another name.
    pub name: Option<String>,
    /// Given only to say again what it is: it never changes.
    pub family: Option<Family>,
    /// Something else to ask.
    pub q: Option<String>,
    /// Another time; empty: none.
    pub from: Option<String>,
    /// Another time; empty: none.
    pub to: Option<String>,
    /// Other fields; empty: the usual ones.
    pub columns: Option<Vec<String>>,
    /// Whether others see it.
    pub shared: Option<bool>,
}

impl Definition {
    /// What it is after a change, and the names of the members that are then different.
    pub(super) fn with(&self, change: Change) -> Result<(Self, Vec<String>), Rejected> {
        let Change { name, family, q, from, to, columns, shared } = change;
        if family.is_some_and(|family| family != self.family) {
            return Err(Rejected::field("family", "never changes: save another search"));
        }
        let filled = |given: Option<String>, before: &Option<String>| {
            given.map_or_else(|| before.clone(), |text| Some(text).filter(|text| !text.is_empty()))
        };
        let after = Self {
            name: name.unwrap_or_else(|| self.name.clone()),
            family: self.family,
            q: q.unwrap_or_else(|| self.q.clone()),
            from: filled(from, &self.from),
            to: filled(to, &self.to),
            columns: columns
                .map_or_else(|| self.columns.clone(), |columns| Some(columns).filter(|columns| !columns.is_empty())),
            shared: shared.unwrap_or(self.shared),
        };
        let differences = [
            ("name", after.name != self.name),
            ("q", after.q != self.q),
            ("from", after.from != self.from),
            ("to", after.to != self.to),
            ("columns", after.columns != self.columns),
            ("shared", after.shared != self.shared),
        ];
        let changed = differences.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name.to_owned());
        Ok((after, changed.collect()))
    }

    /// Checks what it consists of.
    pub(super) fn check(&self, now: Timestamp) -> Result<(), Rejected> {
        let is_name = (1..=MAX_NAME).contains(&self.name.chars().count())
            && !self.name.trim().is_empty()
            && !self.name.chars().any(char::is_control);
        if !is_name {
            let problem = format!("must have 1 to {MAX_NAME} characters, and no control characters");
            return Err(Rejected::field("name", problem));
        }
        match self.family {
            Family::Audit => self.check_language::<Audit>(now)?,
            Family::Traffic => self.check_language::<Traffic>(now)?,
        }
        for (field, text) in [("from", &self.from), ("to", &self.to)] {
            let Some(text) = text else { continue };
            if text.len() > MAX_TIME_BYTES || ends_of_time(text, now).is_none() {
                return Err(Rejected::field(field, format!("must be {}", Kind::Time.takes())));
            }
        }
        Ok(())
    }

    /// Checks what is written in the language of its family.
    fn check_language<F: filter::Family>(&self, now: Timestamp) -> Result<(), Rejected> {
        if !self.q.is_empty() {
            Query::<F>::new(self.q.clone(), now).map_err(|mistake| Rejected::field("q", mistake.to_string()))?;
        }
        let columns = self.columns.as_deref().unwrap_or_default();
        if columns.len() > MAX_COLUMNS {
            return Err(Rejected::field("columns", format!("must be at most {MAX_COLUMNS}")));
        }
        for column in columns {
            if column.len() > MAX_COLUMN_BYTES {
                return Err(Rejected::field("columns", format!("must have at most {MAX_COLUMN_BYTES} bytes each")));
            }
            check_field::<F>(column).map_err(|problem| Rejected::field("columns", problem.to_string()))?;
        }
        Ok(())
    }
}
