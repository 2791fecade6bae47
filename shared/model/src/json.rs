//! Reading JSON that others wrote: bounded in depth, with errors that name the field.

mod each;
mod fields;
mod number;
mod text;
mod value;
mod watched;
mod words;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use each::{Passed, each};
pub(crate) use fields::put_once;
pub use fields::{Integer, count, filled, integer, or_default};
pub use number::{NotFinite, Number};
pub use text::{is_beyond_double, mended};
pub use value::{Json, as_text};
pub(crate) use watched::Watched;

/// How many levels of objects and arrays a document may nest.
pub const MAX_DEPTH: usize = 64;

/// Why a JSON document was refused, in words for its writer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadJson {
    /// It nests too deep.
    #[error("more than {MAX_DEPTH} levels deep")]
    TooDeep,
    /// It is no JSON at all.
    #[error("not JSON: {0}")]
    NotJson(String),
    /// A field does not fit.
    #[error("{field}: {problem}")]
    Field {
        /// The path to it, such as `source.geo_location`.
        field: String,
        /// What is wrong with it.
        problem: String,
    },
}

/// Reads `text` as a `T`.
///
/// # Errors
/// When the text is no JSON, nests too deep, or a field does not fit.
pub fn read<'de, T: Deserialize<'de>>(text: &'de [u8]) -> Result<T, BadJson> {
    check_depth(text)?;
    read_part(text)
}

/// Reads `text`, a part of a document whose depth was checked as a whole.
///
/// The first pass is fast; only when it fails does a second one find out which field is to blame.
///
/// # Errors
/// When the text is no JSON or a field does not fit.
pub fn read_part<'de, T: Deserialize<'de>>(text: &'de [u8]) -> Result<T, BadJson> {
    // Checked as a whole, which is faster than text by text.
    let read = str::from_utf8(text).ok().and_then(|text| serde_json::from_str(text).ok());
    read.ok_or_else(|| explain::<T>(text))
}

/// Gives each element of an array to `take` as its text, and keeps none. The array is a part of a document whose depth was
/// checked as a whole.
///
/// # Errors
/// When it is no JSON or no array, once `take` got what comes before.
pub fn for_each<'de>(text: &'de [u8], take: impl FnMut(&'de RawValue)) -> Result<(), BadJson> {
    each(text, take).ok_or_else(|| explain::<Vec<Passed>>(text))
}

/// Reads `text` like [`read_part`], and takes half surrogate pairs and numbers beyond a double, see [`mended`].
///
/// # Errors
/// When the text is no JSON or a field does not fit.
pub fn read_lenient<T: DeserializeOwned>(text: &[u8]) -> Result<T, BadJson> {
    let strict = read_part(text);
    let Err(bad) = strict else { return strict };
    // Only a text that no strict reader takes is looked through for what can be mended.
    match str::from_utf8(text).map(mended) {
        Ok(std::borrow::Cow::Owned(mended)) => read_part(mended.as_bytes()),
        Ok(std::borrow::Cow::Borrowed(_)) | Err(_) => Err(bad),
    }
}

/// `document` stands for the field where the document itself is wrong.
fn explain<'de, T: Deserialize<'de>>(text: &'de [u8]) -> BadJson {
    let mut deserializer = serde_json::Deserializer::from_slice(text);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut deserializer) else {
        return BadJson::NotJson("there is more after its end".to_owned());
    };
    let path = error.path().to_string();
    // An unknown end of the path says nothing.
    let path = path.trim_end_matches('?').trim_end_matches('.').to_owned();
    let path = Some(path).filter(|path| !path.is_empty());
    let error = error.inner();
    if !error.is_data() {
        let problem = words::about_syntax(error);
        return BadJson::NotJson(path.map_or_else(|| problem.to_owned(), |path| format!("{problem}, at {path}")));
    }
    if let Some(name) = words::missing_member(error) {
        let field = path.map_or_else(|| name.clone(), |path| format!("{path}.{name}"));
        return BadJson::Field { field, problem: "is missing".to_owned() };
    }
    BadJson::Field { field: path.unwrap_or_else(|| "document".to_owned()), problem: words::about_value(error) }
}

/// Checks that no more than [`MAX_DEPTH`] objects and arrays are nested.
///
/// # Errors
/// When they are.
pub fn check_depth(text: &[u8]) -> Result<(), BadJson> {
    if is_deeper(text, MAX_DEPTH) { Err(BadJson::TooDeep) } else { Ok(()) }
}

/// Whether more than so many objects and arrays are nested.
pub(crate) fn is_deeper(text: &[u8], levels: usize) -> bool {
    // To look for brackets, also within texts, is many times as fast as to follow them, and most documents have too few to
    // be deep.
    if memchr::memchr2_iter(b'{', b'[', text).nth(levels).is_none() {
        return false;
    }
    let mut depth = 0_usize;
    let mut rest = text;
    loop {
        // Most of a document is text between quotes, which is passed over by search.
        let quote = memchr::memchr(b'"', rest);
        for &byte in &rest[..quote.unwrap_or(rest.len())] {
            match byte {
                b'{' | b'[' => depth += 1,
                b'}' | b']' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > levels {
                return true;
            }
        }
        let Some(quote) = quote else { return false };
        rest = after_text(&rest[quote + 1..]);
    }
}

/// What comes behind the quote that ends a text.
fn after_text(mut text: &[u8]) -> &[u8] {
    while let Some(found) = memchr::memchr2(b'"', b'\\', text) {
        if text[found] == b'"' {
            return &text[found + 1..];
        }
        text = text.get(found + 2..).unwrap_or_default();
    }
    &[]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    /// Any JSON that is not deep.
    pub(super) fn any_value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    #[derive(Debug, Deserialize)]
    struct Outer {
        #[expect(dead_code, reason = "only its type matters here")]
        inner: Inner,
    }

    #[derive(Debug, Deserialize)]
    struct Inner {
        #[expect(dead_code, reason = "only its type matters here")]
        bytes: u64,
    }

    #[test]
    fn the_error_names_the_field() {
        let error = read::<Outer>(br#"{"inner":{"bytes":"many"}}"#).unwrap_err();
        assert_eq!(error.to_string(), "inner.bytes: must be an integer from 0 to 18446744073709551615, not a string");
    }

    fn elements(text: &[u8]) -> (Vec<&str>, Result<(), BadJson>) {
        let mut elements = Vec::new();
        let read = for_each(text, |element| elements.push(element.get()));
        (elements, read)
    }

    #[test]
    fn each_element_of_an_array_comes_in_order() {
        assert_eq!(elements(br#" [1, {"a":[2]},"]" ] "#), (vec!["1", r#"{"a":[2]}"#, r#""]""#], Ok(())));
        assert_eq!(elements(b"[]"), (Vec::new(), Ok(())));
    }

    #[test]
    fn what_is_wrong_with_an_array_is_said_as_of_a_whole_document() {
        for text in [b"{}".as_slice(), b"[1,", b"[1] 2", b"[1,}", b"7", b"[\"\xff\"]", b""] {
            let expected = read_part::<Vec<&RawValue>>(text).map(drop);
            assert_eq!(elements(text).1, expected, "{text:?}");
            assert!(expected.is_err(), "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_said_in_words() {
        let problem = |text: &str| read::<Outer>(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(problem("7"), "document: must be an object, not an integer");
        assert_eq!(problem("{}"), "inner: is missing");
        assert_eq!(problem(r#"{"inner":{}}"#), "inner.bytes: is missing");
        assert_eq!(problem(r#"{"inner":null}"#), "inner: must be an object, not null");
        assert_eq!(
            problem(r#"{"inner":{"bytes":-1}}"#),
            "inner.bytes: must be an integer from 0 to 18446744073709551615"
        );
        assert_eq!(
            problem(r#"{"inner":{"bytes":}}"#),
            "not JSON: a value is missing, or is none of JSON's, at inner.bytes"
        );
        assert_eq!(problem(r#"{"inner":{"bytes":1"#), "not JSON: it ends too early, at inner");
        assert_eq!(problem(r#"{"inner":{"bytes":1}} x"#), "not JSON: there is more after its end");
    }

    #[test]
    fn half_a_surrogate_pair_is_read_only_where_it_may() {
        let text = br#"["\ud83d"]"#.map(|byte| byte);
        let half = br#"["a\ud83d",1e400]"#;
        assert!(read_lenient::<Vec<String>>(&text).is_ok());
        assert!(read_part::<Vec<String>>(half).is_err());
        assert_eq!(read_lenient::<Vec<String>>(half).unwrap(), ["a\u{fffd}", "1e400"]);
    }

    #[test]
    fn what_is_no_json_is_called_so() {
        assert!(matches!(read::<Outer>(b"{"), Err(BadJson::NotJson(_))));
        assert!(matches!(read::<Outer>(b"\xff\xfe"), Err(BadJson::NotJson(_))));
        assert!(matches!(read::<Outer>(br#"{"inner":{"bytes":1}} x"#), Err(BadJson::NotJson(_))));
    }

    #[test]
    fn depth_is_counted_outside_strings_only() {
        let nested = |levels: usize| format!("{}{}", "[".repeat(levels), "]".repeat(levels));
        assert_eq!(check_depth(nested(64).as_bytes()), Ok(()));
        assert_eq!(check_depth(nested(65).as_bytes()), Err(BadJson::TooDeep));
        assert_eq!(check_depth(nested(3).repeat(300).as_bytes()), Ok(()));
        assert_eq!(check_depth(format!("\"\\\"{}\"", "[".repeat(99)).as_bytes()), Ok(()));
    }

    #[test]
    fn equal_values_are_equal_texts() {
        let one: Json = serde_json::from_str(r#"{"b": 1, "a": [true, null]}"#).unwrap();
        let other: Json = serde_json::from_str(r#"{"a":[true,null],"b":1}"#).unwrap();
        assert_eq!(one, other);
        assert_eq!(one.as_str(), r#"{"a":[true,null],"b":1}"#);
    }
}
