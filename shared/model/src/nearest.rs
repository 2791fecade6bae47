//! The name that was meant where a name is wrong.

/// So many wrong letters still make a name that was meant.
const MAX_WRONG_LETTERS: usize = 3;

/// The name that may have been meant by what was written, which is none of them.
#[must_use]
pub fn nearest<'n>(written: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let by_distance = names.map(|name| (strsim::damerau_levenshtein(written, name), name));
    // Of a short name that many letters are another name.
    let most = MAX_WRONG_LETTERS.min(written.chars().count() / 2);
    by_distance.min().filter(|(distance, _)| *distance <= most).map(|(_, nearest)| nearest)
}
