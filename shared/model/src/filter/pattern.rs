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

    /// The text, where it has one with anything before and behind it and nothing else.
    #[must_use]
    pub fn as_part(&self) -> Option<&str> {
        match self.0.as_slice() {
            [Piece::Any, Piece::Text(text), Piece::Any] => Some(text),
            _ => None,
        }
    }

    /// The ways to fit a text at one of the places where it has this character: what stands before is to fit the first
    /// pattern, and what stands behind the second.
    #[must_use]
    pub fn around(&self, character: char) -> Vec<(Self, Self)> {
        let mut ways = Vec::new();
        for (index, piece) in self.0.iter().enumerate() {
            let (before, behind) = (Self(self.0[..index].to_vec()), Self(self.0[index + 1..].to_vec()));
            match piece {
                Piece::Text(text) => ways.extend(text.match_indices(character).map(|(at, found)| {
                    let rest = Self::literal(&text[at + found.len()..]);
                    let behind = behind.0.iter().cloned().fold(rest, Self::with);
                    (before.clone().with(Piece::Text(text[..at].to_owned())), behind)
                })),
                Piece::One => ways.push((before, behind)),
                Piece::Any => ways.push((before.with(Piece::Any), Self([&[Piece::Any], behind.0.as_slice()].concat()))),
            }
        }
        ways
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
        // What is asked most often is found without trying one place after the other.
        match self.0.as_slice() {
            [] => return text.is_empty(),
            [Piece::Text(own)] => return own == text,
            [Piece::Text(own), Piece::Any] => return text.starts_with(own),
            [Piece::Any, Piece::Text(own)] => return text.ends_with(own),
            [Piece::Any, Piece::Text(own), Piece::Any] => return text.contains(own),
            _ => {}
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
        fn what_fits_around_a_character_fits_as_a_whole(
            pieces in prop::collection::vec(any_piece(), 0..7), before in "[abß]{0,5}", behind in "[aß]{0,5}"
        ) {
            let pattern = pieces.into_iter().fold(Pattern::default(), Pattern::with);
            let fits = |(one, other): &(Pattern, Pattern)| one.fits(&before) && other.fits(&behind);
            prop_assert_eq!(pattern.around('b').iter().any(fits), pattern.fits(&format!("{before}b{behind}")));
        }

        #[test]
        fn a_part_is_the_text_that_something_contains(part in "[abß]{1,3}") {
            let pattern = Pattern::literal(&part);
            let anywhere = pattern.anywhere();
            prop_assert_eq!(anywhere.as_part(), Some(&*part));
            prop_assert_eq!(pattern.as_part(), None);
        }

        #[test]
        fn anywhere_is_what_a_text_contains(part in "[abß]{0,3}", text in "[abß]{0,9}") {
            prop_assert_eq!(Pattern::literal(&part).anywhere().fits(&text), text.contains(&part));
        }
    }
}
