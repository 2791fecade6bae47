//! Which rows are wanted: asked in bytes, resolved to codes once, judged by columns.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use memchr::memmem::Finder;
use roaring::RoaringBitmap;

use crate::codes::CodeSet;
use crate::dictionary::Dictionaries;
use crate::row::Schema;

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
    /// Each of these holds. Of none of them: every row.
    All(Vec<Predicate>),
    /// One of these holds. Of none of them: no row.
    Any(Vec<Predicate>),
    /// It does not hold.
    Not(Box<Predicate>),
}

/// Says whether a symbol is wanted.
pub type Wants = dyn Fn(&[u8]) -> bool + Send + Sync;

/// Which symbols are wanted.
#[derive(Clone)]
pub enum Wanted {
    /// This one.
    Is(Vec<u8>),
    /// Those in whose searched texts these bytes are found: in one pass over all of them.
    Containing(Vec<u8>),
    /// Those that this says yes to. It is asked once for each symbol of the column's dictionary.
    Matching(Arc<Wants>),
}

impl fmt::Debug for Wanted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(symbol) => formatter.debug_tuple("Is").field(symbol).finish(),
            Self::Containing(needle) => formatter.debug_tuple("Containing").field(needle).finish(),
            Self::Matching(_) => formatter.write_str("Matching(..)"),
        }
    }
}

impl Predicate {
    /// Every row.
    #[must_use]
    pub fn everything() -> Self {
        Self::All(Vec::new())
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
}

/// A predicate in the codes of one epoch.
#[derive(Debug)]
pub(crate) enum Resolved {
    Always,
    Never,
    Symbol { column: usize, set: Arc<CodeSet> },
    Text { column: usize, finder: Box<Finder<'static>> },
    All(Vec<Resolved>),
    Any(Vec<Resolved>),
    Not(Box<Resolved>),
}

/// Turns predicates into codes. The same question about the same dictionary is asked only once.
pub(crate) struct Resolver<'a> {
    schema: &'a Schema,
    dictionaries: &'a Dictionaries,
    judged: HashMap<(usize, usize), Arc<CodeSet>>,
    found: HashMap<(Vec<u8>, usize), Arc<CodeSet>>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(schema: &'a Schema, dictionaries: &'a Dictionaries) -> Self {
        Self { schema, dictionaries, judged: HashMap::new(), found: HashMap::new() }
    }

    pub(crate) fn resolve(&mut self, predicate: &Predicate) -> Resolved {
        match predicate {
            Predicate::Symbol { column, wanted } => {
                let dictionary = usize::from(self.schema.symbols[*column]);
                let set = self.set(dictionary, wanted);
                if set.members().is_empty() { Resolved::Never } else { Resolved::Symbol { column: *column, set } }
            }
            Predicate::Text { needle, .. } if needle.is_empty() => Resolved::Always,
            Predicate::Text { column, needle } => {
                Resolved::Text { column: *column, finder: Box::new(Finder::new(needle).into_owned()) }
            }
            Predicate::All(parts) => all(parts.iter().map(|part| self.resolve(part))),
            Predicate::Any(parts) => any(parts.iter().map(|part| self.resolve(part))),
            Predicate::Not(inner) => not(self.resolve(inner)),
        }
    }

    fn set(&mut self, dictionary: usize, wanted: &Wanted) -> Arc<CodeSet> {
        match wanted {
            Wanted::Is(symbol) => {
                let code = self.dictionaries.code(dictionary, symbol);
                Arc::new(CodeSet::new(code.into_iter().collect()))
            }
            Wanted::Containing(needle) => {
                let set = self
                    .found
                    .entry((needle.clone(), dictionary))
                    .or_insert_with(|| Arc::new(CodeSet::new(self.dictionaries.containing(dictionary, needle))));
                set.clone()
            }
            Wanted::Matching(wants) => {
                let identity = Arc::as_ptr(wants).cast::<()>().addr();
                let symbols = self.dictionaries.symbols(dictionary);
                let set = self.judged.entry((identity, dictionary)).or_insert_with(|| {
                    let wanted = (0_u32..).zip(symbols).filter(|(_, symbol)| wants(symbol)).map(|(code, _)| code);
                    Arc::new(CodeSet::new(wanted.collect::<RoaringBitmap>()))
                });
                set.clone()
            }
        }
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
            Self::Symbol { .. } | Self::Text { .. } | Self::All(_) | Self::Any(_) | Self::Not(_) => None,
        }
    }
}
