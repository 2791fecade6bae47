//! Objects of Parquet that Flowtrail's own integrations have written, as the lines of JSON that they would have written
//! instead: the columns that repeat what others hold are not read.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind, Read};

use model::time::Timestamp;
use parquet::basic::ConvertedType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::record::{Field, Row, reader::RowIter};
use parquet::schema::types::Type;
use serde_json::value::{RawValue, to_raw_value};

/// The columns that together are an event, and those that are JSON.
const COLUMNS: [&str; 13] = [
    "timestamp",
    "message",
    "id",
    "initiator_id",
    "target_id",
    "meta",
    "reference",
    "account_id",
    "kind",
    "event_type",
    "position",
    "index",
    "event",
];
const JSON: [&str; 2] = ["meta", "event"];

/// Why such a file gives no lines.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unread {
    /// The disk fails.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is damaged, or was cut off.
    #[error("is a Parquet file that is damaged or not whole")]
    Damaged,
    /// Somebody else wrote it.
    #[error(
        "is a Parquet file, and no archive of Flowtrail's with the columns {}; write it as JSON first, one object a line",
        COLUMNS.join(", ")
    )]
    Foreign,
}

/// The rows of a file as lines of JSON.
///
/// # Errors
/// When it is damaged, or none that Flowtrail has written.
pub(super) fn lines(mut packed: impl Read) -> Result<Lines, Unread> {
    // What tells where everything is stands at the file's end.
    let mut file = tempfile::tempfile()?;
    io::copy(&mut packed, &mut file)?;
    let reader = SerializedFileReader::new(file).map_err(|_| Unread::Damaged)?;
    let events = events_of(&reader).ok_or(Unread::Foreign)?;
    // Asked for now, because the rows do not allow for one that is not there.
    if (0..reader.num_row_groups()).any(|index| reader.get_row_group(index).is_err()) {
        return Err(Unread::Damaged);
    }
    let rows = reader.into_iter().project(Some(events)).map_err(|_| Unread::Damaged)?;
    Ok(Lines { rows, line: io::Cursor::default() })
}

/// The part of a file's schema that is an event.
fn events_of(reader: &SerializedFileReader<File>) -> Option<Type> {
    let schema = reader.metadata().file_metadata().schema();
    let mut fields = Vec::new();
    for name in COLUMNS {
        let field = schema.get_fields().iter().find(|field| field.name() == name)?;
        let converted = field.get_basic_info().converted_type();
        let is_as_written = match name {
            "timestamp" => converted == ConvertedType::TIMESTAMP_MICROS,
            "index" => field.is_primitive(),
            _ => matches!(converted, ConvertedType::UTF8 | ConvertedType::JSON),
        };
        if !is_as_written {
            return None;
        }
        fields.push(field.clone());
    }
    Type::group_type_builder(schema.name()).with_fields(fields).build().ok()
}

/// The rows that are still to be read, and the line that is.
pub(super) struct Lines {
    rows: RowIter<'static>,
    line: io::Cursor<Vec<u8>>,
}

impl Read for Lines {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.line.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            let Some(row) = self.rows.next() else { return Ok(0) };
            self.line = io::Cursor::new(line(row).map_err(|_| damaged())?);
        }
    }
}

fn damaged() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, Unread::Damaged)
}

fn line(row: Result<Row, ParquetError>) -> Result<Vec<u8>, ParquetError> {
    let mut members = BTreeMap::new();
    for (name, field) in row?.into_columns() {
        if let Some(value) = value(&name, field).map_err(|error| ParquetError::External(error.into()))? {
            members.insert(name, value);
        }
    }
    let mut line = serde_json::to_vec(&members).map_err(|error| ParquetError::External(error.into()))?;
    line.push(b'\n');
    Ok(line)
}

fn value(name: &str, field: Field) -> Result<Option<Box<RawValue>>, serde_json::Error> {
    Ok(Some(match field {
        Field::Null => return Ok(None),
        // As text: a number in it stays what it is.
        Field::Str(json) if JSON.contains(&name) => RawValue::from_string(json)?,
        Field::TimestampMicros(micros) => {
            to_raw_value(&Timestamp::from_micros(micros).map(Timestamp::to_six_digits).unwrap_or_default())?
        }
        Field::Str(text) => to_raw_value(&text)?,
        Field::Long(number) => to_raw_value(&number)?,
        Field::Int(number) => to_raw_value(&number)?,
        // Of no column that an event is made of.
        _ => return Ok(None),
    }))
}
