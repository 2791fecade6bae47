//! Binary events: attributes in `ce-*` headers, the data as the payload.

use std::borrow::Cow;

use super::data;
use super::parts::{CONTENT_TYPE, CloudEvent, Malformed, Message, check_once};
use crate::json::Json;
use crate::time::Timestamp;

/// How the names of headers with attributes begin.
const PREFIX: &str = "ce-";
/// The headers that every binary event has.
const REQUIRED: [&str; 4] = ["ce-specversion", "ce-id", "ce-source", "ce-type"];

/// Whether the headers are those of a binary event.
pub(super) fn is_binary(message: Message<'_>) -> bool {
    REQUIRED.into_iter().all(|name| message.header(name).is_some())
}

/// Reads a binary event.
///
/// # Errors
/// When an attribute is missing or wrong.
pub(super) fn open(message: Message<'_>) -> Result<CloudEvent<'_>, Malformed> {
    let (mut version, mut content_type) = (Cow::Borrowed(""), None);
    let mut event = CloudEvent::new("", "", "", ());
    let mut names = Vec::new();
    for (name, value) in message.headers {
        let Some(name) = attribute_name(name).map(str::to_ascii_lowercase) else { continue };
        let value = decoded(value).ok_or_else(|| Malformed::Attribute {
            attribute: Cow::Owned(name.clone()),
            problem: "must be UTF-8 behind its percent-encoding",
        })?;
        match name.as_str() {
            "specversion" => version = value,
            "id" => event.id = value,
            "source" => event.source = value,
            "type" => event.kind = value,
            "accountid" => event.account = Some(value),
            "subject" => event.subject = Some(value),
            "datacontenttype" => content_type = Some(value),
            "time" => {
                let time = Timestamp::parse(&value);
                event.time = Some(time.map_err(|_| {
                    Malformed::attribute("time", "must be an RFC 3339 time such as 2024-01-31T23:59:59Z")
                })?);
            }
            _ => event.attributes.push((Cow::Owned(name.clone()), Json::from(&*value))),
        }
        names.push(name);
    }
    check_once(names.iter().map(String::as_str).collect())?;
    let content_type = content_type.or_else(|| message.header(CONTENT_TYPE).map(Cow::Borrowed));
    let data = data::as_json(Cow::Borrowed(message.payload), content_type.as_deref());
    data::complete(event.with_data(data).checked(&version, content_type.as_deref())?, content_type)
}

/// The id of an event that cannot be read, where that much of it can.
pub(super) fn id_in(message: Message<'_>) -> Option<String> {
    message.header("ce-id").and_then(decoded).map(Cow::into_owned).filter(|id| !id.is_empty())
}

fn attribute_name(header: &str) -> Option<&str> {
    let (prefix, name) = header.split_at_checked(PREFIX.len())?;
    prefix.eq_ignore_ascii_case(PREFIX).then_some(name)
}

/// What a header says: first without the quotes that older senders put around a value, then percent-decoded once
/// (CloudEvents, HTTP binding, 3.1.3.2). What is no escape stands for itself.
///
/// None: what is encoded is no UTF-8, which the binding tells receivers to refuse. With a replacement in its place two
/// ids could become one.
fn decoded(value: &str) -> Option<Cow<'_, str>> {
    match unquoted(value.trim()) {
        Cow::Borrowed(value) => percent_decoded(value),
        Cow::Owned(value) => percent_decoded(&value).map(|decoded| Cow::Owned(decoded.into_owned())),
    }
}

fn unquoted(value: &str) -> Cow<'_, str> {
    let Some(quoted) = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return Cow::Borrowed(value);
    };
    let mut text = String::with_capacity(quoted.len());
    let mut escaped = false;
    for character in quoted.chars() {
        if character == '\\' && !escaped {
            escaped = true;
        } else {
            text.push(character);
            escaped = false;
        }
    }
    Cow::Owned(text)
}

fn percent_decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains('%') {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escape = tail.first_chunk::<2>().filter(|_| *first == b'%');
        let decoded = escape.and_then(|[high, low]| Some(hex(*high)? << 4 | hex(*low)?));
        rest = if decoded.is_some() { &tail[2..] } else { tail };
        bytes.push(decoded.unwrap_or(*first));
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn hex(digit: u8) -> Option<u8> {
    let value = char::from(digit).to_digit(16)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Option<String> {
        decoded(value).map(Cow::into_owned)
    }

    #[test]
    fn escapes_are_decoded_once() {
        assert_eq!(text("Euro%20%E2%82%AC%20%F0%9F%98%80").as_deref(), Some("Euro \u{20ac} \u{1f600}"));
        assert_eq!(text("100%2525").as_deref(), Some("100%25"));
        assert_eq!(text("a%+1%zz%4").as_deref(), Some("a%+1%zz%4"));
    }

    #[test]
    fn quotes_around_a_value_are_none_of_it() {
        assert_eq!(text(r#""a \"b\" \\ %20""#).as_deref(), Some(r#"a "b" \  "#));
        assert_eq!(text("a\"b").as_deref(), Some("a\"b"));
        assert_eq!(text("\"").as_deref(), Some("\""));
    }

    #[test]
    fn what_is_no_utf_8_is_refused() {
        for value in ["%FF", "a%fe", "%C0%A0", "%ED%A0%80", "%E2%82"] {
            assert_eq!(text(value), None, "{value}");
        }
    }
}
