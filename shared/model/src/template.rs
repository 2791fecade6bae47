//! Templates of request bodies: the part of Go's syntax that NetBird's dashboard and documentation show.
//!
//! Invariant: what a template gives is valid JSON, whatever the event holds. A value inside a JSON string is escaped
//! for it; one outside is a JSON value of its own. Whether a template as a whole is JSON does not depend on values,
//! so it is known when it is read.

mod layout;

use serde_json::{Map, Value};

use crate::time::Timestamp;

pub use layout::Layout;

/// A template that was read and found good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template(Vec<Piece>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value { field: Field, in_string: bool },
}

/// What a template can ask of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Field {
    /// `.ID`: the event id.
    Id,
    /// `.Timestamp`: when it happened.
    Timestamp,
    /// `.Timestamp.Format "layout"`: the same as Go writes it.
    TimestampAs(Layout),
    /// `.Timestamp.Unix` and the like: the same as a number since 1970.
    TimestampIn(Unit),
    /// `.Message`: what happened, in words.
    Message,
    /// `.InitiatorID`: who did it.
    InitiatorId,
    /// `.TargetID`: what it was done to.
    TargetId,
    /// `.Meta`: more about it, an object.
    Meta,
    /// `.Meta.name` or `index .Meta "name"`: one of its members.
    MetaMember(String),
    /// `.Reference`: what ties it to other events.
    Reference,
}

/// What times are counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names say it")]
pub enum Unit {
    Seconds,
    Millis,
    Micros,
    Nanos,
}

impl Unit {
    /// How many of them have passed since 1970, in whole ones. Nanoseconds end in the year 2262, as in Go.
    #[must_use]
    pub fn count(self, time: Timestamp) -> i64 {
        let micros = time.micros();
        match self {
            Self::Seconds => micros.div_euclid(1_000_000),
            Self::Millis => micros.div_euclid(1_000),
            Self::Micros => micros,
            Self::Nanos => micros.saturating_mul(1_000),
        }
    }
}

/// Why a text is no template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the texts say it")]
pub enum BadTemplate {
    #[error("must not be longer than {MAX_BYTES} bytes")]
    TooLong,
    #[error("opens {{{{ and does not close it")]
    Unclosed,
    #[error(
        "cannot do {{{{{0}}}}}; known are .ID .Timestamp .Message .InitiatorID .TargetID .Meta .Reference, \
         .Timestamp.Format \"layout\", .Timestamp.Unix, .UnixMilli, .UnixMicro, .UnixNano, .Meta.name, index .Meta \"name\", and | json behind them"
    )]
    Unknown(String),
    #[error("does not give valid JSON: {0}")]
    NotJson(String),
}

const MAX_BYTES: usize = 16 * 1024;

impl std::str::FromStr for Template {
    type Err = BadTemplate;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.len() > MAX_BYTES {
            return Err(BadTemplate::TooLong);
        }
        let template = Self(pieces(text)?);
        // Texts cannot break out of their places. What could run into the text next to it, or cannot be the name of a
        // member, is tried with values that do.
        for number in [0, -1] {
            let sample = template.render(|field| match field {
                Field::Meta => Value::Object(Map::new()),
                Field::TimestampIn(_) => Value::from(number),
                Field::MetaMember(_) => Value::Null,
                Field::Id
                | Field::Timestamp
                | Field::TimestampAs(_)
                | Field::Message
                | Field::InitiatorId
                | Field::TargetId
                | Field::Reference => Value::from("x"),
            });
            serde_json::from_slice::<Value>(&sample).map_err(|error| BadTemplate::NotJson(error.to_string()))?;
        }
        Ok(template)
    }
}

impl Template {
    /// The JSON text, with the values that `value` gives.
    #[must_use]
    pub fn render(&self, value: impl Fn(&Field) -> Value) -> Vec<u8> {
        let mut out = Vec::new();
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => out.extend_from_slice(text.as_bytes()),
                Piece::Value { field, in_string: false } => out.extend_from_slice(value(field).to_string().as_bytes()),
                Piece::Value { field, in_string: true } => {
                    let text = match value(field) {
                        Value::String(text) => text,
                        Value::Null => String::new(),
                        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                            other.to_string()
                        }
                    };
                    let quoted = Value::String(text).to_string();
                    out.extend_from_slice(&quoted.as_bytes()[1..quoted.len() - 1]);
                }
            }
        }
        out
    }

    /// The same template on one line: between the tokens of JSON a line break is a blank.
    #[must_use]
    pub fn on_one_line(self) -> Self {
        let flatten = |piece| match piece {
            Piece::Text(text) => Piece::Text(text.replace(['\n', '\r'], " ")),
            Piece::Value { .. } => piece,
        };
        Self(self.0.into_iter().map(flatten).collect())
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, BadTemplate> {
    let mut pieces = Vec::new();
    let mut place = InJson::default();
    let mut rest = text;
    let mut trim_next = false;
    while let Some((before, after)) = rest.split_once("{{") {
        let (action, after) = split_action(after)?;
        let trims_before = action.strip_prefix('-').filter(|rest| rest.starts_with(char::is_whitespace));
        let action = trims_before.unwrap_or(action);
        let before = if trim_next { before.trim_start() } else { before };
        let before = if trims_before.is_some() { before.trim_end() } else { before };
        let trims_after = action.strip_suffix('-').filter(|rest| rest.ends_with(char::is_whitespace));
        let action = trims_after.unwrap_or(action).trim();
        trim_next = trims_after.is_some();
        place.read(before);
        pieces.push(Piece::Text(before.to_owned()));
        let is_comment = action.starts_with("/*") && action.ends_with("*/");
        if !is_comment {
            let field = field(action).ok_or_else(|| BadTemplate::Unknown(action.to_owned()))?;
            pieces.push(Piece::Value { field, in_string: place.in_string });
        }
        rest = after;
    }
    let rest = if trim_next { rest.trim_start() } else { rest };
    pieces.push(Piece::Text(rest.to_owned()));
    Ok(pieces)
}

/// What stands between `{{` and its `}}`, which may also stand inside a quoted text.
fn split_action(text: &str) -> Result<(&str, &str), BadTemplate> {
    let mut quote = None;
    let mut escaped = false;
    for (at, character) in text.char_indices() {
        match quote {
            Some('"') if escaped => escaped = false,
            Some('"') if character == '\\' => escaped = true,
            Some(open) if open == character => quote = None,
            Some(_) => {}
            None if character == '"' || character == '`' => quote = Some(character),
            None if text[at..].starts_with("}}") => return Ok((&text[..at], &text[at + 2..])),
            None => {}
        }
    }
    Err(BadTemplate::Unclosed)
}

/// Whether a place in a JSON text is inside of a string.
#[derive(Default)]
struct InJson {
    in_string: bool,
    escaped: bool,
}

impl InJson {
    fn read(&mut self, text: &str) {
        for byte in text.bytes() {
            match byte {
                _ if self.escaped => self.escaped = false,
                b'\\' if self.in_string => self.escaped = true,
                b'"' => self.in_string = !self.in_string,
                _ => {}
            }
        }
    }
}

fn field(action: &str) -> Option<Field> {
    // Every value is JSON already, so asking for it changes nothing.
    let action = action.rsplit_once('|').filter(|(_, filter)| is_json(filter)).map_or(action, |(asked, _)| asked);
    let words = words(action.trim())?;
    let words: Vec<&str> = words.iter().map(|word| of_event(word)).collect();
    match words.as_slice() {
        [filter, asked] if is_json(filter) => simple_field(asked),
        [asked] => simple_field(asked),
        [".Timestamp.Format", layout] => Some(Field::TimestampAs(Layout::new(&quoted(layout)?))),
        ["index", ".Meta", name] => Some(Field::MetaMember(quoted(name)?)),
        _ => None,
    }
}

/// NetBird's templates know the event under a name, too: `.Event.ID` is `.ID`.
fn of_event(word: &str) -> &str {
    word.strip_prefix(".Event").filter(|field| field.starts_with('.')).unwrap_or(word)
}

fn is_json(filter: &str) -> bool {
    ["json", "toJson", "toJSON"].contains(&filter.trim())
}

fn simple_field(text: &str) -> Option<Field> {
    Some(match text {
        ".ID" => Field::Id,
        ".Timestamp" => Field::Timestamp,
        ".Timestamp.Unix" => Field::TimestampIn(Unit::Seconds),
        ".Timestamp.UnixMilli" => Field::TimestampIn(Unit::Millis),
        ".Timestamp.UnixMicro" => Field::TimestampIn(Unit::Micros),
        ".Timestamp.UnixNano" => Field::TimestampIn(Unit::Nanos),
        ".Message" => Field::Message,
        ".InitiatorID" => Field::InitiatorId,
        ".TargetID" => Field::TargetId,
        ".Meta" => Field::Meta,
        ".Reference" => Field::Reference,
        _ => {
            let name = text.strip_prefix(".Meta.")?;
            let is_name = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
            Some(name).filter(|name| !name.is_empty() && name.bytes().all(is_name))?;
            Field::MetaMember(name.to_owned())
        }
    })
}

/// Splits at blanks that stand in no quotes; quotes stay.
fn words(text: &str) -> Option<Vec<String>> {
    let mut words: Vec<String> = Vec::new();
    let mut quote = None;
    let mut escaped = false;
    let mut starts_word = true;
    for character in text.chars() {
        if quote.is_none() && character.is_whitespace() {
            starts_word = true;
            continue;
        }
        match quote {
            Some('"') if escaped => escaped = false,
            Some('"') if character == '\\' => escaped = true,
            Some(open) if open == character => quote = None,
            Some(_) => {}
            None if character == '"' || character == '`' => quote = Some(character),
            None => {}
        }
        if std::mem::take(&mut starts_word) {
            words.push(String::new());
        }
        words.last_mut()?.push(character);
    }
    Some(words)
}

/// A quoted text without its quotes: Go's `"..."` is read as JSON's, and a raw one stands as it is.
fn quoted(word: &str) -> Option<String> {
    match word.strip_prefix('`') {
        Some(raw) => raw.strip_suffix('`').map(str::to_owned),
        None => serde_json::from_str(word).ok(),
    }
}

#[cfg(test)]
mod tests;
