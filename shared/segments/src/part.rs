//! A part of a table as a reader sees it: a chunk or a segment, and which of its rows are superseded.

use std::ops::{Range, RangeInclusive};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use roaring::RoaringBitmap;

use crate::Error;
use crate::chunk::Chunk;
use crate::coded::{Coded, CodedRows};
use crate::codes::Codes;
use crate::dictionary::Epochs;
use crate::numbers::{Measure, Measured, Numbers, is_within};
use crate::row::{self, Schema};
use crate::segment::Segment;
use crate::segment_values::BLOCK_ROWS;
use crate::slices::Slices;
use crate::time_range::TimeRange;

/// Some rows of a table, ordered by time and id. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) body: Body,
    pub(crate) superseded: Arc<RoaringBitmap>,
}

/// Where the rows are.
#[derive(Clone, Debug)]
pub(crate) enum Body {
    Chunk(Arc<Chunk>),
    Segment(Arc<Segment>),
}

impl Part {
    pub(crate) fn number(&self) -> u32 {
        match &self.body {
            Body::Chunk(chunk) => chunk.number,
            Body::Segment(segment) => segment.number,
        }
    }

    pub(crate) fn segment(&self) -> Option<&Segment> {
        match &self.body {
            Body::Chunk(_) => None,
            Body::Segment(segment) => Some(segment),
        }
    }

    /// Which dictionaries its codes are of.
    pub(crate) fn epochs(&self) -> &Epochs {
        match &self.body {
            Body::Chunk(chunk) => &chunk.epochs,
            Body::Segment(segment) => &segment.epochs,
        }
    }

    /// How many rows there are, superseded ones too.
    pub(crate) fn len(&self) -> usize {
        match &self.body {
            Body::Chunk(chunk) => chunk.len(),
            Body::Segment(segment) => segment.len(),
        }
    }

    /// The chunk, where it is one.
    pub(crate) fn chunk(&self) -> Option<&Chunk> {
        match &self.body {
            Body::Chunk(chunk) => Some(chunk),
            Body::Segment(_) => None,
        }
    }

    /// About how many bytes of memory are held for it.
    pub(crate) fn weight(&self) -> usize {
        let body = match &self.body {
            Body::Chunk(chunk) => chunk.weight,
            Body::Segment(segment) => segment.weight,
        };
        let superseded = if self.superseded.is_empty() { 0 } else { self.superseded.serialized_size() };
        size_of::<Self>() + body + superseded
    }

    /// How many rows are not superseded.
    pub(crate) fn live(&self) -> u64 {
        (self.len() as u64).saturating_sub(self.superseded.len())
    }

    /// The earliest and the latest time.
    pub(crate) fn span(&self) -> (i64, i64) {
        match &self.body {
            Body::Chunk(chunk) => {
                let times = &chunk.columns.times;
                (times.first().copied().unwrap_or(i64::MAX), times.last().copied().unwrap_or(i64::MIN))
            }
            Body::Segment(segment) => (segment.first, segment.last),
        }
    }

    pub(crate) fn times(&self) -> Result<Arc<Vec<i64>>, Error> {
        match &self.body {
            Body::Chunk(chunk) => Ok(chunk.columns.times.clone()),
            Body::Segment(segment) => segment.times(),
        }
    }

    pub(crate) fn ids(&self) -> Result<Arc<Slices>, Error> {
        match &self.body {
            Body::Chunk(chunk) => Ok(chunk.columns.ids.clone()),
            Body::Segment(segment) => segment.ids(),
        }
    }

    pub(crate) fn codes(&self, column: usize) -> Result<Arc<Codes>, Error> {
        match &self.body {
            Body::Chunk(chunk) => Ok(chunk.columns.codes[column].clone()),
            Body::Segment(segment) => segment.codes(column),
        }
    }

    pub(crate) fn present(&self, column: usize) -> &RoaringBitmap {
        match &self.body {
            Body::Chunk(chunk) => &chunk.columns.present[column],
            Body::Segment(segment) => &segment.present[column],
        }
    }

    pub(crate) fn numbers(&self, column: usize) -> Result<Arc<Numbers>, Error> {
        match &self.body {
            Body::Chunk(chunk) => Ok(chunk.columns.numbers[column].clone()),
            Body::Segment(segment) => segment.numbers(column),
        }
    }

    /// What its rows measure.
    pub(crate) fn measured(&self, measure: Measure) -> Result<Measured, Error> {
        Ok(Measured(measure.0.iter().map(|column| self.numbers(*column)).collect::<Result<_, _>>()?))
    }

    /// Whether what rows measure is in a range, where that is known of all of them without a look.
    pub(crate) fn is_within(&self, measure: Measure, range: &RangeInclusive<u64>) -> Option<bool> {
        let ends = |column: &usize| match &self.body {
            Body::Chunk(chunk) => chunk.columns.numbers[*column].ends(),
            Body::Segment(segment) => segment.ends_of_numbers[*column],
        };
        is_within(range, measure.0.iter().map(ends))
    }

    pub(crate) fn texts(&self, column: usize) -> Result<Arc<Slices>, Error> {
        match &self.body {
            Body::Chunk(chunk) => Ok(chunk.columns.texts[column].clone()),
            Body::Segment(segment) => segment.texts(column),
        }
    }

    /// Whether a text of a column may contain these bytes. False: none does.
    pub(crate) fn may_contain(&self, column: usize, needle: &[u8]) -> Result<bool, Error> {
        match &self.body {
            Body::Chunk(_) => Ok(true),
            Body::Segment(segment) => Ok(segment.trigrams(column)?.may_contain(needle)),
        }
    }

    /// Takes every row apart that is not superseded and whose id is wanted, and puts it into others.
    pub(crate) fn take_apart(
        &self,
        schema: &Schema,
        wanted: impl Fn(&[u8]) -> bool,
        into: &mut CodedRows,
    ) -> Result<(), Error> {
        let live = (0..self.len()).filter(|index| !self.is_superseded(*index));
        match &self.body {
            Body::Chunk(chunk) => {
                let mut live = live.filter(|index| wanted(chunk.columns.ids.get(*index)));
                live.try_for_each(|index| chunk.columns.take_apart(index, into))
            }
            Body::Segment(segment) => {
                let (times, ids) = (segment.times()?, segment.ids()?);
                let texts: Result<Vec<_>, Error> = (0..schema.texts).map(|column| segment.texts(column)).collect();
                let numbers: Result<Vec<_>, Error> =
                    (0..schema.numbers).map(|column| segment.numbers(column)).collect();
                let (texts, numbers) = (texts?, numbers?);
                let mut reader = RowReader::default();
                let mut codes = vec![0; schema.symbols.len()];
                for index in live.filter(|index| wanted(ids.get(*index))) {
                    let rest = row::decode(reader.row(self, index)?, &mut codes)?;
                    let numbers = numbers.iter().map(|numbers| numbers.get(index));
                    let texts = texts.iter().map(|texts| texts.get(index));
                    let (time, id) = (times[index], ids.get(index));
                    into.push(Coded { time, id, codes: &codes, numbers, texts, rest })?;
                }
                Ok(())
            }
        }
    }

    pub(crate) fn is_superseded(&self, index: usize) -> bool {
        !self.superseded.is_empty() && u32::try_from(index).is_ok_and(|index| self.superseded.contains(index))
    }

    /// The rows whose time is in a range.
    pub(crate) fn range(&self, TimeRange { from, to }: TimeRange) -> Result<Range<usize>, Error> {
        let (first, last) = self.span();
        let period = TimeRange { from, to };
        if period.covers(first, last) {
            return Ok(0..self.len());
        }
        if !period.overlaps(first, last) {
            return Ok(0..0);
        }
        let times = self.times()?;
        let start = from.map_or(0, |from| times.partition_point(|time| *time < from));
        let end = to.map_or(times.len(), |to| times.partition_point(|time| *time <= to));
        Ok(start..end.max(start))
    }

    /// How many rows are ordered before a position: those of earlier times, and those of its time whose ids are before it.
    pub(crate) fn before(&self, time: i64, is_before: impl Fn(&[u8]) -> bool) -> Result<usize, Error> {
        let (first, last) = self.span();
        if time < first {
            return Ok(0);
        }
        if time > last {
            return Ok(self.len());
        }
        let times = self.times()?;
        let start = times.partition_point(|other| *other < time);
        let equal = times[start..].partition_point(|other| *other == time);
        if equal == 0 {
            return Ok(start);
        }
        let ids = self.ids()?;
        Ok(start + (start..start + equal).take_while(|index| is_before(ids.get(*index))).count())
    }

    /// How many rows of a range are superseded.
    pub(crate) fn superseded_in(&self, range: &Range<usize>) -> u64 {
        if self.superseded.is_empty() {
            return 0;
        }
        bounds(range).map_or(0, |bounds| self.superseded.range_cardinality(bounds))
    }

    /// The superseded rows of a range.
    pub(crate) fn superseded_rows(&self, range: &Range<usize>) -> impl Iterator<Item = u32> {
        bounds(range).into_iter().flat_map(|bounds| self.superseded.range(bounds))
    }
}

/// A range of rows as sets of rows have it. A part has no row that is not numbered.
pub(crate) fn bounds(range: &Range<usize>) -> Option<Range<u32>> {
    Some(u32::try_from(range.start).ok()?..u32::try_from(range.end).ok()?)
}

/// Reads what it takes to show rows: their codes and rest. Neighbours are often asked for one after the other, and
/// stand in the same block.
#[derive(Debug, Default)]
pub(crate) struct RowReader {
    /// The last block, by the numbers of its segment and of itself.
    last: Option<((u32, usize), Arc<Slices>)>,
}

impl RowReader {
    pub(crate) fn row<'a>(&'a mut self, part: &'a Part, index: usize) -> Result<&'a [u8], Error> {
        let segment = match &part.body {
            Body::Chunk(chunk) => return Ok(chunk.columns.rows.get(index)),
            Body::Segment(segment) => segment,
        };
        let place = (segment.number, index / BLOCK_ROWS);
        let block = match self.last.take() {
            Some((last, block)) if last == place => block,
            Some(_) | None => segment.block(place.1)?,
        };
        let (_, block) = self.last.insert((place, block));
        Ok(block.get(index % BLOCK_ROWS))
    }
}

/// Reads the blocks that rows stand in side by side, where many of them are not in memory: a disk takes its time for each
/// of them, and serves many at once.
pub(crate) fn prefetch_blocks(places: &[(Part, usize)]) {
    /// Fewer are read as quickly one after the other.
    const MIN_BLOCKS: usize = 8;
    const MAX_THREADS: usize = 16;
    let blocks = places.iter().filter_map(|(part, index)| Some((part.segment()?, index / BLOCK_ROWS)));
    let mut missing: Vec<(&Segment, usize)> = blocks.collect();
    missing.dedup_by_key(|(segment, block)| (segment.number, *block));
    missing.retain(|(segment, block)| !segment.has_block(*block));
    if missing.len() < MIN_BLOCKS {
        return;
    }
    let next = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for _ in 0..missing.len().min(MAX_THREADS) {
            let read = || {
                while let Some((segment, block)) = missing.get(next.fetch_add(1, Ordering::Relaxed)) {
                    // Who needs it meets the error again, and says so.
                    let _ = segment.block(*block);
                }
            };
            // Without a thread more, others do its work, or the caller does.
            let _ = std::thread::Builder::new().name("block-reader".to_owned()).spawn_scoped(scope, read);
        }
    });
}
