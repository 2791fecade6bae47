//! The canonical form of a view: one JSON line per row, sorted, so that two dumps can be compared.

use std::ops::Bound;

use model::audit;
use model::directory::Entry;
use model::integration::Current;
use model::traffic::Record;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{Error, Question, View, Views, access, key, row};

/// A part of a view's dump.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Dump {
    /// Which view.
    pub view: View,
    /// After this key; none: from the start.
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
        // Keys that start with a zero byte are the store's own.
        let start = self.after.clone().map_or(Bound::Included(vec![1]), Bound::Excluded);
        let mut lines = Vec::new();
        for entry in store.range((start, Bound::Unbounded)) {
            let (key, value) = entry?;
            let Some((account, kind, _)) = key::split(&key) else { continue };
            if let Some(row) = canonical(self.view, kind, &value)? {
                lines.push(json!({ "account": account, "row": row }).to_string());
            }
            if lines.len() == self.limit {
                return Ok(Lines { lines, next: Some(key.to_vec()) });
            }
        }
        Ok(Lines { lines, next: None })
    }
}

/// A row as JSON; none for keys that only lead to rows.
fn canonical(view: View, kind: u8, value: &[u8]) -> Result<Option<Value>, Error> {
    match (view, kind) {
        (View::Audit, row::ROW) => as_json::<audit::Event>(value),
        (View::Traffic, row::ROW) => as_json::<Record>(value),
        (View::Audit | View::Traffic, row::COUNT) => as_json::<u64>(value),
        (View::Audit, crate::audit::CATALOG) => as_json::<(String, String)>(value),
        (View::Audit | View::Traffic, _) => Ok(None),
        (View::Integrations, _) => as_json::<Current>(value),
        (View::Directory, _) => as_json::<Entry>(value),
        (View::Access, kind) => access::canonical(kind, value),
    }
}

pub(crate) fn as_json<T: DeserializeOwned + Serialize>(value: &[u8]) -> Result<Option<Value>, Error> {
    let row: T = postcard::from_bytes(value)?;
    // Every row type serializes: they all are plain structs.
    Ok(serde_json::to_value(row).ok())
}
