//! What is shown to a person on a terminal.

use std::borrow::Cow;

/// A text of a stranger, on one line and without anything that a terminal obeys.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().any(char::is_control) {
        return Cow::Owned(text.chars().flat_map(shown).collect());
    }
    Cow::Borrowed(text)
}

fn shown(character: char) -> impl Iterator<Item = char> {
    let escaped = character.is_control().then(|| character.escape_default());
    let plain = (!character.is_control()).then_some(character);
    escaped.into_iter().flatten().chain(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_told_nothing_by_what_strangers_wrote() {
        assert_eq!(visible("id: ü ok"), "id: ü ok");
        assert_eq!(visible("a\u{1b}[2Jb\nc\t\u{9b}d"), "a\\u{1b}[2Jb\\nc\\t\\u{9b}d");
    }
}
