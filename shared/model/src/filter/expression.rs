//! An expression, as it was written: fields are names, values are texts.
//!
//! Invariant: what [`Display`](fmt::Display) writes reads as an expression that asks for the same.

use std::fmt;

use super::pattern::{Pattern, Piece};

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// All of these hold; of none: everything.
    All(Vec<Expression>),
    /// One of these holds.
    Any(Vec<Expression>),
    /// This does not hold.
    Not(Box<Expression>),
    /// A single question.
    Term(Term),
}

/// A field and what its value is to be; or a word that is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Term {
    /// Where it begins, in characters from 1.
    pub column: usize,
    /// None: a word that is looked for in the texts that lists are searched for.
    pub field: Option<Name>,
    /// Where the value begins, in characters from 1.
    pub value_column: usize,
    /// What is looked for.
    pub value: Value,
}

/// The name of a field, cut at its dots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name(pub Vec<String>);

/// What a field's value is to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// Like this.
    Is(Pattern),
    /// Before or behind this.
    Compare(Order, Pattern),
    /// Between these.
    Range(Limit, Limit),
}

/// On which side of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Order {
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
}

/// An end of a range.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limit {
    /// None: there is no end, written `*`.
    pub at: Option<Pattern>,
    /// Whether the end itself is in it.
    pub included: bool,
}

impl Order {
    /// As it is written. One that begins like another stands before it.
    pub const ALL: [(&'static str, Self); 4] =
        [(">=", Self::GreaterOrEqual), (">", Self::Greater), ("<=", Self::LessOrEqual), ("<", Self::Less)];

    /// As it is written.
    #[must_use]
    pub fn sign(self) -> &'static str {
        match self {
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
        }
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(parts) => write_joined(formatter, parts, " "),
            Self::Any(parts) => write_joined(formatter, parts, " OR "),
            Self::Not(part) => {
                formatter.write_str("-")?;
                part.write_as_part(formatter)
            }
            Self::Term(term) => term.fmt(formatter),
        }
    }
}

fn write_joined(formatter: &mut fmt::Formatter<'_>, parts: &[Expression], between: &str) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            formatter.write_str(between)?;
        }
        part.write_as_part(formatter)?;
    }
    Ok(())
}

impl Expression {
    fn write_as_part(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(_) | Self::Any(_) => write!(formatter, "({self})"),
            Self::Not(_) | Self::Term(_) => write!(formatter, "{self}"),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.field {
            for (index, part) in name.0.iter().enumerate() {
                if index > 0 {
                    formatter.write_str(".")?;
                } else if part.starts_with(char::is_numeric) {
                    // What begins so is a name only where that is escaped.
                    formatter.write_str("\\")?;
                }
                write_escaped(formatter, part)?;
            }
            formatter.write_str(":")?;
        }
        match &self.value {
            Value::Is(pattern) => write_pattern(formatter, pattern),
            Value::Compare(order, pattern) => {
                formatter.write_str(order.sign())?;
                write_pattern(formatter, pattern)
            }
            Value::Range(low, high) => {
                formatter.write_str(if low.included { "[" } else { "{" })?;
                write_limit(formatter, low)?;
                formatter.write_str(" TO ")?;
                write_limit(formatter, high)?;
                formatter.write_str(if high.included { "]" } else { "}" })
            }
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0.join("."))
    }
}

fn write_limit(formatter: &mut fmt::Formatter<'_>, limit: &Limit) -> fmt::Result {
    match &limit.at {
        Some(pattern) => write_pattern(formatter, pattern),
        None => formatter.write_str("*"),
    }
}

fn write_pattern(formatter: &mut fmt::Formatter<'_>, pattern: &Pattern) -> fmt::Result {
    if pattern.pieces().is_empty() {
        return formatter.write_str("\"\"");
    }
    for piece in pattern.pieces() {
        match piece {
            Piece::Text(text) => write_escaped(formatter, text)?,
            Piece::Any => formatter.write_str("*")?,
            Piece::One => formatter.write_str("?")?,
        }
    }
    Ok(())
}

/// Writes a text so that nothing in it is a sign of the language, and it as a whole is no word of it.
fn write_escaped(formatter: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let is_word = ["AND", "OR", "NOT", "TO"].contains(&text);
    for (index, one) in text.chars().enumerate() {
        if !(one.is_alphanumeric() || one == '_') || (index == 0 && is_word) {
            formatter.write_str("\\")?;
        }
        write!(formatter, "{one}")?;
    }
    Ok(())
}
