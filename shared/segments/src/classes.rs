//! What rows count as, by the values of their columns.
//!
//! A class is asked for once for each code that rows have, of each epoch of the dictionary that it is of: codes of the same
//! value in several epochs, and values that count as the same, meet in one class. Facets of the same column share the look at
//! its rows, and at its symbols.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::Error;
use crate::amount::Amount;
use crate::closed::ClosedKey;
use crate::codes::Rows;
use crate::part::Part;
use crate::row::{Schema, Symbol};
use crate::selected::{Piece, Selected};
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

impl Facet<'_> {
    /// What facets have in common that are counted together.
    pub(crate) fn columns(&self) -> (usize, Option<usize>) {
        (self.column, self.beside)
    }
}

/// The classes of facets of the same columns, as far as they were asked for.
pub(crate) struct Classes<'a> {
    table: &'a Table,
    schema: &'a Schema,
    column: usize,
    beside: Option<usize>,
    /// What says which class it is, for each facet.
    classify: Vec<&'a Classify<'a>>,
    /// By the epoch of the column's dictionary, for each facet, for each code.
    of_codes: HashMap<u32, Vec<Vec<u32>>>,
    /// By the epochs of both dictionaries, for each pair of codes, for each facet.
    of_pairs: HashMap<(u32, u32), OfPairs>,
    /// How many of both are in memory.
    held: usize,
    /// For each code how many rows have it, and how much they measure; all zero but while they are counted.
    tally: Vec<u32>,
    sums: Vec<u128>,
}

type OfPairs = HashMap<u64, Box<[u32]>, RandomState>;

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
    pub(crate) fn new(table: &'a Table, schema: &'a Schema, facets: &[Facet<'a>]) -> Self {
        let (column, beside) = facets.first().map_or((0, None), Facet::columns);
        let classify = facets.iter().map(|facet| facet.classify).collect();
        let (of_codes, of_pairs) = (HashMap::new(), HashMap::new());
        let (tally, sums) = (Vec::new(), Vec::new());
        Self { table, schema, column, beside, classify, of_codes, of_pairs, held: 0, tally, sums }
    }

    /// Adds to the amounts of classes, of each facet, some rows that match.
    pub(crate) fn count(&mut self, piece: &Piece<'_>, amounts: &mut [Vec<Amount>]) -> Result<(), Error> {
        let (part, values) = (&piece.selected.part, piece.values.as_deref());
        if self.beside.is_some() {
            let places = self.places(part, &piece.rows)?;
            for (amounts, places) in amounts.iter_mut().zip(places) {
                let mut values = values.map(<[u64]>::iter);
                for place in places {
                    let value = values.as_mut().and_then(Iterator::next).copied().unwrap_or_default();
                    add(amounts, place, Amount { count: 1, sum: value.into() });
                }
            }
            return Ok(());
        }
        let is_known = piece.is_whole && values.is_none();
        let counted = if is_known { self.counted(piece.selected)? } else { None };
        let counted = match counted {
            Some(counted) => counted,
            None => self.tallied(part, &piece.rows, values)?,
        };
        let places = self.ask(part, counted.iter().map(|(code, _)| *code))?;
        for (amounts, places) in amounts.iter_mut().zip(places) {
            for (code, amount) in &counted {
                add(amounts, places[*code as usize], *amount);
            }
        }
        Ok(())
    }

    /// For each facet the places of the classes of some rows.
    pub(crate) fn places(&mut self, part: &Part, rows: &Rows<'_>) -> Result<Vec<Vec<u32>>, Error> {
        if let Some(beside) = self.beside {
            return self.places_of_pairs(part, beside, rows);
        }
        let codes = part.codes(self.column)?;
        let mut own = Vec::with_capacity(rows.len());
        codes.visit(rows, |code| own.push(code));
        let present = part.present(self.column);
        let places = if present.len() <= own.len() as u64 {
            self.ask(part, present.iter())?
        } else {
            let mut codes = own.clone();
            codes.sort_unstable();
            codes.dedup();
            self.ask(part, codes.into_iter())?
        };
        Ok(places.iter().map(|places| own.iter().map(|code| places[*code as usize]).collect()).collect())
    }

    fn places_of_pairs(&mut self, part: &Part, beside: usize, rows: &Rows<'_>) -> Result<Vec<Vec<u32>>, Error> {
        let (one, other) = (part.codes(self.column)?, part.codes(beside)?);
        let mut pairs = Vec::with_capacity(rows.len());
        one.visit(rows, |code| pairs.push(u64::from(code) << 32));
        let mut left = pairs.iter_mut();
        other.visit(rows, |code| {
            if let Some(pair) = left.next() {
                *pair |= u64::from(code);
            }
        });
        let keys = (self.key(part, self.column), self.key(part, beside));
        self.make_room();
        let known = self.of_pairs.entry((keys.0.1, keys.1.1)).or_default();
        let mut unknown: Vec<u64> = pairs.iter().copied().filter(|pair| !known.contains_key(pair)).collect();
        unknown.sort_unstable();
        unknown.dedup();
        let symbols = |key: ClosedKey, code: fn(u64) -> u64| {
            let codes: Vec<u32> = unknown.iter().filter_map(|pair| u32::try_from(code(*pair)).ok()).collect();
            self.table.symbols(self.schema, key, &codes)
        };
        let symbols = (symbols(keys.0, |pair| pair >> 32)?, symbols(keys.1, |pair| pair & u64::from(u32::MAX))?);
        for ((pair, one), other) in unknown.into_iter().zip(symbols.0).zip(symbols.1) {
            let places = self.classify.iter().map(|classify| Ok(place(classify(&one, &other)?)));
            known.insert(pair, places.collect::<Result<_, Error>>()?);
            self.held += self.classify.len();
        }
        let of_facet = |facet: usize| {
            let place = |pair: &u64| known.get(pair).map_or(PASSED_OVER, |places| places[facet]);
            pairs.iter().map(place).collect()
        };
        Ok((0..self.classify.len()).map(of_facet).collect())
    }

    /// How many rows that match have each code, where a segment has counted all of its own and few are left out.
    fn counted(&self, selected: &Selected) -> Result<Option<Vec<(u32, Amount)>>, Error> {
        let (part, column) = (&selected.part, self.column);
        let Some(counts) = part.segment().and_then(|segment| segment.counts(column)) else { return Ok(None) };
        let Some(left_out) = selected.left_out() else { return Ok(None) };
        let all = part.present(column).iter().zip(counts).map(|(code, count)| (code, u64::from(*count)));
        if left_out.is_empty() {
            return Ok(Some(all.map(|(code, count)| (code, Amount::of(count))).collect()));
        }
        let codes = part.codes(column)?;
        let mut left: HashMap<u32, u64, RandomState> = HashMap::default();
        for row in left_out {
            *left.entry(codes.get(row as usize)).or_default() += 1;
        }
        let less = |(code, count): (u32, u64)| {
            (code, Amount::of(count.saturating_sub(left.get(&code).copied().unwrap_or_default())))
        };
        Ok(Some(all.map(less).filter(|(_, amount)| amount.count > 0).collect()))
    }

    /// How many of some rows have each code, and how much they measure, where that is given.
    fn tallied(&mut self, part: &Part, rows: &Rows<'_>, values: Option<&[u64]>) -> Result<Vec<(u32, Amount)>, Error> {
        let (codes, present) = (part.codes(self.column)?, part.present(self.column));
        let longest = present.max().map_or(0, |code| code as usize + 1);
        if self.tally.len() < longest {
            self.tally.resize(longest, 0);
        }
        codes.tally(rows, &mut self.tally);
        if let Some(values) = values {
            if self.sums.len() < longest {
                self.sums.resize(longest, 0);
            }
            let mut values = values.iter();
            codes.visit(rows, |code| {
                self.sums[code as usize] += values.next().copied().map_or(0, u128::from);
            });
        }
        let mut counted = Vec::new();
        let mut take = |code: u32| {
            let count = std::mem::take(&mut self.tally[code as usize]);
            if count > 0 {
                let sum = self.sums.get_mut(code as usize).map(std::mem::take).unwrap_or_default();
                counted.push((code, Amount { count: count.into(), sum }));
            }
        };
        if (rows.len() as u64) < present.len() {
            codes.visit(rows, take);
            // Symbols of a closed dictionary are read in the order of their codes.
            counted.sort_unstable_by_key(|(code, _)| *code);
        } else {
            present.iter().for_each(&mut take);
        }
        Ok(counted)
    }

    /// For each facet the places of classes by code, in which those of some codes, which come in order, are known.
    fn ask(&mut self, part: &Part, codes: impl Iterator<Item = u32>) -> Result<&[Vec<u32>], Error> {
        let key = self.key(part, self.column);
        self.make_room();
        let facets = self.classify.len();
        let places = self.of_codes.entry(key.1).or_insert_with(|| vec![Vec::new(); facets]);
        let longest = part.present(self.column).max().map_or(0, |code| code as usize + 1);
        for places in &mut *places {
            if places.len() < longest {
                self.held += longest - places.len();
                places.resize(longest, UNKNOWN);
            }
        }
        // Of all facets the same are known.
        let is_unknown = |code: &u32| places.first().is_some_and(|places| places[*code as usize] == UNKNOWN);
        let unknown: Vec<u32> = codes.filter(is_unknown).collect();
        let symbols: Vec<Symbol> = self.table.symbols(self.schema, key, &unknown)?;
        for (code, symbol) in unknown.into_iter().zip(symbols) {
            for (places, classify) in places.iter_mut().zip(&self.classify) {
                places[code as usize] = place(classify(&symbol, &[])?);
            }
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

/// Adds an amount to that of a class.
fn add(amounts: &mut Vec<Amount>, place: u32, amount: Amount) {
    let Some(class) = class_of(place) else { return };
    let class = class as usize;
    if amounts.len() <= class {
        amounts.resize(class + 1, Amount::default());
    }
    amounts[class] += amount;
}
