//! The traffic view: one row per record, folded from its reports in any order, newest first.

mod counts;
mod row;
mod wanted;

use std::borrow::Cow;

use model::event::Event;
use model::log::AccountId;
use model::paging::{Page, RowPosition, Rows};
use model::traffic::{Filter, Record};
use segments::Row;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use ulid::Ulid;

use crate::directory::Directory;
use crate::store::Batch;
use crate::{Error, Logged, Question, Refused, View, Views, columns};

pub use counts::{CountByTime, CountByValue, Facet};
pub(crate) use row::{SCHEMA, read};

/// Folds a report into its record.
pub(crate) fn project(batch: &mut Batch, logged: Logged<'_>) -> Result<(), Refused> {
    let Event::Traffic(report) = logged.event else { return Ok(()) };
    let mut record = Record::from(report);
    let table = columns::table(logged.account);
    let found = batch.rows().find(&table, &record.key.id().to_bytes()).map_err(Error::from)?;
    if let Some(known) = &found.row {
        let known = read(known)?.with_texts(ToString::to_string);
        record.merge(known.clone());
        if record == known {
            return Ok(());
        }
    }
    row::write(&record, |row| Ok(batch.rows().put(&table, &found, row)?))?;
    Ok(())
}

/// A record of a list. It stays as it stands in the view until it is shown.
#[derive(Clone, Debug)]
pub struct Stored(Form);

#[derive(Clone, Debug)]
enum Form {
    Row(Row),
    /// With names out of the directory, or from another process.
    Record(Box<Record>),
}

impl Stored {
    /// What is shown.
    ///
    /// # Errors
    /// When the row cannot be read.
    pub fn record(&self) -> Result<Record<Cow<'_, str>>, Error> {
        match &self.0 {
            Form::Row(row) => read(row),
            Form::Record(record) => Ok(record.with_texts(|text| Cow::Borrowed(text.as_str()))),
        }
    }
}

impl Serialize for Stored {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.record().map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Form::Record(Box::deserialize(deserializer)?)))
    }
}

/// Traffic records, newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct List {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub filter: Filter,
    /// Which part of them.
    pub page: Page,
}

impl Question for List {
    type Answer = Rows<Stored>;
    const PATH: &'static str = "traffic.list";

    fn view(&self) -> View {
        View::Traffic
    }

    fn answers_inline(&self, views: &Views) -> bool {
        let Filter { search, period, .. } = &self.filter;
        let is_of_all = self.filter == Filter { period: *period, ..Filter::default() };
        let store = views.slot(View::Traffic).store();
        search.is_none() && columns::answers_inline(&store, &self.account, (is_of_all, *period), &self.page)
    }

    fn answer(&self, views: &Views) -> Result<Rows<Stored>, Error> {
        let directory = Directory::new(views, &self.account);
        // A text that is no id comes before all of them.
        let id_in_table = |id: &str| id.parse().map(|id: Ulid| id.to_bytes().to_vec()).unwrap_or_default();
        let listed = wanted::selected(views, &self.account, &self.filter)?.list(&self.page, id_in_table)?;
        let next = match listed.rows.last() {
            Some(last) if listed.has_more => {
                let last = read(last)?;
                Some(RowPosition { time: last.time(), id: last.key.id().to_string() })
            }
            Some(_) | None => None,
        };
        let named = |row: Row| {
            if directory.is_empty() {
                return Ok(Stored(Form::Row(row)));
            }
            let mut record = read(&row)?.with_texts(ToString::to_string);
            record.fill_in(&directory);
            Ok(Stored(Form::Record(Box::new(record))))
        };
        let rows: Result<Vec<Stored>, Error> = listed.rows.into_iter().map(named).collect();
        Ok(Rows { rows: rows?, total: listed.total, next })
    }
}
