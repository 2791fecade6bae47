//! A text that may have wildcards.

use std::borrow::Cow;

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// This text; never empty, and never two behind one another.
    Text(String),
    /// Any characters, or none: `*`.
    Any,
    /// One character: `?`.
    One,
}

/// A text that may have wildcards.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Pattern(Vec<Piece>);

impl Pattern {
    /// The text itself, in which nothing is a wildcard.
    #[must_use]
    pub fn literal(text: &str) -> Self {
        Self::default().with(Piece::Text(text.to_owned()))
    }

    /// The same with a piece more.
    #[must_use]
    pub fn with(mut self, piece: Piece) -> Self {
        match (self.0.last_mut(), piece) {
            (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
            (_, Piece::Text(text)) if text.is_empty() => {}
            // Two are the same as one.
            (Some(Piece::Any), Piece::Any) => {}
            (_, piece) => self.0.push(piece),
        }
        self
    }

    /// What it is made of.
    #[must_use]
    pub fn pieces(&self) -> &[Piece] {
        &self.0
    }

    /// The text, where it has no wildcards.
    #[must_use]
    pub fn as_literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Text(text)] => Some(text),
            _ => None,
        }
    }

    /// Whether it is a `*` alone.
    #[must_use]
    pub fn is_any(&self) -> bool {
        self.0 == [Piece::Any]
    }

    /// The same in lower case.
    #[must_use]
    pub fn lower(&self) -> Self {
        let lower = |piece: &Piece| match piece {
            Piece::Text(text) => Piece::Text(text.to_lowercase()),
            Piece::Any => Piece::Any,
            Piece::One => Piece::One,
        };
        Self(self.0.iter().map(lower).collect())
    }

    /// The same with anything before and behind it.
    #[must_use]
    pub fn anywhere(&self) -> Self {
        let pieces = self.0.iter().cloned().chain([Piece::Any]);
        pieces.fold(Self::default().with(Piece::Any), Self::with)
    }

    /// Whether a text fits as a whole.
    #[must_use]
    pub fn fits(&self, text: &str) -> bool {
        if let Some(literal) = self.as_literal() {
            return literal == text;
        }
        // What follows the last `*` that was met, and where in the text that is tried: one character further each time
        // that it does not fit, so that the time is bounded by the product of the lengths.
        let mut again: Option<(&[Piece], &str)> = None;
        let (mut pieces, mut rest) = (self.0.as_slice(), text);
        loop {
            let step = match pieces.split_first() {
                Some((Piece::Any, more)) => {
                    again = Some((more, rest));
                    Some((more, rest))
                }
                Some((Piece::Text(text), more)) => rest.strip_prefix(text.as_str()).map(|rest| (more, rest)),
                Some((Piece::One, more)) => without_first(rest).map(|rest| (more, rest)),
                None if rest.is_empty() => return true,
                None => None,
            };
            if let Some(next) = step {
                (pieces, rest) = next;
                continue;
            }
            let Some((more, tried)) = again else { return false };
            let Some(further) = without_first(tried) else { return false };
            again = Some((more, further));
            (pieces, rest) = (more, further);
        }
    }

    /// As it was written, as near as it is known: for what is said to its writer.
    #[must_use]
    pub fn as_written(&self) -> Cow<'_, str> {
        if let Some(text) = self.as_literal() {
            return Cow::Borrowed(text);
        }
        let written = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Any => "*".to_owned(),
            Piece::One => "?".to_owned(),
        };
        Cow::Owned(self.0.iter().map(written).collect())
    }
}

fn without_first(text: &str) -> Option<&str> {
    let mut rest = text.chars();
    rest.next().map(|_| rest.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The definition, whatever time it takes.
    fn fits(pieces: &[Piece], text: &str) -> bool {
        match pieces.split_first() {
            None => text.is_empty(),
            Some((Piece::Text(own), more)) => text.strip_prefix(own.as_str()).is_some_and(|rest| fits(more, rest)),
            Some((Piece::One, more)) => without_first(text).is_some_and(|rest| fits(more, rest)),
            Some((Piece::Any, more)) => fits(more, text) || without_first(text).is_some_and(|rest| fits(pieces, rest)),
        }
    }

    fn any_piece() -> impl Strategy<Value = Piece> {
        prop_oneof![Just(Piece::Any), Just(Piece::One), "[abß]{1,2}".prop_map(Piece::Text)]
    }

    proptest! {
        #[test]
        fn a_pattern_fits_what_its_definition_says(
            pieces in prop::collection::vec(any_piece(), 0..7), text in "[abß]{0,9}"
        ) {
            let pattern = pieces.into_iter().fold(Pattern::default(), Pattern::with);
            prop_assert_eq!(pattern.fits(&text), fits(pattern.pieces(), &text));
        }

        #[test]
        fn anywhere_is_what_a_text_contains(part in "[abß]{0,3}", text in "[abß]{0,9}") {
            prop_assert_eq!(Pattern::literal(&part).anywhere().fits(&text), text.contains(&part));
        }
    }
}
