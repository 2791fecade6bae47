//! What columns know of a filter of the language: which rows surely match, and which may.
//!
//! Invariant: whatever columns do not know is between the two, so that judging the rows there gives what judging all would.

use std::slice;

use model::filter::{Family as Language, Node, Pattern, Span, Wanted};
use segments::{Measure, Predicate, TimeRange};

use crate::error::Error;

/// The field that rows of every family are ordered by.
pub(crate) const TIME: &str = "time";

/// Which rows a filter wants, as far as columns know.
#[derive(Clone, Debug)]
pub enum Bounds {
    /// These.
    Exact(Predicate),
    /// These and none beyond those.
    Between {
        /// The rows that surely match.
        least: Predicate,
        /// The rows that may match.
        most: Predicate,
    },
}

/// What the columns of a family know of single questions.
pub(crate) trait Columns<L: Language> {
    /// Of a value of a field.
    ///
    /// # Errors
    /// When the storage fails.
    fn field(&self, field: L::Field, wanted: &Wanted) -> Result<Bounds, Error>;

    /// Of a word that is looked for; the pattern is in lower case.
    ///
    /// # Errors
    /// When the storage fails.
    fn word(&self, pattern: &Pattern) -> Result<Bounds, Error>;
}

impl Bounds {
    /// Columns know nothing of it.
    pub(crate) fn unknown() -> Self {
        Self::at_most(Predicate::everything())
    }

    /// No other rows.
    pub(crate) fn at_most(most: Predicate) -> Self {
        Self::Between { least: Predicate::nothing(), most }
    }

    /// These rows, and perhaps others.
    pub(crate) fn at_least(least: Predicate) -> Self {
        Self::Between { least, most: Predicate::everything() }
    }

    /// What is known of parts that must all hold.
    pub(crate) fn all(parts: Vec<Self>) -> Self {
        Self::join(parts, Predicate::All)
    }

    /// What is known of parts of which one must hold.
    pub(crate) fn any(parts: Vec<Self>) -> Self {
        Self::join(parts, Predicate::Any)
    }

    fn join(parts: Vec<Self>, of: fn(Vec<Predicate>) -> Predicate) -> Self {
        let is_exact = parts.iter().all(|part| matches!(part, Self::Exact(_)));
        let (least, most): (Vec<Predicate>, Vec<Predicate>) = parts.into_iter().map(Self::both).unzip();
        if is_exact { Self::Exact(of(most)) } else { Self::Between { least: of(least), most: of(most) } }
    }

    fn not(self) -> Self {
        let not = |predicate| Predicate::Not(Box::new(predicate));
        match self {
            Self::Exact(predicate) => Self::Exact(not(predicate)),
            Self::Between { least, most } => Self::Between { least: not(most), most: not(least) },
        }
    }

    fn both(self) -> (Predicate, Predicate) {
        match self {
            Self::Exact(predicate) => (predicate.clone(), predicate),
            Self::Between { least, most } => (least, most),
        }
    }
}

/// What columns know of a part of a filter. Recursion is as deep as expressions are, which is bounded.
///
/// # Errors
/// When the storage fails.
pub(crate) fn of<L: Language>(node: &Node<L>, columns: &dyn Columns<L>) -> Result<Bounds, Error> {
    let each = |parts: &[Node<L>]| parts.iter().map(|part| of(part, columns)).collect::<Result<Vec<_>, _>>();
    match node {
        Node::All(parts) => Ok(Bounds::all(each(parts)?)),
        Node::Any(parts) => Ok(Bounds::any(each(parts)?)),
        Node::Not(part) => Ok(of(part, columns)?.not()),
        Node::Field(field, wanted) if L::describe(*field).name == TIME => Ok(Bounds::Exact(at(wanted))),
        Node::Field(field, wanted) => columns.field(*field, wanted),
        Node::Found(pattern) => columns.word(pattern),
    }
}

/// The parts that must hold, and apart from them the period that some of them say: a list leaves out what is not in its
/// period without looking at it.
pub(crate) fn without_period<L: Language>(root: &Node<L>) -> (TimeRange, Vec<&Node<L>>) {
    let parts = if let Node::All(parts) = root { parts.as_slice() } else { slice::from_ref(root) };
    let mut period = TimeRange::ALL;
    let mut others = Vec::new();
    for part in parts {
        match part {
            Node::Field(field, Wanted::Time(span)) if L::describe(*field).name == TIME => {
                period = common(period, range(*span));
            }
            other => others.push(other),
        }
    }
    (period, others)
}

/// The time that is in both.
pub(crate) fn common(one: TimeRange, other: TimeRange) -> TimeRange {
    // No end is later than any, and no beginning earlier.
    let to = [one.to, other.to].into_iter().flatten().min();
    TimeRange { from: one.from.max(other.from), to }
}

/// The rows of which a number is that.
pub(crate) fn measured(measure: Measure, wanted: &Wanted) -> Predicate {
    match wanted {
        Wanted::Number(span) => match span.whole_numbers() {
            Some(range) => Predicate::Number { measure, range },
            None => Predicate::nothing(),
        },
        Wanted::Present => Predicate::everything(),
        // No number is anything else.
        Wanted::Text(_) | Wanted::Time(_) | Wanted::Address(..) | Wanted::Inside(..) => Predicate::nothing(),
    }
}

/// The rows whose time is that.
fn at(wanted: &Wanted) -> Predicate {
    match wanted {
        Wanted::Time(span) => Predicate::Time(range(*span)),
        Wanted::Present => Predicate::everything(),
        // No time is anything else.
        Wanted::Text(_) | Wanted::Number(_) | Wanted::Address(..) | Wanted::Inside(..) => Predicate::nothing(),
    }
}

fn range(span: Span<i64>) -> TimeRange {
    TimeRange { from: span.from, to: span.until.map(|until| until.saturating_sub(1)) }
}
