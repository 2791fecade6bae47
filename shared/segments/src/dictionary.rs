//! Open dictionaries: each symbol once, with the code that stands for it in columns.
//!
//! A table's open dictionaries are in memory and only grow. One that has grown too large is closed, see
//! [`crate::closed`], and begins a new *epoch* with the symbols of the rows that are not sealed; the others stay as they
//! are. So what is held for writing is bounded, however many different values there are, and a column with few values
//! keeps its dictionary beside one with many. Parts of a table keep the epochs that they were written in.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use foldhash::fast::RandomState;
use memchr::memmem::Finder;
use roaring::RoaringBitmap;

use crate::membership::hash;
use crate::points::{OpenPoints, set_of};
use crate::row::{Schema, Symbol, Texts};
use crate::searched::SearchedTexts;
use crate::slices::Slices;
use crate::wanted::{Wanted, Wants};
use crate::{Error, frame, key, pieces};

/// For each dictionary the epoch of it that codes are of.
pub(crate) type Epochs = Arc<[u32]>;

/// The open dictionaries of one table.
#[derive(Debug)]
pub(crate) struct Dictionaries {
    epochs: Epochs,
    dictionaries: Vec<Dictionary>,
}

/// One of them.
#[derive(Debug, Default)]
pub(crate) struct Dictionary {
    symbols: Vec<Symbol>,
    codes: HashMap<Symbol, u32, RandomState>,
    /// The code of the next.
    next: u32,
    bytes: usize,
    by_key: Option<KeyIndex>,
    points: Option<OpenPoints>,
    searched: Option<(Texts, SearchedTexts)>,
}

/// Codes by the keys of their symbols.
#[derive(Debug)]
struct KeyIndex {
    keys: Texts,
    /// By the hash of a key the place of the last code that has it.
    last: HashMap<u64, usize, RandomState>,
    /// Codes, each with the place of the one before it that has the same key; the first has its own.
    codes: Vec<(u32, usize)>,
}

const WHAT: &str = "a dictionary";

impl Dictionaries {
    pub(crate) fn new(epochs: Epochs, schema: &Schema) -> Self {
        let dictionaries = (0..schema.dictionaries()).map(|number| Dictionary::new(number, schema)).collect();
        Self { epochs, dictionaries }
    }

    /// Reads a table's open dictionaries.
    pub(crate) fn load(tree: &sled::Tree, table: &[u8], epochs: Epochs, schema: &Schema) -> Result<Self, Error> {
        let mut loaded = Self::new(epochs, schema);
        for ((number, epoch), dictionary) in (0_u32..).zip(&*loaded.epochs).zip(&mut loaded.dictionaries) {
            for (key, value) in pieces::scan(tree, &key::key(table, key::Kind::Symbols, &[number, *epoch]))? {
                let [first] = key::numbers(&key).ok_or(Error::Damaged(WHAT))?;
                if dictionary.next != first {
                    return Err(Error::Damaged(WHAT));
                }
                let symbols = Slices::decode(&frame::open(&value, WHAT)?, WHAT)?;
                for (code, symbol) in (first..).zip(symbols.iter()) {
                    dictionary.add(code, symbol.into());
                }
            }
        }
        Ok(loaded)
    }

    pub(crate) fn epochs(&self) -> &Epochs {
        &self.epochs
    }

    pub(crate) fn code(&self, dictionary: usize, symbol: &[u8]) -> Option<u32> {
        self.dictionaries[dictionary].codes.get(symbol).copied()
    }

    pub(crate) fn symbol(&self, dictionary: usize, code: u32) -> Result<Symbol, Error> {
        let symbol = self.dictionaries[dictionary].symbols.get(code as usize);
        symbol.cloned().ok_or(Error::Damaged(WHAT))
    }

    pub(crate) fn symbols(&self, dictionary: usize) -> &[Symbol] {
        &self.dictionaries[dictionary].symbols
    }

    /// The codes of the wanted symbols.
    pub(crate) fn matching(&self, dictionary: usize, wanted: &Wanted) -> RoaringBitmap {
        self.dictionaries[dictionary].matching(wanted)
    }

    /// Takes new symbols in, which were given the codes that follow the known ones.
    pub(crate) fn extend(&mut self, new: &NewSymbols) {
        for (dictionary, new) in self.dictionaries.iter_mut().zip(&new.dictionaries) {
            dictionary.extend(new);
        }
    }

    /// Puts a dictionary that was begun into the place of the one that was closed.
    pub(crate) fn replace(&mut self, number: usize, epochs: Epochs, begun: Dictionary) {
        self.epochs = epochs;
        self.dictionaries[number] = begun;
    }

    /// How many symbols each dictionary holds, and how many bytes these have.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = (usize, usize)> {
        self.dictionaries.iter().map(|dictionary| (dictionary.symbols.len(), dictionary.bytes))
    }

    /// About how many bytes of memory they take.
    pub(crate) fn weight(&self) -> usize {
        self.dictionaries.iter().map(Dictionary::weight).sum()
    }
}

impl Dictionary {
    fn new(number: usize, schema: &Schema) -> Self {
        let by_key = schema.keys(number).map(|keys| KeyIndex { keys, last: HashMap::default(), codes: Vec::new() });
        let searched = schema.searched(number).map(|texts_of| (texts_of, SearchedTexts::default()));
        let points = schema.points(number).map(OpenPoints::new);
        Self { by_key, points, searched, ..Self::default() }
    }

    /// The dictionary of a number, with these symbols.
    pub(crate) fn of(number: usize, schema: &Schema, symbols: &NewDictionary) -> Self {
        let mut begun = Self::new(number, schema);
        begun.extend(symbols);
        begun
    }

    fn extend(&mut self, new: &NewDictionary) {
        for (code, symbol) in (new.first..).zip(&new.symbols) {
            self.add(code, symbol.clone());
        }
    }

    fn add(&mut self, code: u32, symbol: Symbol) {
        self.next = code + 1;
        self.bytes += symbol.len();
        if let Some((texts_of, texts)) = &mut self.searched {
            texts.push(*texts_of, &symbol);
        }
        if let Some(by_key) = &mut self.by_key {
            by_key.add(code, &symbol);
        }
        if let Some(points) = &mut self.points {
            points.add(code, &symbol);
        }
        self.codes.insert(symbol.clone(), code);
        self.symbols.push(symbol);
    }

    fn matching(&self, wanted: &Wanted) -> RoaringBitmap {
        let is_wanted = |wants: &Wants, code: u32| self.symbols.get(code as usize).is_some_and(|symbol| wants(symbol));
        match (wanted, &self.by_key) {
            (Wanted::Is(symbol), _) => self.codes.get(&**symbol).copied().into_iter().collect(),
            (Wanted::Containing(needle), _) => {
                let mut found = Vec::new();
                if let Some((_, texts)) = &self.searched {
                    texts.find(&Finder::new(needle), 0, &mut found);
                }
                set_of(found)
            }
            (Wanted::Keyed { keys, wants }, Some(by_key)) => {
                let keyed = keys.iter().flat_map(|key| by_key.codes(key));
                keyed.filter(|code| is_wanted(&**wants, *code)).collect()
            }
            (Wanted::Within { ranges, wants }, _) => {
                let codes = ranges.iter().flat_map(|range| self.points.iter().flat_map(|points| points.within(range)));
                set_of(codes.filter(|code| wants.as_ref().is_none_or(|wants| is_wanted(&**wants, *code))).collect())
            }
            (Wanted::Keyed { wants, .. } | Wanted::Matching(wants), _) => {
                (0..self.next).filter(|code| is_wanted(&**wants, *code)).collect()
            }
        }
    }

    fn weight(&self) -> usize {
        /// Of an allocation: its counters, and what it is rounded up by.
        const ALLOCATION: usize = 16 + 16;
        /// Of the hash table: an entry and its control byte.
        const ENTRY: usize = 24 + 1;
        self.bytes
            + (ALLOCATION + size_of::<Symbol>()) * self.symbols.capacity()
            + ENTRY * self.codes.capacity() * 8 / 7
            + self.by_key.as_ref().map_or(0, KeyIndex::weight)
            + self.points.as_ref().map_or(0, OpenPoints::weight)
            + self.searched.as_ref().map_or(0, |(_, texts)| texts.weight())
    }
}

impl KeyIndex {
    fn add(&mut self, code: u32, symbol: &[u8]) {
        let Self { keys, last, codes } = self;
        keys(symbol, &mut |key| {
            let place = codes.len();
            let before = match last.entry(hash(key)) {
                Entry::Occupied(mut known) => known.insert(place),
                Entry::Vacant(vacant) => *vacant.insert(place),
            };
            codes.push((code, before));
        });
    }

    /// The codes whose symbols have a key, and rarely others.
    fn codes(&self, key: &[u8]) -> impl Iterator<Item = u32> {
        let mut next = self.last.get(&hash(key)).copied();
        std::iter::from_fn(move || {
            let place = next?;
            let (code, before) = *self.codes.get(place)?;
            next = Some(before).filter(|before| *before != place);
            Some(code)
        })
    }

    fn weight(&self) -> usize {
        /// Of the hash table: an entry and its control byte.
        const ENTRY: usize = 16 + 1;
        ENTRY * self.last.capacity() * 8 / 7 + size_of::<(u32, usize)>() * self.codes.capacity()
    }
}

/// Symbols that are not committed yet, for each dictionary.
#[derive(Debug)]
pub(crate) struct NewSymbols {
    dictionaries: Vec<NewDictionary>,
}

/// Those of one.
#[derive(Debug, Default)]
pub(crate) struct NewDictionary {
    /// The code of the first.
    first: u32,
    /// The code of the next.
    next: u32,
    bytes: usize,
    symbols: Vec<Symbol>,
    codes: HashMap<Symbol, u32, RandomState>,
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
        self.dictionaries[dictionary].code(symbol)
    }

    /// How many symbols there are for each dictionary, and how many bytes these have.
    pub(crate) fn sizes(&self) -> impl Iterator<Item = (usize, usize)> {
        self.dictionaries.iter().map(|dictionary| (dictionary.symbols.len(), dictionary.bytes))
    }

    pub(crate) fn symbol(&self, dictionary: usize, code: u32) -> Option<Symbol> {
        let new = &self.dictionaries[dictionary];
        new.symbols.get(code.checked_sub(new.first)? as usize).cloned()
    }

    pub(crate) fn symbols(&self, dictionary: usize) -> &[Symbol] {
        &self.dictionaries[dictionary].symbols
    }

    /// The values that make them durable: dictionary, first code, value.
    pub(crate) fn values(&self) -> Result<Vec<(u32, u32, Vec<u8>)>, Error> {
        let mut values = Vec::new();
        for (number, new) in (0_u32..).zip(&self.dictionaries).filter(|(_, new)| !new.symbols.is_empty()) {
            values.push((number, new.first, new.value()?));
        }
        Ok(values)
    }
}

impl NewDictionary {
    /// The code of a symbol that is not known otherwise.
    pub(crate) fn code(&mut self, symbol: &[u8]) -> Result<u32, Error> {
        if let Some(code) = self.codes.get(symbol) {
            return Ok(*code);
        }
        let code = self.next;
        self.next = code.checked_add(1).ok_or(Error::TooLarge(WHAT))?;
        self.bytes += symbol.len();
        let symbol: Symbol = symbol.into();
        self.codes.insert(symbol.clone(), code);
        self.symbols.push(symbol);
        Ok(code)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.symbols.is_empty()
    }

    /// The value that makes them durable.
    pub(crate) fn value(&self) -> Result<Vec<u8>, Error> {
        let mut slices = Slices::default();
        for symbol in &self.symbols {
            slices.push(symbol, WHAT)?;
        }
        frame::close(&slices.encode(WHAT)?, WHAT)
    }
}
