//! Closed dictionaries: on disk in pieces that are read one by one.
//!
//! A dictionary is closed when it has grown too large to stay in memory. Its symbols stand in *blocks* by their codes, so
//! that a page reads the few blocks that its rows need; and in *buckets* by their hashes, so that a value or a key is
//! looked up in one of them. Where they stand on a line, such as addresses do, that is sorted, so that those in a range are
//! in few *pieces*. So what a question costs follows from what it asks for, not from how many different values
//! there ever were: nothing is read for a column that it does not name, one bucket and a block for a value that it does.
//! Only a search reads all blocks, one after the other, and leaves the cache to others; none where their texts do not have
//! all of its *trigrams*.
//!
//! Invariants:
//! - A closed dictionary never changes, and its codes are those of the open one: parts that were written before go on.
//! - It goes with the last segment that has codes of it.

use std::sync::Arc;

use memchr::memmem::Finder;
use roaring::RoaringBitmap;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::buckets::{bucket_of, decode_bucket, encode_bucket, fingerprint};
use crate::cache::{Key, Value};
use crate::frame;
use crate::key::{Kind, key};
use crate::membership::hash;
use crate::pieces::{self, Change};
use crate::points::{self, Point};
use crate::row::{Schema, Symbol};
use crate::searched::SearchedTexts;
use crate::slices::Slices;
use crate::source::Source;
use crate::trigrams::{Collector, Trigrams};
use crate::wanted::Wanted;

const WHAT: &str = "a closed dictionary";
const DAMAGED: Error = Error::Damaged(WHAT);
/// All kinds of values of a closed dictionary.
const KINDS: [Kind; 5] =
    [Kind::Closed, Kind::ClosedBlock, Kind::ClosedBucket, Kind::ClosedPoints, Kind::ClosedTrigrams];
/// A piece has as many points as so many blocks have symbols.
const PIECE_BLOCKS: usize = 4;

/// Which dictionary, and which epoch of it.
pub(crate) type ClosedKey = (usize, u32);

/// What is known of a closed dictionary without reading it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Extent {
    /// How many symbols it has.
    symbols: u32,
    /// How many stand in each block, and about how many in a bucket.
    block_symbols: u32,
    /// The first point of each piece of them.
    first_points: Arc<[Point]>,
}

/// A closed dictionary.
#[derive(Clone, Debug)]
pub(crate) struct Closed<'a> {
    pub(crate) source: &'a Source,
    pub(crate) schema: &'a Schema,
    pub(crate) key: ClosedKey,
    pub(crate) extent: Extent,
}

/// Reads symbols of a closed dictionary. Neighbours are often asked for one after the other, and stand in the same block.
#[derive(Debug)]
pub(crate) struct ClosedReader<'a> {
    closed: Closed<'a>,
    last: Option<(usize, Arc<Slices>)>,
}

/// What a dictionary is closed with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Closing<'a> {
    pub(crate) source: &'a Source,
    pub(crate) schema: &'a Schema,
    pub(crate) key: ClosedKey,
    pub(crate) block_symbols: usize,
}

impl Closing<'_> {
    /// Writes a dictionary's symbols, in the order of their codes, in the form of a closed one.
    pub(crate) fn write<'s>(
        &self,
        symbols: impl Iterator<Item = &'s Symbol>,
        changes: &mut Vec<Change>,
    ) -> Result<Extent, Error> {
        const TOO_MANY: Error = Error::TooLarge(WHAT);
        let (dictionary, epoch) = self.key;
        let dictionary = u32::try_from(dictionary).map_err(|_| TOO_MANY)?;
        let mut put = |kind: Kind, numbers: &[u32], bytes: &[u8]| {
            let value = frame::close(bytes, WHAT)?;
            let numbers = [&[dictionary, epoch], numbers].concat();
            pieces::put(changes, &key(&self.source.prefix, kind, &numbers), &value);
            Ok::<_, Error>(())
        };
        let keys = self.schema.keys(dictionary as usize);
        // Each hash with the code that it belongs to.
        let mut hashes: Vec<(u64, u32)> = Vec::new();
        let points_of = self.schema.points(dictionary as usize);
        let mut points: Vec<(Point, u32)> = Vec::new();
        let mut searched = self.schema.searched(dictionary as usize).map(|texts_of| (texts_of, Collector::new()));
        let mut block = Slices::default();
        let (mut count, mut blocks) = (0_u32, 0);
        for symbol in symbols {
            if block.len() == self.block_symbols {
                put(Kind::ClosedBlock, &[blocks], &std::mem::take(&mut block).encode(WHAT)?)?;
                blocks += 1;
            }
            block.push(symbol, WHAT)?;
            hashes.push((hash(symbol), count));
            if let Some(keys) = keys {
                keys(symbol, &mut |key| hashes.push((hash(key), count)));
            }
            if let Some(points_of) = points_of {
                points_of(symbol, &mut |point| points.push((point, count)));
            }
            if let Some((texts_of, trigrams)) = &mut searched {
                texts_of(symbol, &mut |text| trigrams.add(text));
            }
            count = count.checked_add(1).ok_or(TOO_MANY)?;
        }
        if let Some((_, trigrams)) = searched {
            put(Kind::ClosedTrigrams, &[0], &trigrams.finish().encode())?;
        }
        if block.len() > 0 {
            put(Kind::ClosedBlock, &[blocks], &block.encode(WHAT)?)?;
        }
        let block_symbols = u32::try_from(self.block_symbols).map_err(|_| TOO_MANY)?;
        points.sort_unstable();
        let mut first_points = Vec::new();
        for (piece, (first, value)) in (0..).zip(points::cut(&points, PIECE_BLOCKS * self.block_symbols)) {
            put(Kind::ClosedPoints, &[piece], &value)?;
            first_points.push(first);
        }
        let extent = Extent { symbols: count, block_symbols, first_points: first_points.into() };
        let buckets = extent.buckets();
        if buckets > 1 {
            hashes.sort_unstable_by_key(|(hash, code)| (bucket_of(*hash, buckets), *code));
            let mut left = hashes.as_slice();
            for number in 0..buckets {
                let length = left.partition_point(|(hash, _)| bucket_of(*hash, buckets) <= number);
                let (own, others) = left.split_at(length);
                put(Kind::ClosedBucket, &[number], &encode_bucket(own))?;
                left = others;
            }
        }
        put(Kind::Closed, &[], &postcard::to_stdvec(&extent).map_err(|_| DAMAGED)?)?;
        Ok(extent)
    }
}

impl Extent {
    /// What is known of all closed dictionaries of a table.
    pub(crate) fn load_all(tree: &sled::Tree, table: &[u8]) -> Result<Vec<(ClosedKey, Self)>, Error> {
        let one = |(found, value): pieces::Entry| {
            let [dictionary, epoch] = crate::key::numbers(&found).ok_or(DAMAGED)?;
            let extent = postcard::from_bytes(&frame::open(&value, WHAT)?).map_err(|_| DAMAGED)?;
            Ok(((dictionary as usize, epoch), extent))
        };
        pieces::scan(tree, &key(table, Kind::Closed, &[]))?.into_iter().map(one).collect()
    }

    /// About how many bytes of memory this takes.
    pub(crate) fn weight(&self) -> usize {
        size_of::<Self>() + size_of::<Point>() * self.first_points.len()
    }

    /// How many symbols it has.
    pub(crate) fn symbols(&self) -> u32 {
        self.symbols
    }

    fn blocks(&self) -> usize {
        (self.symbols as usize).div_ceil((self.block_symbols as usize).max(1))
    }

    /// As many as blocks; one is none, for then all symbols stand in the one block.
    fn buckets(&self) -> u32 {
        self.symbols.div_ceil(self.block_symbols.max(1))
    }
}

impl<'a> Closed<'a> {
    /// Removes all its values.
    pub(crate) fn remove(source: &Source, key_of: ClosedKey, changes: &mut Vec<Change>) -> Result<(), Error> {
        let (dictionary, epoch) = key_of;
        let dictionary = u32::try_from(dictionary).map_err(|_| DAMAGED)?;
        for kind in KINDS {
            pieces::remove(changes, &source.tree, &key(&source.prefix, kind, &[dictionary, epoch]))?;
        }
        Ok(())
    }

    pub(crate) fn reader(self) -> ClosedReader<'a> {
        ClosedReader { closed: self, last: None }
    }

    /// The codes of the wanted symbols.
    pub(crate) fn matching(&self, wanted: &Wanted) -> Result<RoaringBitmap, Error> {
        match wanted {
            Wanted::Is(symbol) => self.candidates(symbol, |own| own == symbol),
            Wanted::Keyed { keys, wants } if self.schema.keys(self.key.0).is_some() => {
                let mut found = RoaringBitmap::new();
                for key in keys {
                    found |= self.candidates(key, |own| wants(own))?;
                }
                Ok(found)
            }
            Wanted::Within { ranges, wants } => {
                let mut codes = Vec::new();
                for range in ranges {
                    for piece in points::pieces(&self.extent.first_points, range) {
                        points::within(&self.bytes(Kind::ClosedPoints, piece)?, range, &mut codes)?;
                    }
                }
                let found = points::set_of(codes);
                match wants {
                    Some(wants) => self.wanted(found, |own| wants(own)),
                    None => Ok(found),
                }
            }
            Wanted::Containing(needle) => {
                let Some(texts_of) = self.schema.searched(self.key.0) else { return Ok(RoaringBitmap::new()) };
                if !self.trigrams()?.may_contain(needle) {
                    return Ok(RoaringBitmap::new());
                }
                let mut found = Vec::new();
                let finder = Finder::new(needle);
                let mut texts = SearchedTexts::default();
                let mut lower = Vec::new();
                self.scan(|first, symbols| {
                    // What is found in a text stands in the block too: most blocks are passed over without a look at their
                    // symbols. Beyond ASCII, lower case may be of other bytes.
                    if symbols.bytes().is_ascii() {
                        lower.clear();
                        lower.extend_from_slice(symbols.bytes());
                        lower.make_ascii_lowercase();
                        if finder.find(&lower).is_none() {
                            return;
                        }
                    }
                    texts.clear();
                    for symbol in symbols.iter() {
                        texts.push(texts_of, symbol);
                    }
                    texts.find(&finder, first, &mut found);
                })?;
                Ok(points::set_of(found))
            }
            Wanted::Keyed { wants, .. } | Wanted::Matching(wants) => {
                let mut found = RoaringBitmap::new();
                self.scan(|first, symbols| {
                    let wanted = (first..).zip(symbols.iter()).filter(|(_, symbol)| wants(symbol));
                    found.extend(wanted.map(|(code, _)| code));
                })?;
                Ok(found)
            }
        }
    }

    /// The codes of the symbols that are, or have as a key, this text, as far as they are wanted.
    fn candidates(&self, text: &[u8], is_wanted: impl Fn(&[u8]) -> bool) -> Result<RoaringBitmap, Error> {
        let buckets = self.extent.buckets();
        if buckets <= 1 {
            let mut found = RoaringBitmap::new();
            self.scan(|first, symbols| {
                let wanted = (first..).zip(symbols.iter()).filter(|(_, symbol)| is_wanted(symbol));
                found.extend(wanted.map(|(code, _)| code));
            })?;
            return Ok(found);
        }
        let hash = hash(text);
        let bucket = self.bytes(Kind::ClosedBucket, bucket_of(hash, buckets) as usize)?;
        let codes: Result<RoaringBitmap, Error> = decode_bucket(&bucket, fingerprint(hash)).collect();
        self.wanted(codes?, is_wanted)
    }

    /// Those of some codes whose symbols are wanted.
    fn wanted(&self, codes: RoaringBitmap, is_wanted: impl Fn(&[u8]) -> bool) -> Result<RoaringBitmap, Error> {
        let mut reader = self.clone().reader();
        let mut found = RoaringBitmap::new();
        for code in codes {
            if is_wanted(reader.get(code)?) {
                found.insert(code);
            }
        }
        Ok(found)
    }

    /// Goes through all symbols, block by block: `visit` gets the code of each block's first.
    fn scan(&self, mut visit: impl FnMut(u32, &Slices)) -> Result<(), Error> {
        /// Blocks of a dictionary that is small enough to stay in the cache.
        const MAX_CACHED_BLOCKS: usize = 16;
        let blocks = self.extent.blocks();
        let first = |block: usize| u32::try_from(block * self.extent.block_symbols as usize).map_err(|_| DAMAGED);
        if blocks <= MAX_CACHED_BLOCKS {
            for block in 0..blocks {
                visit(first(block)?, &*self.block(block)?);
            }
            return Ok(());
        }
        let (dictionary, epoch) = self.key;
        let dictionary = u32::try_from(dictionary).map_err(|_| DAMAGED)?;
        let prefix = key(&self.source.prefix, Kind::ClosedBlock, &[dictionary, epoch]);
        let values = pieces::scan(&self.source.tree, &prefix)?;
        if values.len() != blocks {
            return Err(DAMAGED);
        }
        for (block, (_, value)) in values.into_iter().enumerate() {
            visit(first(block)?, &self.checked(block, Slices::decode(&frame::open(&value, WHAT)?, WHAT)?)?);
        }
        Ok(())
    }

    fn block(&self, block: usize) -> Result<Arc<Slices>, Error> {
        let value = self.load(Kind::ClosedBlock, block, |bytes| {
            Ok(Value::Slices(Arc::new(self.checked(block, Slices::decode(&bytes, WHAT)?)?)))
        })?;
        match value {
            Value::Slices(slices) => Ok(slices),
            _ => Err(DAMAGED),
        }
    }

    /// A block, if it has as many symbols as it should.
    fn checked(&self, block: usize, symbols: Slices) -> Result<Slices, Error> {
        let size = self.extent.block_symbols as usize;
        let expected = (self.extent.symbols as usize).saturating_sub(block.saturating_mul(size)).min(size);
        if symbols.len() == expected { Ok(symbols) } else { Err(DAMAGED) }
    }

    /// The trigrams of what is searched.
    fn trigrams(&self) -> Result<Arc<Trigrams>, Error> {
        let load = |bytes: Vec<u8>| Ok(Value::Trigrams(Arc::new(Trigrams::decode(&bytes)?)));
        match self.load(Kind::ClosedTrigrams, 0, load)? {
            Value::Trigrams(trigrams) => Ok(trigrams),
            _ => Err(DAMAGED),
        }
    }

    /// A bucket, or a piece of its points.
    fn bytes(&self, kind: Kind, number: usize) -> Result<Arc<[u8]>, Error> {
        match self.load(kind, number, |bytes| Ok(Value::Bytes(bytes.into())))? {
            Value::Bytes(bytes) => Ok(bytes),
            _ => Err(DAMAGED),
        }
    }

    fn load(
        &self,
        kind: Kind,
        number: usize,
        decode: impl FnOnce(Vec<u8>) -> Result<Value, Error>,
    ) -> Result<Value, Error> {
        let (dictionary, epoch) = self.key;
        // Dictionaries are numbered in a byte.
        let cached = Key::new(self.source.table, kind, epoch, number << 8 | dictionary);
        self.source.cache.get(cached, || {
            let numbers = [dictionary, number].map(u32::try_from);
            let [Ok(dictionary), Ok(number)] = numbers else { return Err(DAMAGED) };
            decode(self.source.read(kind, &[dictionary, epoch, number], WHAT)?)
        })
    }
}

impl ClosedReader<'_> {
    /// The symbol of a code.
    pub(crate) fn get(&mut self, code: u32) -> Result<&[u8], Error> {
        if code >= self.closed.extent.symbols {
            return Err(DAMAGED);
        }
        let size = self.closed.extent.block_symbols.max(1) as usize;
        let (block, index) = (code as usize / size, code as usize % size);
        let symbols = match self.last.take() {
            Some((last, symbols)) if last == block => symbols,
            Some(_) | None => self.closed.block(block)?,
        };
        let (_, symbols) = self.last.insert((block, symbols));
        Ok(symbols.get(index))
    }
}
