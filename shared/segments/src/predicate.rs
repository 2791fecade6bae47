//! Which rows are wanted: asked in bytes, resolved to codes once, judged by columns.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use memchr::memmem::Finder;
use roaring::RoaringBitmap;

use crate::Error;
use crate::codes::CodeSet;
use crate::dictionary::Epochs;
use crate::numbers::Measure;
use crate::row::Schema;
use crate::time_range::TimeRange;
use crate::wanted::{Identity, Wanted};

/// A condition on rows.
#[derive(Clone, Debug)]
pub enum Predicate {
    /// The value of a column of symbols is a wanted one.
    Symbol {
        /// Which column.
        column: usize,
        /// Which values.
        wanted: Wanted,
    },
    /// The value of a column of texts contains these bytes.
    Text {
        /// Which column.
        column: usize,
        /// What it contains.
        needle: Vec<u8>,
    },
    /// What is measured of the row is in a range.
    Number {
        /// What is measured.
        measure: Measure,
        /// From the least to the greatest that is wanted.
        range: RangeInclusive<u64>,
    },
    /// The row's time is in this range.
    Time(TimeRange),
    /// Each of these holds. Of none of them: every row.
    All(Vec<Predicate>),
    /// One of these holds. Of none of them: no row.
    Any(Vec<Predicate>),
    /// It does not hold.
    Not(Box<Predicate>),
}

impl Predicate {
    /// Every row.
    #[must_use]
    pub fn everything() -> Self {
        Self::All(Vec::new())
    }

    /// No row.
    #[must_use]
    pub fn nothing() -> Self {
        Self::Any(Vec::new())
    }

    /// The column's value is this symbol.
    #[must_use]
    pub fn is(column: usize, symbol: impl Into<Vec<u8>>) -> Self {
        Self::Symbol { column, wanted: Wanted::Is(symbol.into()) }
    }

    /// The column's value is one that `wants` says yes to.
    #[must_use]
    pub fn matching(column: usize, wants: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Self {
        Self::Symbol { column, wanted: Wanted::Matching(Arc::new(wants)) }
    }

    /// The column's value has this key, see [`Wanted::Keyed`], and is one that `wants` says yes to.
    #[must_use]
    pub fn keyed(
        column: usize,
        key: impl Into<Vec<u8>>,
        wants: impl Fn(&[u8]) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self::keyed_by_any(column, [key], wants)
    }

    /// The same, where one of these keys is enough.
    #[must_use]
    pub fn keyed_by_any<K: Into<Vec<u8>>>(
        column: usize,
        keys: impl IntoIterator<Item = K>,
        wants: impl Fn(&[u8]) -> bool + Send + Sync + 'static,
    ) -> Self {
        let keys = keys.into_iter().map(Into::into).collect();
        Self::Symbol { column, wanted: Wanted::Keyed { keys, wants: Arc::new(wants) } }
    }
}

/// A predicate in codes.
#[derive(Clone, Debug)]
pub(crate) enum Resolved {
    Always,
    Never,
    Symbol {
        column: usize,
        set: Arc<CodeSet>,
    },
    Text {
        column: usize,
        finder: Box<Finder<'static>>,
    },
    Number {
        measure: Measure,
        range: RangeInclusive<u64>,
    },
    Time(TimeRange),
    /// These rows, where they are of a part whose rows were looked at.
    Rows(Arc<RoaringBitmap>),
    All(Vec<Resolved>),
    Any(Vec<Resolved>),
    Not(Box<Resolved>),
}

/// Finds the codes of wanted symbols in an epoch of a dictionary.
pub(crate) type LookUp<'a> = dyn Fn(usize, u32, &Wanted) -> Result<RoaringBitmap, Error> + 'a;

/// Turns predicates into codes. The same question about the same dictionary is asked only once, and about no dictionary
/// of which the predicate wants nothing.
pub(crate) struct Resolver<'a> {
    schema: &'a Schema,
    look_up: &'a LookUp<'a>,
    found: HashMap<(Identity, usize, u32), Arc<CodeSet>>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(schema: &'a Schema, look_up: &'a LookUp<'a>) -> Self {
        Self { schema, look_up, found: HashMap::new() }
    }

    /// A predicate in the codes of some epochs.
    pub(crate) fn resolve(&mut self, predicate: &Predicate, epochs: &Epochs) -> Result<Resolved, Error> {
        Ok(match predicate {
            Predicate::Symbol { column, wanted } => {
                let set = self.set(usize::from(self.schema.symbols[*column]), epochs, wanted)?;
                if set.members().is_empty() { Resolved::Never } else { Resolved::Symbol { column: *column, set } }
            }
            Predicate::Text { needle, .. } if needle.is_empty() => Resolved::Always,
            Predicate::Text { column, needle } => {
                Resolved::Text { column: *column, finder: Box::new(Finder::new(needle).into_owned()) }
            }
            Predicate::Number { measure, range } => Resolved::Number { measure: *measure, range: range.clone() },
            Predicate::Time(range) => Resolved::Time(*range),
            Predicate::All(parts) => all_of(parts, |part| self.resolve(part, epochs))?,
            Predicate::Any(parts) => any_of(parts, |part| self.resolve(part, epochs))?,
            Predicate::Not(inner) => not(self.resolve(inner, epochs)?),
        })
    }

    fn set(&mut self, dictionary: usize, epochs: &Epochs, wanted: &Wanted) -> Result<Arc<CodeSet>, Error> {
        let epoch = epochs[dictionary];
        let known = (wanted.identity(), dictionary, epoch);
        if let Some(set) = self.found.get(&known) {
            return Ok(set.clone());
        }
        let set = Arc::new(CodeSet::new((self.look_up)(dictionary, epoch, wanted)?));
        self.found.insert(known, set.clone());
        Ok(set)
    }
}

/// What is left of parts: one that is known to be `neutral` falls away, and any other that is known is the answer.
fn join(parts: impl Iterator<Item = Resolved>, neutral: bool, of: fn(Vec<Resolved>) -> Resolved) -> Resolved {
    let mut open = Vec::new();
    for part in parts {
        match part.known() {
            Some(known) if known == neutral => {}
            Some(_) => return part,
            None => open.push(part),
        }
    }
    match open.len() {
        0 => Resolved::of(neutral),
        1 => open.remove(0),
        _ => of(open),
    }
}

pub(crate) fn all(parts: impl Iterator<Item = Resolved>) -> Resolved {
    join(parts, true, Resolved::All)
}

pub(crate) fn any(parts: impl Iterator<Item = Resolved>) -> Resolved {
    join(parts, false, Resolved::Any)
}

/// All of what becomes of parts, one by one, and of no more of them once the answer is known.
pub(crate) fn all_of<P>(parts: &[P], becomes: impl FnMut(&P) -> Result<Resolved, Error>) -> Result<Resolved, Error> {
    try_join(parts, becomes, |parts| all(parts))
}

/// Any of what becomes of them, likewise.
pub(crate) fn any_of<P>(parts: &[P], becomes: impl FnMut(&P) -> Result<Resolved, Error>) -> Result<Resolved, Error> {
    try_join(parts, becomes, |parts| any(parts))
}

fn try_join<P>(
    parts: &[P],
    mut becomes: impl FnMut(&P) -> Result<Resolved, Error>,
    join: fn(&mut dyn Iterator<Item = Resolved>) -> Resolved,
) -> Result<Resolved, Error> {
    let mut failure = None;
    let mut resolved = parts.iter().map_while(|part| match becomes(part) {
        Ok(resolved) => Some(resolved),
        Err(error) => {
            failure = Some(error);
            None
        }
    });
    let joined = join(&mut resolved);
    failure.map_or(Ok(joined), Err)
}

pub(crate) fn not(inner: Resolved) -> Resolved {
    match inner.known() {
        Some(known) => Resolved::of(!known),
        None => Resolved::Not(Box::new(inner)),
    }
}

impl Resolved {
    /// The same for every row.
    fn of(known: bool) -> Self {
        if known { Self::Always } else { Self::Never }
    }

    /// Whether it holds, where that is the same for every row.
    fn known(&self) -> Option<bool> {
        match self {
            Self::Always => Some(true),
            Self::Never => Some(false),
            Self::Symbol { .. }
            | Self::Text { .. }
            | Self::Number { .. }
            | Self::Time(_)
            | Self::Rows(_)
            | Self::All(_)
            | Self::Any(_)
            | Self::Not(_) => None,
        }
    }
}
