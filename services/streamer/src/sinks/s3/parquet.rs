//! Columns as a file of Parquet: one group of rows, each column compressed by itself with zstd.
//!
//! Invariant: a file says nothing of when and by which version it was written, so the same columns give the same bytes.

use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, TimeUnit, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DataType, DoubleType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedColumnWriter, SerializedFileWriter};
use parquet::schema::types::{Type, TypePtr};

use super::columns::{Column, Values};

/// As much of a long text as is of use for passing over a file.
const STATISTICS_BYTES: usize = 64;

/// The file of some columns of equal length.
pub(super) fn file(columns: Vec<Column>) -> Result<Vec<u8>, ParquetError> {
    let fields = columns.iter().map(field).collect::<Result<_, _>>()?;
    let schema = Type::group_type_builder("flowtrail").with_fields(fields).build()?;
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_statistics_truncate_length(Some(STATISTICS_BYTES))
        .set_created_by("flowtrail".to_owned());
    let mut writer = SerializedFileWriter::new(Vec::new(), Arc::new(schema), Arc::new(properties.build()))?;
    let mut rows = writer.next_row_group()?;
    for column in columns {
        if let Some(mut into) = rows.next_column()? {
            write(&mut into, column.values)?;
            into.close()?;
        }
    }
    rows.close()?;
    writer.into_inner()
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
