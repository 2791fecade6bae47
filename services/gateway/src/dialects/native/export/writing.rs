//! An export as it is sent: its beginning, its rows, and an end that says that it is whole.

use std::io;

use axum::body::Bytes;
use serde_json::json;
use views::lists::Exported;

use super::csv::Lines;
use super::parquet::Parquet;
use crate::dialects::native::events::Listed;
use crate::dialects::native::table::Row;
use crate::render::packing::Packing;

/// The form of an export.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A line of JSON for each.
    Ndjson,
    /// RFC 4180.
    Csv,
    /// Typed columns.
    Parquet,
}

/// What the parameter may be.
pub(super) const FORMS: [(&str, Form); 3] = [("ndjson", Form::Ndjson), ("csv", Form::Csv), ("parquet", Form::Parquet)];

impl Form {
    pub(super) const fn content_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// Its name, which files end with.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson",
            Self::Csv => "csv",
            Self::Parquet => "parquet",
        }
    }

    /// Whether compressing all of it makes it smaller.
    pub(super) fn can_be_packed(self) -> bool {
        self != Self::Parquet
    }
}

/// An export that is being written.
pub(super) struct Writing {
    rows: Rows,
    packing: Packing,
    /// How many rows were written.
    count: u64,
}

enum Rows {
    Ndjson,
    Csv,
    Parquet(Box<Parquet>),
}

impl Writing {
    /// The beginning of an export, and the first of what is sent.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn begin(form: Form, mut packing: Packing, nothing: &impl Row) -> io::Result<(Self, Bytes)> {
        let mut text = Vec::new();
        let rows = match form {
            Form::Ndjson => Rows::Ndjson,
            Form::Csv => {
                let mut lines = Lines::new();
                lines.add_names(nothing)?;
                text = lines.end()?;
                Rows::Csv
            }
            Form::Parquet => Rows::Parquet(Box::new(Parquet::new(nothing)?)),
        };
        let first = packing.pack(text)?.into();
        Ok((Self { rows, packing, count: 0 }, first))
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// The next rows as they are sent; some of it may come later.
    ///
    /// # Errors
    /// When a row cannot be written.
    pub(super) fn rows<F: Listed>(&mut self, exported: &Exported<F::Shown>) -> io::Result<Bytes> {
        let items = exported.rows.iter().map(F::item);
        let text = match &mut self.rows {
            Rows::Ndjson => {
                let mut text = Vec::new();
                for item in items {
                    serde_json::to_writer(&mut text, &item?)?;
                    text.push(b'\n');
                }
                text
            }
            Rows::Csv => {
                let mut lines = Lines::new();
                for item in items {
                    lines.add(&item?)?;
                }
                lines.end()?
            }
            Rows::Parquet(file) => {
                let mut text = Vec::new();
                for item in items {
                    text.extend(file.add(&item?)?);
                }
                text
            }
        };
        self.count += exported.rows.len() as u64;
        Ok(self.packing.pack(text)?.into())
    }

    /// The end: that all of it was sent, as of a position.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn end(mut self, as_of: &str) -> io::Result<Bytes> {
        let last = match self.rows {
            Rows::Ndjson => {
                let whole = json!({ "flowtrail": { "complete": true, "count": self.count, "as_of": as_of } });
                format!("{whole}\n").into_bytes()
            }
            // A line that is no row would be one to whoever reads it.
            Rows::Csv => Vec::new(),
            Rows::Parquet(file) => file.end()?,
        };
        let mut text = self.packing.pack(last)?;
        text.extend(self.packing.finish()?);
        Ok(text.into())
    }
}
