//! The traffic view: one row per record, folded from its reports in any order, newest first.

mod counts;
mod row;
mod wanted;

use model::event::Event;
use model::log::AccountId;
use model::paging::{Page, RowPosition, Rows};
use model::traffic::{Filter, Record};
use serde::{Deserialize, Serialize};
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
        let known = read(known)?;
        record.merge(known.clone());
        if record == known {
            return Ok(());
        }
    }
    row::write(&record, |row| Ok(batch.rows().put(&table, &found, row)?))?;
    Ok(())
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
    type Answer = Rows<Record>;
    const PATH: &'static str = "traffic.list";

    fn view(&self) -> View {
        View::Traffic
    }

    fn answer(&self, views: &Views) -> Result<Rows<Record>, Error> {
        let directory = Directory::new(views, &self.account);
        let found = directory.search(self.filter.search.as_deref())?;
        let predicate = wanted::wanted(&self.filter, found);
        let store = views.slot(View::Traffic).store();
        // A text that is no id comes before all of them.
        let id_in_table = |id: &str| id.parse().map(|id: Ulid| id.to_bytes().to_vec()).unwrap_or_default();
        let wanted = (&predicate, self.filter.period);
        let listed = columns::list(&store, &self.account, wanted, &self.page, id_in_table)?;
        let records: Result<Vec<Record>, Error> = listed.rows.iter().map(read).collect();
        let mut rows = records?;
        let position = |record: &Record| RowPosition { time: record.time(), id: record.key.id().to_string() };
        let next = rows.last().filter(|_| listed.has_more).map(position);
        for record in &mut rows {
            record.fill_in(&directory);
        }
        Ok(Rows { rows, total: listed.total, next })
    }
}
