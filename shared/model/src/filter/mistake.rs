//! What is wrong with a text, and where.

/// The most bytes of a text.
pub const MAX_BYTES: usize = 10_000;
/// The most terms of an expression.
pub const MAX_TERMS: usize = 1000;
/// How deep parentheses and negations may nest.
pub const MAX_DEPTH: usize = 64;

/// A text that is no expression, or one that a family of events cannot be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {problem}")]
pub struct Mistake {
    /// Where it begins, in characters from 1.
    pub column: usize,
    /// The word that is wrong, at most 40 characters of it; empty at the end of the text.
    pub word: String,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a word.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// The text is too long to be read.
    #[error("is more than {MAX_BYTES} bytes long")]
    TooLong,
    /// There are too many terms.
    #[error("has more than {MAX_TERMS} terms")]
    TooManyTerms,
    /// It nests too deep.
    #[error("nests more than {MAX_DEPTH} levels deep")]
    TooDeep,
    /// Something else must stand here.
    #[error("{}{} is expected", found(.word), .expected)]
    Expected {
        /// What stands here; empty at the end of the text.
        word: String,
        /// What is to stand here, in words.
        expected: &'static str,
    },
    /// There is no such field.
    #[error("{:?} is no field{}", .name, meant(*.nearest))]
    UnknownField {
        /// As it was written.
        name: String,
        /// The field that may have been meant.
        nearest: Option<&'static str>,
    },
    /// A field does not take such a value.
    #[error("{:?} is no value of {}, which takes {}", .value, .field, .takes)]
    BadValue {
        /// The field's name, as it was written.
        field: String,
        /// As it was written.
        value: String,
        /// What it takes, in words.
        takes: String,
    },
}

fn found(word: &str) -> String {
    if word.is_empty() { String::new() } else { format!("{word:?} is not expected here: ") }
}

fn meant(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(": is {name} meant?")).unwrap_or_default()
}

/// As much of a word as is shown.
pub(super) fn shown(text: &str) -> String {
    const SHOWN: usize = 40;
    text.chars().take(SHOWN).collect()
}
