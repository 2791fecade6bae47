//! The canonical form of a view: one JSON line per row, in order, so that two dumps can be compared.

use std::ops::Bound;

use model::directory::Entry;
use model::integration::Current;
use segments::{Page, Predicate, Row, SortKey, Start, TimeRange};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::store::Store;
use crate::{Error, Question, View, Views, access, audit, columns, key, traffic};

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

    fn view(&self) -> View {
        self.view
    }

    fn answer(&self, views: &Views) -> Result<Lines, Error> {
        let store = views.slot(self.view).store();
        match self.view {
            View::Audit | View::Traffic => self.columns(&store),
            View::Integrations | View::Access | View::Directory => self.by_key(&store),
        }
    }
}

impl Dump {
    fn by_key(&self, store: &Store) -> Result<Lines, Error> {
        // Keys that start with a zero byte are the store's own.
        let start = self.after.clone().map_or(Bound::Included(vec![1]), Bound::Excluded);
        let mut lines = Vec::new();
        for entry in store.range((start, Bound::Unbounded)) {
            let (key, value) = entry?;
            let Some((account, kind, _)) = key::split(&key) else { continue };
            if let Some(row) = canonical(self.view, kind, &value)? {
                lines.push(line(account, &row));
            }
            if lines.len() == self.limit {
                return Ok(Lines { lines, next: Some(key.to_vec()) });
            }
        }
        Ok(Lines { lines, next: None })
    }

    /// Account by account: its rows as lists show them, then its catalog.
    fn columns(&self, store: &Store) -> Result<Lines, Error> {
        let mut place = match &self.after {
            Some(place) => Some(postcard::from_bytes(place)?),
            None => columns::next_account(store, "")?.map(Place::first),
        };
        let mut lines = Vec::new();
        while let Some(Place { account, after }) = place {
            let start = match after {
                Some((time, id)) => Start::After(SortKey { time, id }),
                None => Start::Offset(0),
            };
            let page = Page { start, limit: self.limit - lines.len() };
            let table = columns::table_of(&account);
            let listed = store.rows().list(&table, &Predicate::everything(), TimeRange::ALL, &page)?;
            for row in &listed.rows {
                lines.push(line(&account, &self.row(row)?));
            }
            if let Some(last) = listed.rows.last().filter(|_| listed.has_more) {
                let place = Place { account, after: Some(self.position(last)?) };
                return Ok(Lines { lines, next: Some(postcard::to_stdvec(&place)?) });
            }
            for pair in self.catalog(store, &account)? {
                lines.push(line(&account, &pair));
            }
            place = columns::next_account(store, &account)?.map(Place::first);
            if let Some(next) = place.as_ref().filter(|_| lines.len() >= self.limit) {
                return Ok(Lines { lines, next: Some(postcard::to_stdvec(next)?) });
            }
        }
        Ok(Lines { lines, next: None })
    }

    fn row(&self, row: &Row) -> Result<Value, Error> {
        // Every row type serializes: they all are plain structs.
        let value = match self.view {
            View::Audit => serde_json::to_value(audit::read(row)?),
            View::Traffic | View::Integrations | View::Access | View::Directory => {
                serde_json::to_value(traffic::read(row)?)
            }
        };
        Ok(value.unwrap_or_default())
    }

    fn position(&self, row: &Row) -> Result<(i64, Vec<u8>), Error> {
        match self.view {
            View::Audit => {
                let position = audit::position(row)?;
                Ok((position.time.micros(), position.id.into_bytes()))
            }
            View::Traffic | View::Integrations | View::Access | View::Directory => {
                let record = traffic::read(row)?;
                Ok((record.time().micros(), record.key.id().to_bytes().to_vec()))
            }
        }
    }

    fn catalog(&self, store: &Store, account: &str) -> Result<Vec<Value>, Error> {
        if self.view != View::Audit {
            return Ok(Vec::new());
        }
        let pairs = store.scan(&audit::catalog_of(account));
        pairs.map(|entry| Ok(json!(postcard::from_bytes::<(String, String)>(&entry?.1)?))).collect()
    }
}

/// Where a part of a dump of rows starts.
#[derive(Serialize, Deserialize)]
struct Place {
    account: String,
    /// After the row with this time and id.
    after: Option<(i64, Vec<u8>)>,
}

impl Place {
    fn first(account: String) -> Self {
        Self { account, after: None }
    }
}

fn line(account: &str, row: &Value) -> String {
    json!({ "account": account, "row": row }).to_string()
}

/// A value as JSON; none for keys that only lead to others.
fn canonical(view: View, kind: u8, value: &[u8]) -> Result<Option<Value>, Error> {
    match view {
        View::Integrations => as_json::<Current>(value),
        View::Directory => as_json::<Entry>(value),
        View::Access => access::canonical(kind, value),
        View::Audit | View::Traffic => Ok(None),
    }
}

pub(crate) fn as_json<T: DeserializeOwned + Serialize>(value: &[u8]) -> Result<Option<Value>, Error> {
    let row: T = postcard::from_bytes(value)?;
    // Every row type serializes: they all are plain structs.
    Ok(serde_json::to_value(row).ok())
}
