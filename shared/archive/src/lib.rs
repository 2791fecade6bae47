//! Columns of values as a file of Parquet: in groups of rows, each column compressed by itself with zstd.
//!
//! Invariants: a file says nothing of when and by which version it was written, so the same columns give the same bytes;
//! what a writer holds is one group of rows, and a description of each that was written.

use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

pub use parquet::errors::ParquetError;

/// As much of a long text as is of use for passing over a file.
const STATISTICS_BYTES: usize = 64;

/// A column of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What stands in it.
    pub values: Values,
}

/// The values of a column, one for each row; none: null.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Microseconds since 1970.
    Times(Vec<Option<i64>>),
    /// UTF-8.
    Texts(Vec<Option<Vec<u8>>>),
    /// Texts that are JSON.
    Json(Vec<Option<Vec<u8>>>),
    /// Whole numbers.
    Integers(Vec<Option<i64>>),
    /// Doubles.
    Decimals(Vec<Option<f64>>),
}

/// A file that is being written, group by group.
pub struct Writer(SerializedFileWriter<Vec<u8>>);

/// The file of some columns of equal length, in one group of rows.
///
/// # Errors
/// When the columns cannot be written.
pub fn file(columns: Vec<Column>) -> Result<Vec<u8>, ParquetError> {
    let mut writer = Writer::new(&columns)?;
    let mut file = writer.group(columns)?;
    file.extend(writer.finish()?);
    Ok(file)
}

impl Writer {
    /// A file of columns like these.
    ///
    /// # Errors
    /// When there cannot be such columns.
    pub fn new(columns: &[Column]) -> Result<Self, ParquetError> {
        let fields = columns.iter().map(field).collect::<Result<_, _>>()?;
        let schema = Type::group_type_builder("flowtrail").with_fields(fields).build()?;
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_statistics_truncate_length(Some(STATISTICS_BYTES))
            .set_created_by("flowtrail".to_owned());
        let writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties.build()))?;
        Ok(Self(writer))
    }

    /// Writes a group of rows; gives what there is of the file behind what was given before.
    ///
    /// # Errors
    /// When the columns are others than those of the file, or cannot be written.
    pub fn group(&mut self, columns: Vec<Column>) -> Result<Vec<u8>, ParquetError> {
        let mut rows = self.0.next_row_group()?;
        for column in columns {
            if let Some(mut into) = rows.next_column()? {
                write(&mut into, column.values)?;
                into.close()?;
            }
        }
        rows.close()?;
        self.0.flush()?;
        Ok(std::mem::take(self.0.inner_mut()))
    }

    /// Ends the file; gives the rest of it.
    ///
    /// # Errors
    /// When the end cannot be written.
    pub fn finish(self) -> Result<Vec<u8>, ParquetError> {
        self.0.into_inner()
    }
}

/// A column's type. Every column may be null: engines want no other, and readers of a later schema find none missing.
fn field(column: &Column) -> Result<TypePtr, ParquetError> {
    let (physical, logical) = match column.values {
        Values::Times(_) => (Physical::INT64, Some(LogicalType::timestamp(true, TimeUnit::MICROS))),
        Values::Texts(_) => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
        Values::Json(_) => (Physical::BYTE_ARRAY, Some(LogicalType::Json)),
        Values::Integers(_) => (Physical::INT64, None),
        Values::Decimals(_) => (Physical::DOUBLE, None),
    };
    let builder = Type::primitive_type_builder(&column.name, physical);
    Ok(Arc::new(builder.with_logical_type(logical).with_repetition(Repetition::OPTIONAL).build()?))
}

fn write(into: &mut SerializedColumnWriter<'_>, values: Values) -> Result<(), ParquetError> {
    match values {
        Values::Times(values) | Values::Integers(values) => write_all::<Int64Type>(into, values),
        Values::Decimals(values) => write_all::<DoubleType>(into, values),
        Values::Texts(values) | Values::Json(values) => {
            let values = values.into_iter().map(|value| value.map(ByteArray::from)).collect();
            write_all::<ByteArrayType>(into, values)
        }
    }
}

fn write_all<T: DataType>(
    into: &mut SerializedColumnWriter<'_>,
    values: Vec<Option<T::T>>,
) -> Result<(), ParquetError> {
    let is_there: Vec<i16> = values.iter().map(|value| i16::from(value.is_some())).collect();
    let there: Vec<T::T> = values.into_iter().flatten().collect();
    into.typed::<T>().write_batch(&there, Some(&is_there), None)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use parquet::file::reader::{FileReader, SerializedFileReader};

    use super::*;

    fn columns(first: i64) -> Vec<Column> {
        let numbers: Vec<Option<i64>> = (first..first + 3).map(|number| (number != 1).then_some(number)).collect();
        let texts = numbers.iter().map(|number| number.map(|number| number.to_string().into_bytes())).collect();
        [("number", Values::Integers(numbers)), ("text", Values::Texts(texts))]
            .map(|(name, values)| Column { name: name.to_owned(), values })
            .into()
    }

    #[test]
    fn a_file_is_written_group_by_group() {
        let mut writer = Writer::new(&columns(0)).unwrap();
        let mut file = writer.group(columns(0)).unwrap();
        let first = file.len();
        file.extend(writer.group(columns(3)).unwrap());
        assert!(first > 0 && file.len() > first, "each group is there when it was written");
        file.extend(writer.finish().unwrap());
        let reader = SerializedFileReader::new(Bytes::from(file)).unwrap();
        assert_eq!(reader.metadata().num_row_groups(), 2);
        let rows: Vec<String> = reader.get_row_iter(None).unwrap().map(|row| row.unwrap().to_string()).collect();
        assert_eq!((rows.len(), rows[1].as_str()), (6, "{number: null, text: null}"));
        assert_eq!(rows[5], "{number: 5, text: \"5\"}");
    }
}
