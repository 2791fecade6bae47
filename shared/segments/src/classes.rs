//! What rows count as, by the values of their columns.
//!
//! A class is asked for once for each code that rows have, of each epoch of the dictionary that it is of: codes of the same
//! value in several epochs, and values that count as the same, meet in one class.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::RandomState;

use crate::Error;
use crate::closed::ClosedKey;
use crate::codes::Rows;
use crate::part::Part;
use crate::row::{Schema, Symbol};
use crate::selected::{Listed, Selected};
use crate::table::Table;

/// Says which class rows with a symbol belong to, and with the symbol of a second column, which is empty where there is
/// none. Classes are numbered from zero on, without gaps that matter: there is a count for each. None: such rows are passed
/// over.
pub type Classify<'a> = dyn Fn(&[u8], &[u8]) -> Result<Option<u32>, Error> + 'a;

/// What rows are counted by.
#[derive(Clone, Copy)]
pub struct Facet<'a> {
    /// The column whose values are classified.
    pub column: usize,
    /// Another one that this takes, where it does.
    pub beside: Option<usize>,
    /// What they count as.
    pub classify: &'a Classify<'a>,
}

/// The classes of a facet, as far as they were asked for.
pub(crate) struct Classes<'a> {
    table: &'a Table,
    schema: &'a Schema,
    facet: Facet<'a>,
    /// By the epoch of the column's dictionary, for each code.
    of_codes: HashMap<u32, Vec<u32>>,
    /// By the epochs of both dictionaries, for each pair of codes.
    of_pairs: HashMap<(u32, u32), HashMap<u64, u32, RandomState>>,
    /// How many of both are in memory.
    held: usize,
    /// For each code how many rows have it; all zero but while they are counted.
    tally: Vec<u32>,
}

/// So many classes of codes stay in memory; more of them are asked for again where they are needed.
const MAX_HELD: usize = 1 << 22;
/// No class is known yet.
const UNKNOWN: u32 = u32::MAX;
/// The rows are passed over. Classes follow it, see [`class_of`].
const PASSED_OVER: u32 = 0;

/// The class of a place behind [`PASSED_OVER`].
pub(crate) fn class_of(place: u32) -> Option<u32> {
    place.checked_sub(1)
}

impl<'a> Classes<'a> {
    pub(crate) fn new(table: &'a Table, schema: &'a Schema, facet: Facet<'a>) -> Self {
        let (of_codes, of_pairs) = (HashMap::new(), HashMap::new());
        Self { table, schema, facet, of_codes, of_pairs, held: 0, tally: Vec::new() }
    }

    /// Adds to the counts of classes the rows that match of a part, or of a piece of it.
    pub(crate) fn count(
        &mut self,
        selected: &Selected,
        listed: &Listed<'_>,
        piece: &Range<usize>,
        counts: &mut Vec<u64>,
    ) -> Result<(), Error> {
        let mut add = |place: u32, count: u32| {
            let Some(class) = class_of(place) else { return };
            let class = class as usize;
            if counts.len() <= class {
                counts.resize(class + 1, 0);
            }
            counts[class] += u64::from(count);
        };
        if self.facet.beside.is_some() {
            for place in self.places(&selected.part, &listed.within(piece))? {
                add(place, 1);
            }
            return Ok(());
        }
        let counted = if *piece == (0..selected.part.len()) { self.counted(selected)? } else { None };
        let counted = match counted {
            Some(counted) => counted,
            None => self.tallied(&selected.part, &listed.within(piece))?,
        };
        let places = self.ask(&selected.part, counted.iter().map(|(code, _)| *code))?;
        for (code, count) in counted {
            add(places[code as usize], count);
        }
        Ok(())
    }

    /// For each of some rows the place of its class.
    pub(crate) fn places(&mut self, part: &Part, rows: &Rows<'_>) -> Result<Vec<u32>, Error> {
        if let Some(beside) = self.facet.beside {
            return self.places_of_pairs(part, beside, rows);
        }
        let codes = part.codes(self.facet.column)?;
        let mut own = Vec::with_capacity(rows.len());
        codes.visit(rows, |code| own.push(code));
        let present = part.present(self.facet.column);
        let places = if present.len() <= own.len() as u64 {
            self.ask(part, present.iter())?
        } else {
            let mut codes = own.clone();
            codes.sort_unstable();
            codes.dedup();
            self.ask(part, codes.into_iter())?
        };
        for code in &mut own {
            *code = places[*code as usize];
        }
        Ok(own)
    }

    fn places_of_pairs(&mut self, part: &Part, beside: usize, rows: &Rows<'_>) -> Result<Vec<u32>, Error> {
        let (one, other) = (part.codes(self.facet.column)?, part.codes(beside)?);
        let mut pairs = Vec::with_capacity(rows.len());
        one.visit(rows, |code| pairs.push(u64::from(code) << 32));
        let mut left = pairs.iter_mut();
        other.visit(rows, |code| {
            if let Some(pair) = left.next() {
                *pair |= u64::from(code);
            }
        });
        let keys = (self.key(part, self.facet.column), self.key(part, beside));
        self.make_room();
        let places = self.of_pairs.entry((keys.0.1, keys.1.1)).or_default();
        let mut unknown: Vec<u64> = pairs.iter().copied().filter(|pair| !places.contains_key(pair)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        let symbols = |key: ClosedKey, code: fn(u64) -> u64| {
            let codes: Vec<u32> = unknown.iter().filter_map(|pair| u32::try_from(code(*pair)).ok()).collect();
            self.table.symbols(self.schema, key, &codes)
        };
        let symbols = (symbols(keys.0, |pair| pair >> 32)?, symbols(keys.1, |pair| pair & u64::from(u32::MAX))?);
        for ((pair, one), other) in unknown.into_iter().zip(symbols.0).zip(symbols.1) {
            places.insert(pair, place((self.facet.classify)(&one, &other)?));
            self.held += 1;
        }
        Ok(pairs.iter().map(|pair| places.get(pair).copied().unwrap_or(PASSED_OVER)).collect())
    }

    /// How many rows that match have each code, where a segment has counted all of its own and few are left out.
    fn counted(&self, selected: &Selected) -> Result<Option<Vec<(u32, u32)>>, Error> {
        let (part, column) = (&selected.part, self.facet.column);
        let Some(counts) = part.segment().and_then(|segment| segment.counts(column)) else { return Ok(None) };
        let Some(left_out) = selected.left_out() else { return Ok(None) };
        let all = part.present(column).iter().zip(counts).map(|(code, count)| (code, *count));
        if left_out.is_empty() {
            return Ok(Some(all.collect()));
        }
        let codes = part.codes(column)?;
        let mut left: HashMap<u32, u32, RandomState> = HashMap::default();
        for row in left_out {
            *left.entry(codes.get(row as usize)).or_default() += 1;
        }
        let less =
            |(code, count): (u32, u32)| (code, count.saturating_sub(left.get(&code).copied().unwrap_or_default()));
        Ok(Some(all.map(less).filter(|(_, count)| *count > 0).collect()))
    }

    /// How many of some rows have each code.
    fn tallied(&mut self, part: &Part, rows: &Rows<'_>) -> Result<Vec<(u32, u32)>, Error> {
        let (codes, present) = (part.codes(self.facet.column)?, part.present(self.facet.column));
        let longest = present.max().map_or(0, |code| code as usize + 1);
        if self.tally.len() < longest {
            self.tally.resize(longest, 0);
        }
        codes.tally(rows, &mut self.tally);
        let mut counted = Vec::new();
        let mut take = |code: u32| {
            let count = std::mem::take(&mut self.tally[code as usize]);
            if count > 0 {
                counted.push((code, count));
            }
        };
        if (rows.len() as u64) < present.len() {
            codes.visit(rows, take);
            // Symbols of a closed dictionary are read in the order of their codes.
            counted.sort_unstable();
        } else {
            present.iter().for_each(&mut take);
        }
        Ok(counted)
    }

    /// The places of classes by code, in which those of some codes, which come in order, are known.
    fn ask(&mut self, part: &Part, codes: impl Iterator<Item = u32>) -> Result<&[u32], Error> {
        let key = self.key(part, self.facet.column);
        self.make_room();
        let places = self.of_codes.entry(key.1).or_default();
        let longest = part.present(self.facet.column).max().map_or(0, |code| code as usize + 1);
        if places.len() < longest {
            self.held += longest - places.len();
            places.resize(longest, UNKNOWN);
        }
        let unknown: Vec<u32> = codes.filter(|code| places[*code as usize] == UNKNOWN).collect();
        let symbols: Vec<Symbol> = self.table.symbols(self.schema, key, &unknown)?;
        for (code, symbol) in unknown.into_iter().zip(symbols) {
            places[code as usize] = place((self.facet.classify)(&symbol, &[])?);
        }
        Ok(places)
    }

    fn make_room(&mut self) {
        if self.held > MAX_HELD {
            self.of_codes.clear();
            self.of_pairs.clear();
            self.held = 0;
        }
    }

    /// The dictionary of a column's codes in a part.
    fn key(&self, part: &Part, column: usize) -> ClosedKey {
        let dictionary = usize::from(self.schema.symbols[column]);
        (dictionary, part.epochs()[dictionary])
    }
}

fn place(class: Option<u32>) -> u32 {
    class.map_or(PASSED_OVER, |class| class + 1)
}
