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
    bytes: usize,
    searched: Option<Searched>,
    /// The searched texts of each symbol.
    texts: Slices,
}

/// Stands behind each searched text, so that nothing is found across two. No UTF-8 text holds it.
const BETWEEN: u8 = 0xff;

impl Dictionaries {
    pub(crate) fn new(epoch: u32, schema: &Schema) -> Self {
        let empty = |number| Dictionary { searched: schema.searched(number), ..Dictionary::default() };
        Self { epoch, dictionaries: (0..schema.dictionaries()).map(empty).collect() }
    }

    /// Reads an epoch's dictionaries.
    pub(crate) fn load(tree: &sled::Tree, table: &[u8], epoch: u32, schema: &Schema) -> Result<Self, Error> {
        const WHAT: &str = "a dictionary";
        let mut loaded = Self::new(epoch, schema);
        for (key, value) in pieces::scan(tree, &key::key(table, key::Kind::Symbols, &[epoch]))? {
            let [_, dictionary, first] = key::numbers(&key).ok_or(Error::Damaged(WHAT))?;
            let symbols = Slices::decode(&frame::open(&value, WHAT)?, WHAT)?;
            let dictionary = loaded.dictionaries.get_mut(dictionary as usize).ok_or(Error::Damaged(WHAT))?;
            if dictionary.symbols.len() != first as usize {
                return Err(Error::Damaged(WHAT));
            }
            for index in 0..symbols.len() {
                dictionary.add(symbols.get(index).into());
            }
        }
        Ok(loaded)
    }

    pub(crate) fn code(&self, dictionary: usize, symbol: &[u8]) -> Option<u32> {
        self.dictionaries[dictionary].codes.get(symbol).copied()
    }

    pub(crate) fn symbol(&self, dictionary: usize, code: u32) -> Result<Arc<[u8]>, Error> {
        let symbol = self.dictionaries[dictionary].symbols.get(code as usize);
        symbol.cloned().ok_or(Error::Damaged("a dictionary"))
    }

    pub(crate) fn symbols(&self, dictionary: usize) -> &[Arc<[u8]>] {
        &self.dictionaries[dictionary].symbols
    }

    /// The codes of the symbols in whose searched texts `needle` is found.
    pub(crate) fn containing(&self, dictionary: usize, needle: &[u8]) -> RoaringBitmap {
        let texts = &self.dictionaries[dictionary].texts;
        let finder = memmem::Finder::new(needle);
        let mut found = RoaringBitmap::new();
        let mut start = 0;
        while let Some(place) = texts.bytes().get(start..).and_then(|rest| finder.find(rest)) {
            let code = texts.index_of(start + place);
            if code >= texts.len() {
                break;
            }
            found.insert(u32::try_from(code).unwrap_or(u32::MAX));
            start = texts.end(code);
        }
        found
    }

    /// Takes new symbols in, which were given the codes that follow the known ones.
    pub(crate) fn extend(&mut self, new: &NewSymbols) {
        for (dictionary, new) in self.dictionaries.iter_mut().zip(&new.dictionaries) {
            for symbol in &new.symbols {
                dictionary.add(symbol.clone());
            }
        }
    }

    /// How many symbols all dictionaries hold.
    pub(crate) fn len(&self) -> usize {
        self.dictionaries.iter().map(|dictionary| dictionary.symbols.len()).sum()
    }

    /// About how many bytes of memory they take.
    pub(crate) fn weight(&self) -> usize {
        /// An allocation with its counters, a place in the list, an entry of the hash table.
        const EACH: usize = 16 + 16 + 32;
        let weight = |known: &Dictionary| known.bytes + known.texts.weight() + EACH * known.symbols.len();
        self.dictionaries.iter().map(weight).sum()
    }
}

impl Dictionary {
    fn add(&mut self, symbol: Arc<[u8]>) {
        let code = u32::try_from(self.symbols.len()).unwrap_or(u32::MAX);
        self.bytes += symbol.len();
        if let Some(searched) = self.searched {
            let mut texts = Vec::new();
            searched(&symbol, &mut |text| {
                texts.extend_from_slice(text);
                texts.push(BETWEEN);
            });
            self.texts.push(&texts);
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
    symbols: Vec<Arc<[u8]>>,
    codes: HashMap<Arc<[u8]>, u32, RandomState>,
}

impl NewSymbols {
    /// None yet, beyond those of `known`.
    pub(crate) fn beyond(known: &Dictionaries) -> Self {
        let after = |dictionary: &Dictionary| NewDictionary {
            first: u32::try_from(dictionary.symbols.len()).unwrap_or(u32::MAX),
            ..NewDictionary::default()
        };
        Self { dictionaries: known.dictionaries.iter().map(after).collect() }
    }

    /// The code of a symbol that is not known otherwise.
    pub(crate) fn code(&mut self, dictionary: usize, symbol: &[u8]) -> u32 {
        let new = &mut self.dictionaries[dictionary];
        if let Some(code) = new.codes.get(symbol) {
            return *code;
        }
        let code = new.first.saturating_add(u32::try_from(new.symbols.len()).unwrap_or(u32::MAX));
        let symbol: Arc<[u8]> = symbol.into();
        new.codes.insert(symbol.clone(), code);
        new.symbols.push(symbol);
        code
    }

    pub(crate) fn len(&self) -> usize {
        self.dictionaries.iter().map(|dictionary| dictionary.symbols.len()).sum()
    }

    pub(crate) fn symbol(&self, dictionary: usize, code: u32) -> Option<Arc<[u8]>> {
        let new = &self.dictionaries[dictionary];
        new.symbols.get(code.checked_sub(new.first)? as usize).cloned()
    }

    /// The values that make them durable: dictionary, first code, value.
    pub(crate) fn values(&self, framer: &mut frame::Framer) -> Vec<(u32, u32, Vec<u8>)> {
        let mut values = Vec::new();
        for (number, new) in (0_u32..).zip(&self.dictionaries) {
            if new.symbols.is_empty() {
                continue;
            }
            let mut slices = Slices::default();
            for symbol in &new.symbols {
                slices.push(symbol);
            }
            values.push((number, new.first, framer.frame(&slices.encode())));
        }
        values
    }
}
