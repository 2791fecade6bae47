//! Parts of a JSON document as parts of a page.

use maud::{Markup, html};
use serde_json::{Map, Value};

/// Text with an empty line between paragraphs.
pub(super) fn paragraphs(text: &str) -> Markup {
    html! { @for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.is_empty()) { p { (words(paragraph)) } } }
}

/// Text with code between backticks.
pub(super) fn words(text: &str) -> Markup {
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// A text; empty where there is none.
pub(super) fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The items of an array; none where it is none.
pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map(Vec::as_slice).unwrap_or_default()
}

/// The members of an object; none where it is none.
pub(super) fn members(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter)
}
