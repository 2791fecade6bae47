//! One event as a syslog message (RFC 5424), within the bytes that a server takes.
//!
//! Servers cut or refuse what is longer than their limit, and read the rest as a message of its own. So a message that
//! would be too long is made shorter here, by whole parameters: its text stays before any of them, and the parameter
//! `truncated` names what is missing.

use super::document::{Document, host};
use crate::sink::Item;

/// Facility 13 (log audit), severity 6 (informational).
const PRIORITY: u8 = 13 * 8 + 6;

/// The number that RFC 5612 keeps for examples, as the project has none of its own.
const ELEMENT: &str = "flowtrail@32473";

/// Room for the event's id next to a text that is too long itself.
const ID_BYTES: usize = 256;

/// The message of an event, of at most `most` bytes. The header, the element and its mark take less than 500.
pub(super) fn message(item: &Item, most: usize) -> String {
    let Document { message, details, time } = Document::new(item);
    let index = details.index.to_string();
    let meta = without_controls(serde_json::Value::Object(details.meta).to_string());
    let event = without_controls(details.event.to_json());
    // Those that name the event come first, those that can be large last.
    let parameters = [
        ("id", details.id),
        ("account", details.account_id),
        ("kind", details.kind),
        ("type", details.event_type),
        ("initiator", details.initiator_id),
        ("target", details.target_id),
        ("reference", details.reference),
        ("position", &details.position),
        ("index", &index),
        ("meta", &meta),
        ("event", &event),
    ]
    .map(|(name, value)| (name, format!(" {name}=\"{}\"", escaped(value))));
    let (host, kind) = (word(host(item), 255), word(details.event_type, 32));
    let timestamp = time.to_six_digits();
    let header = format!("<{PRIORITY}>1 {timestamp} {host} flowtrail - {kind} [{ELEMENT}");
    // A line break would end the message for servers that read lines, and other control characters can make it look
    // like something else on a terminal.
    let text = message.replace(char::is_control, " ");
    let whole = header.len() + parameters.iter().map(|(_, text)| text.len()).sum::<usize>() + "] ".len();
    if whole + marked_len(&text) <= most {
        let data = parameters.map(|(_, parameter)| parameter).concat();
        return format!("{header}{data}] {}", marked(&text));
    }
    shortened(&header, &parameters, &text, most)
}

/// A message without the parameters for which there is no room, and with a shorter text if even that has none.
fn shortened(header: &str, parameters: &[(&str, String)], text: &str, most: usize) -> String {
    let names = |names: &[&str]| format!(" truncated=\"{}\"", names.join(","));
    let all: Vec<&str> = parameters.iter().map(|(name, _)| *name).chain(["text"]).collect();
    let room = most.saturating_sub(header.len() + names(&all).len() + "] ".len());
    let id = parameters.first().map_or(0, |(_, parameter)| parameter.len()).min(ID_BYTES);
    let is_cut = marked_len(text) + id > room;
    let text = if is_cut { beginning(text, room.saturating_sub(id)) } else { text.to_owned() };
    let mut room = room.saturating_sub(marked_len(&text));
    let (mut data, mut missing) = (String::new(), Vec::new());
    for (name, parameter) in parameters {
        if parameter.len() <= room {
            room -= parameter.len();
            data.push_str(parameter);
        } else {
            missing.push(*name);
        }
    }
    missing.extend(is_cut.then_some("text"));
    format!("{header}{data}{}] {}", names(&missing), marked(&text))
}

/// As much of a text as fits into so many bytes, with what marks text that is not ASCII.
fn beginning(text: &str, most: usize) -> String {
    const MARK: &str = "...";
    let mut end = most.saturating_sub(BOM.len() + MARK.len()).min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}{MARK}", &text[..end])
}

/// Says that a text is UTF-8, where it is not ASCII: RFC 5424, 6.4.
const BOM: &str = "\u{feff}";

fn marked(text: &str) -> String {
    if text.is_ascii() { text.to_owned() } else { format!("{BOM}{text}") }
}

fn marked_len(text: &str) -> usize {
    text.len() + if text.is_ascii() { 0 } else { BOM.len() }
}

/// The same JSON with escapes for the control characters that it has as they are, which only its texts can hold: those
/// would become blanks.
fn without_controls(json: String) -> String {
    if !json.contains(char::is_control) {
        return json;
    }
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            _ if character.is_control() => out.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => out.push(character),
        }
    }
    out
}

/// A value of structured data: RFC 5424, 6.3.3. Control characters, which it allows and servers do not, are blanks.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    for character in value.chars() {
        match character {
            '"' | '\\' | ']' => out.extend(['\\', character]),
            _ if character.is_control() => out.push(' '),
            _ => out.push(character),
        }
    }
    out
}

/// A field of the header: visible ASCII, or `-` where there is nothing.
fn word(text: &str, most: usize) -> String {
    let visible = |character: char| if character.is_ascii_graphic() { character } else { '_' };
    let word: String = text.chars().take(most).map(visible).collect();
    if word.is_empty() { "-".to_owned() } else { word }
}
