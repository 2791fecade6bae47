//! What an object holds: lines of JSON, or a table.

use super::super::document::Document;
use super::super::packing::{gzip, packed};
use super::columns;
use crate::opened::ConfigError;
use crate::sink::{Failure, Item};

/// How events become an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// One JSON object a line, compressed as a whole.
    Ndjson,
    /// Typed columns, each compressed by itself.
    Parquet,
}

impl Format {
    /// What the configuration calls it.
    pub(super) fn of(name: Option<&str>) -> Result<Self, ConfigError> {
        match name {
            None | Some("ndjson") => Ok(Self::Ndjson),
            Some("parquet") => Ok(Self::Parquet),
            Some(_) => Err(ConfigError::new("format", "must be ndjson or parquet, or absent")),
        }
    }

    /// What stands at the end of an object's name.
    pub(super) const fn extension(self) -> &'static str {
        match self {
            Self::Ndjson => "ndjson.gz",
            Self::Parquet => "parquet",
        }
    }

    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Ndjson => "application/x-ndjson",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// How the whole object is compressed.
    pub(super) const fn encoding(self) -> Option<&'static str> {
        match self {
            Self::Ndjson => Some("gzip"),
            Self::Parquet => None,
        }
    }

    /// The object of some events of one partition. It follows from the events alone.
    pub(super) async fn bytes(self, items: &[&Item]) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Ndjson => {
                let mut lines = Vec::new();
                for item in items {
                    lines.extend_from_slice(&Document::new(item).to_json());
                    lines.push(b'\n');
                }
                gzip(lines).await
            }
            Self::Parquet => {
                let columns = columns::columns(items);
                packed(move || archive::file(columns)).await
            }
        }
    }
}
