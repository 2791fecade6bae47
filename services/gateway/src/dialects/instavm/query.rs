//! Query parameters as Starlette takes them apart: nothing is refused, and the last of a name counts.

use percent_encoding::percent_decode_str;

/// The parameters of a request, in their order.
#[derive(Clone, Debug, Default)]
pub(super) struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Takes a query apart.
    pub(super) fn parse(query: Option<&str>) -> Self {
        let pairs = query.unwrap_or_default().split('&').filter(|pair| !pair.is_empty());
        let read = |pair: &str| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        };
        Self(pairs.map(read).collect())
    }

    /// The last value of this name.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(other, _)| other == name).map(|(_, value)| value.as_str())
    }
}

/// What is sent as it is, though it should be escaped, is read byte by byte as Latin-1.
fn decoded(text: &str) -> String {
    let latin = text.bytes().map(char::from).collect::<String>();
    let mut decoded = String::with_capacity(latin.len());
    // Only what is written in ASCII can be an escape, and one sequence of UTF-8 never spans anything else.
    for run in latin.replace('+', " ").split_inclusive(|character: char| !character.is_ascii()) {
        let (ascii, last) = match run.char_indices().next_back() {
            Some((at, character)) if !character.is_ascii() => (&run[..at], Some(character)),
            _ => (run, None),
        };
        decoded.push_str(&unquoted(ascii));
        decoded.extend(last);
    }
    decoded
}

/// Decodes what is escaped by percent signs. What is no UTF-8 then becomes the replacement character.
pub(super) fn unquoted(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn last(query: &str, name: &str) -> Option<String> {
        Parameters::parse(Some(query)).last(name).map(str::to_owned)
    }

    #[test]
    fn the_last_of_a_name_counts() {
        assert_eq!(last("a=1&b=2&a=3", "a").as_deref(), Some("3"));
        assert_eq!(last("a=1&a", "a").as_deref(), Some(""));
        assert_eq!(last("a=1", "A"), None);
    }

    #[test]
    fn values_are_decoded_as_forms_are_encoded() {
        for (value, expected) in [
            ("a+b%20c%2B", "a b c+"),
            ("%C3%A4", "\u{e4}"),
            ("%ff", "\u{fffd}"),
            ("%F0%9F%98x", "\u{fffd}x"),
            ("%00", "\0"),
            ("%zz%", "%zz%"),
            ("a=b", "a=b"),
            ("\u{e4}%C3", "\u{c3}\u{a4}\u{fffd}"),
        ] {
            assert_eq!(last(&format!("x={value}"), "x").as_deref(), Some(expected), "{value}");
        }
    }

    #[test]
    fn names_are_decoded_too_and_empty_pairs_are_none() {
        assert_eq!(last("&&li%6dit=1&", "limit").as_deref(), Some("1"));
        assert_eq!(last("=x", "").as_deref(), Some("x"));
    }
}
