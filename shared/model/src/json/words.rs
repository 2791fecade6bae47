//! What is wrong with a JSON document, in words for who wrote it: no type's name, no library's text, and no value,
//! which may be a secret.

use serde_json::error::Category;

/// What is wrong with a value.
pub(super) fn about_value(error: &serde_json::Error) -> String {
    let text = error.to_string();
    // The position means nothing once a batch was split.
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(words, _)| words);
    if let Some((found, expected)) =
        text.strip_prefix("invalid type: ").and_then(|text| text.rsplit_once(", expected "))
    {
        return must_be(found, expected);
    }
    if let Some((_, expected)) = text.strip_prefix("invalid value: ").and_then(|text| text.rsplit_once(", expected ")) {
        return must_be("", expected);
    }
    if let Some(variant) = text.strip_prefix("unknown variant `") {
        return one_of(variant.split_once("`, expected ").map_or("", |(_, known)| known));
    }
    if text.starts_with("invalid length") {
        return "has a wrong number of items".to_owned();
    }
    if text.starts_with("duplicate field") {
        return "has a member twice".to_owned();
    }
    // What is left was written here.
    text.to_owned()
}

/// The member that is missing from an object, where that is what is wrong.
pub(super) fn missing_member(error: &serde_json::Error) -> Option<String> {
    let text = error.to_string();
    let name = text.strip_prefix("missing field `")?;
    Some(name.split('`').next()?.to_owned())
}

/// What keeps a text from being JSON.
pub(super) fn about_syntax(error: &serde_json::Error) -> &'static str {
    if error.classify() == Category::Eof {
        return "it ends too early";
    }
    let text = error.to_string();
    let known = [
        ("trailing characters", "there is more after its end"),
        ("trailing comma", "there is a comma too many"),
        ("control character", "a control character in a text must be escaped"),
        ("key must be a string", "the name of a member must stand in quotes"),
        ("invalid escape", "a backslash escapes what needs none"),
        ("lone leading surrogate", "an escape is half of a surrogate pair"),
        ("unexpected end of hex escape", "an escape is half of a surrogate pair"),
        ("invalid unicode code point", "it is not UTF-8"),
        ("invalid number", "a number is written as JSON writes none"),
        ("number out of range", "a number is too large"),
        ("recursion limit", "it nests too deep"),
        ("expected `:`", "a colon is missing"),
        ("expected `,` or `}`", "a comma or a closing brace is missing"),
        ("expected `,` or `]`", "a comma or a closing bracket is missing"),
    ];
    let words = known.into_iter().find(|(start, _)| text.starts_with(start));
    words.map_or("a value is missing, or is none of JSON's", |(_, words)| words)
}

fn must_be(found: &str, expected: &str) -> String {
    let wanted = wanted(expected).unwrap_or_else(|| expected.strip_prefix("must be ").unwrap_or(expected));
    match found_words(found) {
        // In range or out of it: which, the wanted range says.
        "" | "an integer" if wanted.starts_with("an integer") => format!("must be {wanted}"),
        "" => format!("must be {wanted}"),
        found => format!("must be {wanted}, not {found}"),
    }
}

/// What serde and this crate's readers name.
fn wanted(expected: &str) -> Option<&'static str> {
    let ranges = [
        ("u8", "an integer from 0 to 255"),
        ("u16", "an integer from 0 to 65535"),
        ("u32", "an integer from 0 to 4294967295"),
        ("u64", "an integer from 0 to 18446744073709551615"),
        ("usize", "an integer from 0 to 18446744073709551615"),
        ("i64", "an integer from -9223372036854775808 to 9223372036854775807"),
        ("i32", "an integer from -2147483648 to 2147483647"),
        ("f64", "a number"),
        ("a boolean", "true or false"),
        ("a map", "an object"),
        ("a sequence", "an array"),
        ("any valid JSON value", "JSON"),
    ];
    let word = ranges.into_iter().find(|(name, _)| *name == expected).map(|(_, words)| words);
    word.or_else(|| {
        let starts = |starts: &[&str]| starts.iter().any(|start| expected.starts_with(start));
        if starts(&["struct ", "internally tagged", "adjacently tagged", "variant "]) {
            Some("an object")
        } else if starts(&[
            "a string",
            "a borrowed string",
            "str",
            "string",
            "a character",
            "enum ",
            "variant identifier",
        ]) {
            Some("a string")
        } else if starts(&["tuple ", "a tuple", "an array"]) {
            Some("an array")
        } else {
            None
        }
    })
}

fn found_words(found: &str) -> &'static str {
    let kinds = [
        ("string", "a string"),
        ("character", "a string"),
        ("integer", "an integer"),
        ("floating point", "a number with a fraction"),
        ("boolean", "true or false"),
        ("map", "an object"),
        ("sequence", "an array"),
        ("null", "null"),
        ("unit", "null"),
        ("Option", "null"),
    ];
    kinds.into_iter().find(|(start, _)| found.starts_with(start)).map_or("", |(_, words)| words)
}

/// ``one of `a`, `b` `` or `` `a` or `b` `` as `must be one of a, b`.
fn one_of(known: &str) -> String {
    let names: Vec<&str> = known.split('`').skip(1).step_by(2).collect();
    match names.as_slice() {
        [] => "is not known".to_owned(),
        [name] => format!("must be {name}"),
        names => format!("must be one of {}", names.join(", ")),
    }
}
