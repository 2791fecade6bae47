//! Dictionaries: each symbol once, with the code that stands for it in columns.
//!
//! A table's dictionaries only grow. When they have grown too large, the table begins a new *epoch* with empty ones;
//! segments keep the epoch that they were sealed in. So what is held for writing is bounded, however many different
//! values there are, and old epochs are read through the cache like any column.

use std::collections::HashMap;
use std::sync::Arc;

use foldhash::fast::RandomState;
use memchr::memmem;
use roaring::RoaringBitmap;

use crate::row::{Schema, Searched};
use crate::slices::Slices;
use crate::{Error, frame, key, pieces};

/// The dictionaries of one table in one epoch.
#[derive(Debug)]
pub(crate) struct Dictionaries {
    pub(crate) epoch: u32,
    dictionaries: Vec<Dictionary>,
}

#[derive(Debug, Default)]
struct Dictionary {
    symbols: Vec<Arc<[u8]>>,
    codes: HashMap<Arc<[u8]>, u32, RandomState>,
    /// The code of the next.
    next: u32,
    bytes: usize,
    searched: Option<Searched>,
    /// The searched texts of all symbols, end to end.
    texts: Vec<u8>,
    /// Where those of each symbol end.
    text_ends: Vec<usize>,
}

const WHAT: &str = "a dictionary";

/// Stands behind each searched text, so that nothing is found across two. No UTF-8 text holds it.
const BETWEEN: u8 = 0xff;

impl Dictionaries {
    pub(crate) fn new(epoch: u32, schema: &Schema) -> Self {
        let empty = |number| Dictionary { searched: schema.searched(number), ..Dictionary::default() };
        Self { epoch, dictionaries: (0..schema.dictionaries()).map(empty).collect() }
    }

    /// Reads an epoch's dictionaries.
    pub(crate) fn load(tree: &sled::Tree, table: &[u8], epoch: u32, schema: &Schema) -> Result<Self, Error> {
        let mut loaded = Self::new(epoch, schema);
        for (key, value) in pieces::scan(tree, &key::key(table, key::Kind::Symbols, &[epoch]))? {
            let [_, dictionary, first] = key::numbers(&key).ok_or(Error::Damaged(WHAT))?;
            let symbols = Slices::decode(&frame::open(&value, WHAT)?, WHAT)?;
            let dictionary = loaded.dictionaries.get_mut(dictionary as usize).ok_or(Error::Damaged(WHAT))?;
            if dictionary.symbols.len() != first as usize {
                return Err(Error::Damaged(WHAT));
            }
            for (code, symbol) in (first..).zip(symbols.iter()) {
                dictionary.add(code, symbol.into());
            }
        }
        Ok(loaded)
    }

    pub(crate) fn code(&self, dictionary: usize, symbol: &[u8]) -> Option<u32> {
        self.dictionaries[dictionary].codes.get(symbol).copied()
    }

    pub(crate) fn symbol(&self, dictionary: usize, code: u32) -> Result<Arc<[u8]>, Error> {
        let symbol = self.dictionaries[dictionary].symbols.get(code as usize);
        symbol.cloned().ok_or(Error::Damaged(WHAT))
    }

    pub(crate) fn symbols(&self, dictionary: usize) -> &[Arc<[u8]>] {
        &self.dictionaries[dictionary].symbols
    }

    /// The codes of the symbols in whose searched texts `needle` is found.
    pub(crate) fn containing(&self, dictionary: usize, needle: &[u8]) -> RoaringBitmap {
        let Dictionary { texts, text_ends, .. } = &self.dictionaries[dictionary];
        let finder = memmem::Finder::new(needle);
        let mut found = RoaringBitmap::new();
        let mut start = 0;
        while let Some(place) = texts.get(start..).and_then(|rest| finder.find(rest)) {
            let index = text_ends.partition_point(|end| *end <= start + place);
            // An empty needle is found behind the last symbol too, which has no code.
            let (Some(end), Ok(code)) = (text_ends.get(index), u32::try_from(index)) else { break };
            found.insert(code);
            start = *end;
        }
        found
    }

    /// Takes new symbols in, which were given the codes that follow the known ones.
    pub(crate) fn extend(&mut self, new: &NewSymbols) {
        for (dictionary, new) in self.dictionaries.iter_mut().zip(&new.dictionaries) {
            for (code, symbol) in (new.first..).zip(&new.symbols) {
                dictionary.add(code, symbol.clone());
            }
        }
    }

    /// How many symbols all dictionaries hold.
    pub(crate) fn len(&self) -> usize {
        self.dictionaries.iter().map(|dictionary| dictionary.symbols.len()).sum()
    }

    /// How many bytes the symbols of all dictionaries have.
    pub(crate) fn bytes(&self) -> usize {
        self.dictionaries.iter().map(|dictionary| dictionary.bytes).sum()
    }

    /// About how many bytes of memory they take.
    pub(crate) fn weight(&self) -> usize {
        /// Of an allocation: its counters, and what it is rounded up by.
        const ALLOCATION: usize = 16 + 16;
        /// Of the hash table: an entry and its control byte.
        const ENTRY: usize = 24 + 1;
        let weight = |known: &Dictionary| {
            let lists = 16 * known.symbols.capacity() + 8 * known.text_ends.capacity() + known.texts.capacity();
            known.bytes + ALLOCATION * known.symbols.len() + ENTRY * known.codes.capacity() * 8 / 7 + lists
        };
        self.dictionaries.iter().map(weight).sum()
    }
}

impl Dictionary {
    fn add(&mut self, code: u32, symbol: Arc<[u8]>) {
        self.next = code + 1;
        self.bytes += symbol.len();
        if let Some(searched) = self.searched {
            let texts = &mut self.texts;
            searched(&symbol, &mut |text| {
                texts.extend_from_slice(text);
                texts.push(BETWEEN);
            });
            self.text_ends.push(self.texts.len());
        }
        self.codes.insert(symbol.clone(), code);
        self.symbols.push(symbol);
    }
}

/// Symbols that are not committed yet, for each dictionary.
#[derive(Debug)]
pub(crate) struct NewSymbols {
    dictionaries: Vec<NewDictionary>,
}

#[derive(Debug, Default)]
struct NewDictionary {
    /// The code of the first.
    first: u32,
    /// The code of the next.
    next: u32,
    bytes: usize,
    symbols: Vec<Arc<[u8]>>,
    codes: HashMap<Arc<[u8]>, u32, RandomState>,
}

impl NewSymbols {
    /// None yet, beyond those of `known`.
    pub(crate) fn beyond(known: &Dictionaries) -> Self {
        let after = |dictionary: &Dictionary| NewDictionary {
            first: dictionary.next,
            next: dictionary.next,
            ..NewDictionary::default()
        };
        Self { dictionaries: known.dictionaries.iter().map(after).collect() }
    }

    /// The code of a symbol that is not known otherwise.
    pub(crate) fn code(&mut self, dictionary: usize, symbol: &[u8]) -> Result<u32, Error> {
        let new = &mut self.dictionaries[dictionary];
        if let Some(code) = new.codes.get(symbol) {
            return Ok(*code);
        }
        let code = new.next;
        new.next = code.checked_add(1).ok_or(Error::TooLarge(WHAT))?;
        new.bytes += symbol.len();
        let symbol: Arc<[u8]> = symbol.into();
        new.codes.insert(symbol.clone(), code);
        new.symbols.push(symbol);
        Ok(code)
    }

    /// How many bytes the symbols of all dictionaries have.
    pub(crate) fn bytes(&self) -> usize {
        self.dictionaries.iter().map(|dictionary| dictionary.bytes).sum()
    }

    pub(crate) fn len(&self) -> usize {
        self.dictionaries.iter().map(|dictionary| dictionary.symbols.len()).sum()
    }

    pub(crate) fn symbol(&self, dictionary: usize, code: u32) -> Option<Arc<[u8]>> {
        let new = &self.dictionaries[dictionary];
        new.symbols.get(code.checked_sub(new.first)? as usize).cloned()
    }

    /// The values that make them durable: dictionary, first code, value.
    pub(crate) fn values(&self, framer: &mut frame::Framer) -> Result<Vec<(u32, u32, Vec<u8>)>, Error> {
        let mut values = Vec::new();
        for (number, new) in (0_u32..).zip(&self.dictionaries) {
            if new.symbols.is_empty() {
                continue;
            }
            let mut slices = Slices::default();
            for symbol in &new.symbols {
                slices.push(symbol, WHAT)?;
            }
            values.push((number, new.first, framer.frame(&slices.encode(WHAT)?, WHAT)?));
        }
        Ok(values)
    }
}
