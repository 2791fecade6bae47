//! Which symbols are wanted.

use std::fmt;
use std::ops::RangeInclusive;
use std::sync::Arc;

use crate::points::Point;

/// Says whether a symbol is wanted.
pub type Wants = dyn Fn(&[u8]) -> bool + Send + Sync;

/// Which symbols of a column are wanted.
#[derive(Clone)]
pub enum Wanted {
    /// This one. It is looked up.
    Is(Vec<u8>),
    /// Those in whose searched texts these bytes are found: in one pass over all of them.
    Containing(Vec<u8>),
    /// Those that have one of these keys, see [`crate::Schema::keys`], and that `wants` says yes to. They are looked up;
    /// `wants` may be asked about others, and has to refuse those without any of the keys. Where a dictionary has no
    /// keys, it is asked about all symbols.
    Keyed {
        /// The keys.
        keys: Vec<Vec<u8>>,
        /// Which of the symbols with one of them.
        wants: Arc<Wants>,
    },
    /// Those that stand in one of these ranges, see [`crate::Schema::points`], and that `wants` says yes to, where there is
    /// more to ask. No others are looked at; where a dictionary has no points, no symbol is in any range.
    Within {
        /// The ranges.
        ranges: Vec<RangeInclusive<Point>>,
        /// Which of the symbols in them; none: all.
        wants: Option<Arc<Wants>>,
    },
    /// Those that this says yes to. It is asked once for each symbol of the column's dictionary.
    Matching(Arc<Wants>),
}

/// What tells a wish from others: the same about one dictionary has the same answer.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Identity {
    Is(Vec<u8>),
    Containing(Vec<u8>),
    Within(Vec<RangeInclusive<Point>>, Option<usize>),
    /// By the address of its function, which the predicate keeps alive.
    Function(usize),
}

impl Wanted {
    pub(crate) fn identity(&self) -> Identity {
        match self {
            Self::Is(symbol) => Identity::Is(symbol.clone()),
            Self::Containing(needle) => Identity::Containing(needle.clone()),
            Self::Within { ranges, wants } => Identity::Within(ranges.clone(), wants.as_ref().map(address)),
            Self::Keyed { wants, .. } | Self::Matching(wants) => Identity::Function(address(wants)),
        }
    }
}

fn address(wants: &Arc<Wants>) -> usize {
    Arc::as_ptr(wants).cast::<()>().addr()
}

impl fmt::Debug for Wanted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(symbol) => formatter.debug_tuple("Is").field(symbol).finish(),
            Self::Containing(needle) => formatter.debug_tuple("Containing").field(needle).finish(),
            Self::Keyed { keys, .. } => formatter.debug_struct("Keyed").field("keys", keys).finish_non_exhaustive(),
            Self::Within { ranges, .. } => {
                formatter.debug_struct("Within").field("ranges", ranges).finish_non_exhaustive()
            }
            Self::Matching(_) => formatter.write_str("Matching(..)"),
        }
    }
}
