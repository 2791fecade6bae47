//! The traffic view: one row per record, folded from its reports in any order, newest first.

use model::event::Event;
use model::log::AccountId;
use model::paging::{Page, RowPosition, Rows};
use model::time::Timestamp;
use model::traffic::{Filter, Record};
use serde::{Deserialize, Serialize};

use crate::directory::Directory;
use crate::row::{COUNT, List as RowList, row_key};
use crate::store::Batch;
use crate::{Error, Logged, Question, Refused, View, Views, key};

/// The kind of the keys that lead from a record's id to its row's time.
const INDEX: u8 = b'k';

/// Folds a report into its record.
pub(crate) fn project(batch: &mut Batch, logged: Logged<'_>) -> Result<(), Refused> {
    let Event::Traffic(report) = logged.event else { return Ok(()) };
    let mut record = Record::from(report.clone());
    let id = record.key.id().to_bytes();
    let index = key::key(logged.account, INDEX, &[&id]);
    let known_at: Option<Timestamp> = batch.row(&index)?;
    match known_at {
        None => batch.count(key::prefix(logged.account, COUNT))?,
        Some(time) => {
            let known_key = row_key(logged.account, time, &id);
            if let Some(known) = batch.row::<Record>(&known_key)? {
                record.merge(known);
            }
            if record.time() != time {
                batch.remove(known_key);
            }
        }
    }
    if known_at != Some(record.time()) {
        batch.put(index, &record.time())?;
    }
    batch.put(row_key(logged.account, record.time(), &id), &record)?;
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
        let list = RowList {
            store: &views.slot(View::Traffic).store(),
            account: &self.account,
            period: self.filter.period,
            wants_all: self.filter.is_open(),
            wants: &|record: &Record| self.filter.matches(record, &found),
            position: &|record: &Record| RowPosition { time: record.time(), id: record.key.id().to_string() },
            id_in_key: &|id| id.parse::<ulid::Ulid>().map(|id| id.to_bytes().to_vec()).unwrap_or_default(),
        };
        let mut rows = list.page(&self.page)?;
        for record in &mut rows.rows {
            record.fill_in(&directory);
        }
        Ok(rows)
    }
}
