//! The values that a segment is made of, as they stand on disk.

use crate::chunk::Columns;
use crate::key::Kind;
use crate::side_by_side::each;
use crate::slices::Slices;
use crate::trigrams::Trigrams;
use crate::{Error, frame, trigrams};

/// Rows that are compressed together. Few, because a page reads one block for each of its rows.
pub(crate) const BLOCK_ROWS: usize = 128;
/// Blocks that are encoded one after the other.
const BLOCKS_AT_ONCE: usize = 64;
pub(crate) const IDS: &str = "a column of ids";
pub(crate) const TIMES: &str = "a column of times";
pub(crate) const CODES: &str = "a column";
pub(crate) const NUMBERS: &str = "a column of numbers";
pub(crate) const TEXTS: &str = "a column of texts";
pub(crate) const BLOCKS: &str = "a block of rows";

/// What is encoded by itself.
#[derive(Clone, Copy)]
enum Part {
    Times,
    Ids,
    Codes(u32),
    Numbers(u32),
    Texts(u32),
    Trigrams(u32),
    /// So many blocks from this one on.
    Blocks(u32),
}

/// A value as it stands on disk, and what its key ends with.
pub(crate) struct Encoded {
    pub(crate) kind: Kind,
    pub(crate) numbers: Vec<u32>,
    pub(crate) value: Vec<u8>,
}

/// Everything that columns are encoded in for a segment of a number, but for its description and the filter over its ids.
pub(crate) fn encoded(number: u32, columns: &Columns) -> Result<Vec<Encoded>, Error> {
    let parts = parts(columns);
    let encode = |part: usize| parts[part].encode(number, columns);
    let encoded: Result<Vec<_>, Error> = each(columns.rows.len(), parts.len(), encode).into_iter().collect();
    Ok(encoded?.into_iter().flatten().collect())
}

fn parts(columns: &Columns) -> Vec<Part> {
    let blocks = (0_u32..).step_by(BLOCKS_AT_ONCE).take(columns.rows.len().div_ceil(BLOCK_ROWS * BLOCKS_AT_ONCE));
    let codes = (0..).zip(&columns.codes).map(|(column, _)| Part::Codes(column));
    let numbers = (0..).zip(&columns.numbers).map(|(column, _)| Part::Numbers(column));
    let texts = (0..).zip(&columns.texts);
    let texts = texts.flat_map(|(column, _)| [Part::Texts(column), Part::Trigrams(column)]);
    let first = [Part::Times, Part::Ids].into_iter();
    first.chain(codes).chain(numbers).chain(texts).chain(blocks.map(Part::Blocks)).collect()
}

impl Part {
    fn encode(self, number: u32, columns: &Columns) -> Result<Vec<Encoded>, Error> {
        let one = |kind: Kind, column: Option<u32>, value: Vec<u8>| {
            vec![Encoded { kind, numbers: column.into_iter().chain([number]).collect(), value }]
        };
        Ok(match self {
            Self::Times => one(Kind::Times, None, frame::close(&encode_times(&columns.times), TIMES)?),
            Self::Ids => one(Kind::Ids, None, frame::close(&columns.ids.encode(IDS)?, IDS)?),
            Self::Codes(column) => {
                let codes = columns.codes[column as usize].encode();
                one(Kind::Codes, Some(column), frame::close(&codes, CODES)?)
            }
            Self::Numbers(column) => {
                let numbers = columns.numbers[column as usize].encode();
                one(Kind::Numbers, Some(column), frame::close(&numbers, NUMBERS)?)
            }
            Self::Texts(column) => {
                let texts = columns.texts[column as usize].encode(TEXTS)?;
                one(Kind::Texts, Some(column), frame::close(&texts, TEXTS)?)
            }
            Self::Trigrams(column) => {
                let trigrams = Trigrams::of(&columns.texts[column as usize]).encode();
                one(Kind::Trigrams, Some(column), frame::close(&trigrams, trigrams::WHAT)?)
            }
            Self::Blocks(first) => {
                let mut blocks = Vec::with_capacity(BLOCKS_AT_ONCE);
                let starts = (first as usize * BLOCK_ROWS..columns.rows.len()).step_by(BLOCK_ROWS);
                for (block, start) in (first..).zip(starts.take(BLOCKS_AT_ONCE)) {
                    let mut slices = Slices::default();
                    for index in start..columns.rows.len().min(start + BLOCK_ROWS) {
                        slices.push(columns.rows.get(index), BLOCKS)?;
                    }
                    let value = frame::close(&slices.encode(BLOCKS)?, BLOCKS)?;
                    blocks.push(Encoded { kind: Kind::Block, numbers: vec![number, block], value });
                }
                blocks
            }
        })
    }
}

/// The first time, then the steps, in four bytes each where they all fit.
fn encode_times(times: &[i64]) -> Vec<u8> {
    let first = times.first().copied().unwrap_or_default();
    let steps = || times.windows(2).map(|pair| pair[1].wrapping_sub(pair[0]).cast_unsigned());
    let mut encoded = first.to_le_bytes().to_vec();
    let short: Result<Vec<u32>, _> = steps().map(u32::try_from).collect();
    match short {
        Ok(short) => {
            encoded.push(4);
            encoded.extend(short.into_iter().flat_map(u32::to_le_bytes));
        }
        Err(_) => {
            encoded.push(8);
            encoded.extend(steps().flat_map(u64::to_le_bytes));
        }
    }
    encoded
}

/// What [`encode_times`] wrote.
pub(crate) fn decode_times(encoded: &[u8]) -> Result<Vec<i64>, Error> {
    let (first, rest) = encoded.split_first_chunk::<8>().ok_or(Error::Damaged(TIMES))?;
    let (width, bytes) = rest.split_first().ok_or(Error::Damaged(TIMES))?;
    let mut time = i64::from_le_bytes(*first);
    let mut times = Vec::with_capacity(1 + bytes.len() / usize::from(*width).max(1));
    times.push(time);
    let mut after = |step: u64| {
        time = time.wrapping_add(step.cast_signed());
        time
    };
    match width {
        4 => times.extend(bytes.as_chunks().0.iter().map(|step| after(u32::from_le_bytes(*step).into()))),
        8 => times.extend(bytes.as_chunks().0.iter().map(|step| after(u64::from_le_bytes(*step)))),
        _ => return Err(Error::Damaged(TIMES)),
    }
    Ok(times)
}
