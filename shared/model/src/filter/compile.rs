//! An expression as a question to one family of events: names become fields, texts become values.

use super::expression::{Expression, Name, Term, Value};
use super::family::{Family, Kind};
use super::mistake::{Mistake, Problem, shown};
use super::pattern::Pattern;
use super::wanted::{Unfit, Wanted};
use super::when;
use crate::address::as_stored;
use crate::nearest::nearest;
use crate::time::Timestamp;

/// What is wanted of an event of a family.
#[derive(Clone, Debug, PartialEq)]
pub struct Filter<F: Family> {
    pub(super) root: Node<F>,
}

/// A part of what is wanted.
#[derive(Clone, Debug, PartialEq)]
pub enum Node<F: Family> {
    /// All of these.
    All(Vec<Node<F>>),
    /// One of these; of none: nothing is wanted.
    Any(Vec<Node<F>>),
    /// Not this.
    Not(Box<Node<F>>),
    /// A value of a field.
    Field(F::Field, Wanted),
    /// A text in which lists are searched; the pattern is in lower case.
    Found(Pattern),
}

impl<F: Family> Filter<F> {
    /// What an expression asks of the events of the family. Times relative to now are a mistake where there is none.
    ///
    /// # Errors
    /// When there is no such field, or a field takes no such value; the first in the order of the text.
    pub fn new(expression: &Expression, now: Option<Timestamp>) -> Result<Self, Mistake> {
        Self::with(expression, &|term: &Term| node(term, now))
    }

    /// The same with what makes a part of a term.
    pub(super) fn with(
        expression: &Expression,
        node: &impl Fn(&Term) -> Result<Node<F>, Mistake>,
    ) -> Result<Self, Mistake> {
        Ok(Self { root: compiled(expression, node)? })
    }

    /// What is wanted, part by part.
    #[must_use]
    pub fn root(&self) -> &Node<F> {
        &self.root
    }

    /// Whether events are asked for by a field of one of these names; to leave some out by it does not count.
    #[must_use]
    pub fn asks_by(&self, names: &[&str]) -> bool {
        self.root.asks_by(names)
    }
}

impl<F: Family> Node<F> {
    // As deep as expressions are, which is bounded.
    fn asks_by(&self, names: &[&str]) -> bool {
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().any(|part| part.asks_by(names)),
            Self::Field(field, _) => names.contains(&F::describe(*field).name),
            Self::Not(_) | Self::Found(_) => false,
        }
    }
}

fn compiled<F: Family>(
    expression: &Expression,
    node: &impl Fn(&Term) -> Result<Node<F>, Mistake>,
) -> Result<Node<F>, Mistake> {
    let all = |parts: &[Expression]| parts.iter().map(|part| compiled(part, node)).collect::<Result<_, _>>();
    match expression {
        Expression::All(parts) => Ok(Node::All(all(parts)?)),
        Expression::Any(parts) => Ok(Node::Any(all(parts)?)),
        Expression::Not(part) => Ok(Node::Not(Box::new(compiled(part, node)?))),
        Expression::Term(term) => node(term),
    }
}

/// What a term asks of the events of a family.
pub(super) fn node<F: Family>(term: &Term, now: Option<Timestamp>) -> Result<Node<F>, Mistake> {
    let Some(name) = &term.field else { return Ok(found(&term.value)) };
    let (field, path) = field::<F>(name).ok_or_else(|| unknown::<F>(name, term.column))?;
    let kind = F::describe(field).kind;
    let wanted = Wanted::new(kind, path, &term.value, now).map_err(|Unfit(value)| {
        let has_no_now = kind == Kind::Time && now.is_none() && when::is_relative(&value);
        let takes = if has_no_now { "no time relative to now here".to_owned() } else { kind.takes() };
        let word = shown(&value);
        let problem = Problem::BadValue { field: shown(&name.to_string()), value: word.clone(), takes };
        Mistake { column: term.value_column, word, problem }
    })?;
    Ok(Node::Field(field, wanted))
}

/// Refuses a name, as it is written, that is no field of the family's events; behind a dot, it leads into a field of JSON.
///
/// # Errors
/// With the field that may have been meant.
pub fn check_field<F: Family>(written: &str) -> Result<(), Problem> {
    let name = Name(written.split('.').map(str::to_owned).collect());
    field::<F>(&name).map(drop).ok_or_else(|| unknown::<F>(&name, 1).problem)
}

/// The field that a name names, and the path that leads on through its JSON.
fn field<F: Family>(name: &Name) -> Option<(F::Field, Vec<String>)> {
    if let Some(field) = F::field(&name.to_string()) {
        return Some((field, Vec::new()));
    }
    let (first, path) = name.0.split_first()?;
    let field = F::field(first).filter(|field| F::describe(*field).kind == Kind::Json)?;
    Some((field, path.to_vec()))
}

fn unknown<F: Family>(name: &Name, column: usize) -> Mistake {
    let written = shown(&name.to_string());
    let names = F::fields().into_iter().map(F::describe);
    let names = names.flat_map(|field| [field.name].into_iter().chain(field.other_names.iter().copied()));
    let nearest = nearest(&written, names);
    Mistake { column, word: written.clone(), problem: Problem::UnknownField { name: written, nearest } }
}

/// A word is looked for as lists are searched: in any case, in any part of a text, an IPv6 address in the spelling in
/// which it is stored.
fn found<F: Family>(value: &Value) -> Node<F> {
    // Signs and brackets have no meaning without a field, so that the parser leaves them in a word or refuses them.
    let Value::Is(pattern) = value else { return Node::Any(Vec::new()) };
    if pattern.is_any() {
        return Node::All(Vec::new());
    }
    let stored = pattern.as_literal().map(|text| Pattern::literal(&as_stored(text)));
    Node::Found(stored.as_ref().unwrap_or(pattern).lower().anywhere())
}
