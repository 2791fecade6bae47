//! The canonical form of a view: one JSON line per row, in order, so that two dumps can be compared.

use std::collections::BTreeMap;
use std::ops::Bound;

use model::json::Json;
use model::log::AccountId;
use segments::{Order, Page, Predicate, SortKey, Start, TimeRange};
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::key;
use crate::question::{Question, Views};
use crate::store::Store;
use crate::view::{DumpAs, DumpParts, View};
use crate::watch::Watch;

/// A part of a view's dump.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dump {
    /// Which view.
    pub view: View,
    /// After this place; none: from the start.
    pub after: Option<Vec<u8>>,
    /// At most this many rows.
    pub limit: usize,
}

/// Lines of a dump.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Lines {
    /// One JSON object each.
    pub lines: Vec<String>,
    /// Where the next part starts; none: that was all.
    pub next: Option<Vec<u8>>,
}

impl Question for Dump {
    type Answer = Lines;
    const PATH: &'static str = "dump";

    const WATCH: Option<Watch<Self, Self::Answer>> = None;

    fn view(&self) -> View {
        self.view
    }

    fn account(&self) -> Option<&AccountId> {
        None
    }

    fn answer(&self, views: &Views) -> Result<Lines, Error> {
        let store = views.slot(self.view).store();
        match self.view.dump() {
            DumpAs::Keys(row) => self.by_key(&store, *row),
            DumpAs::Columns(parts) => self.by_account(&store, parts),
        }
    }
}

/// How many rows a generation of a view holds. It goes through those that stand by key.
///
/// # Errors
/// When the storage fails or is damaged.
pub fn rows(view: View, store: &Store) -> Result<u64, Error> {
    let mut count = 0;
    match view.dump() {
        DumpAs::Keys(row) => {
            for entry in store.range((Bound::Included(vec![1]), Bound::Unbounded)) {
                let (key, value) = entry?;
                let Some((_, kind, _)) = key::split(&key) else { continue };
                count += u64::from(row(kind, &value)?.is_some());
            }
        }
        DumpAs::Columns(_) => {
            let mut account = store.next_account("")?;
            while let Some(known) = account {
                let page = Page { start: Start::Offset(0), order: Order::NewestFirst, limit: 0 };
                let table = key::table_of(&known);
                count += store.rows().list(&table, &Predicate::everything(), TimeRange::ALL, &page)?.total;
                account = store.next_account(&known)?;
            }
        }
    }
    Ok(count)
}

impl Dump {
    fn by_key(&self, store: &Store, row: fn(u8, &[u8]) -> Result<Option<Json>, Error>) -> Result<Lines, Error> {
        // Keys that start with a zero byte are the store's own.
        let start = self.after.clone().map_or(Bound::Included(vec![1]), Bound::Excluded);
        let mut lines = Vec::new();
        for entry in store.range((start, Bound::Unbounded)) {
            let (key, value) = entry?;
            let Some((account, kind, _)) = key::split(&key) else { continue };
            if let Some(row) = row(kind, &value)? {
                lines.push(line(account, row));
            }
            if lines.len() == self.limit {
                return Ok(Lines { lines, next: Some(key.to_vec()) });
            }
        }
        Ok(Lines { lines, next: None })
    }

    fn by_account(&self, store: &Store, parts: &DumpParts) -> Result<Lines, Error> {
        let mut place = match &self.after {
            Some(place) => Some(postcard::from_bytes(place)?),
            None => store.next_account("")?.map(ResumePoint::first),
        };
        let mut lines = Vec::new();
        while let Some(ResumePoint { account, after }) = place {
            let start = match after {
                Some((time, id)) => Start::After(SortKey { time, id }),
                None => Start::Offset(0),
            };
            let page = Page { start, ..Page::newest(self.limit - lines.len()) };
            let table = key::table_of(&account);
            let listed = store.rows().list(&table, &Predicate::everything(), TimeRange::ALL, &page)?;
            for row in &listed.rows {
                lines.push(line(&account, (parts.row)(row)?));
            }
            if let Some(last) = listed.rows.last().filter(|_| listed.has_more) {
                let SortKey { time, id } = (parts.position)(last)?;
                let place = ResumePoint { account, after: Some((time, id)) };
                return Ok(Lines { lines, next: Some(postcard::to_stdvec(&place)?) });
            }
            for other in (parts.others)(store, &account)? {
                lines.push(line(&account, other));
            }
            place = store.next_account(&account)?.map(ResumePoint::first);
            if let Some(next) = place.as_ref().filter(|_| lines.len() >= self.limit) {
                return Ok(Lines { lines, next: Some(postcard::to_stdvec(next)?) });
            }
        }
        Ok(Lines { lines, next: None })
    }
}

/// Where a part of a dump of rows starts.
#[derive(Serialize, Deserialize)]
struct ResumePoint {
    account: String,
    /// After the row with this time and id.
    after: Option<(i64, Vec<u8>)>,
}

impl ResumePoint {
    fn first(account: String) -> Self {
        Self { account, after: None }
    }
}

fn line(account: &str, row: Json) -> String {
    let members = BTreeMap::from([("account".to_owned(), Json::from(account)), ("row".to_owned(), row)]);
    Json::object(&members).to_string()
}
