//! JSON as text: one compact form of equal values, and what strict readers stumble over put right.
//!
//! Invariant: a number keeps the digits it was written with. It never goes through a float, which holds 17 of them.

use std::borrow::Cow;

use serde_json::value::RawValue;

/// How deep a value may nest that is brought into the compact form, which is done by recursion.
const MAX_LEVELS: usize = 128;
/// Digits up to which a number without an exponent is within the range of a double.
const SURELY_FINITE: usize = 300;
/// What stands for half of a surrogate pair: U+FFFD.
const REPLACEMENT: &str = "\\ufffd";

/// The compact text of a JSON value, with sorted members; of equal names the last counts. Half a surrogate pair
/// becomes U+FFFD, and a number that no double holds becomes a text.
///
/// None: it is no JSON, or nests too deep.
pub(super) fn compact(text: &str) -> Option<String> {
    let mut reader = Reader { text, at: 0 };
    let mut out = String::with_capacity(text.len());
    reader.value(&mut out, 0)?;
    reader.blanks();
    (reader.at == text.len()).then_some(out)
}

/// The same JSON text with U+FFFD for each half of a surrogate pair, and texts for numbers that no double holds.
/// Borrowed where there is none of either. What is no JSON stays none.
#[must_use]
pub fn mended(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let mut kept = 0;
    let mut reader = Reader { text, at: 0 };
    while let Some(byte) = reader.peek() {
        let start = reader.at;
        let replacement = match byte {
            b'"' => match reader.string() {
                Some(content) => whole_surrogates(content).map(|content| format!("\"{content}\"")),
                // The text does not end, and its reader says so.
                None => break,
            },
            b'-' | b'0'..=b'9' => {
                let number = reader.token();
                (!is_finite(number)).then(|| format!("\"{number}\""))
            }
            _ => {
                reader.at += 1;
                None
            }
        };
        if let Some(replacement) = replacement {
            out.push_str(&text[kept..start]);
            out.push_str(&replacement);
            kept = reader.at;
        }
    }
    if kept == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[kept..]);
    Cow::Owned(out)
}

/// Whether a double holds a number, if not to the digit.
pub(super) fn is_finite(number: &str) -> bool {
    let is_short = number.len() < SURELY_FINITE && !number.contains(['e', 'E']);
    is_short || number.parse::<f64>().is_ok_and(f64::is_finite)
}

/// Whether a text is a JSON number that no double holds.
#[must_use]
pub fn is_beyond_double(text: &str) -> bool {
    let starts_as_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    starts_as_number && !is_finite(text) && serde_json::from_str::<&RawValue>(text).is_ok()
}

/// The content of a text with U+FFFD for each half of a surrogate pair; None: there is none.
fn whole_surrogates(content: &str) -> Option<String> {
    if !content.contains("\\u") {
        return None;
    }
    let mut out = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(found) = content[at..].find('\\') {
        let escape = at + found;
        let Some(unit) = unit(content, escape) else {
            // Another escape: the backslash and one character, which may have several bytes.
            at = escape + 1 + content[escape + 1..].chars().next().map_or(0, char::len_utf8);
            continue;
        };
        at = escape + 6;
        let is_high = (0xd800..0xdc00).contains(&unit);
        if is_high && self::unit(content, at).is_some_and(|next| (0xdc00..0xe000).contains(&next)) {
            at += 6;
        } else if (0xd800..0xe000).contains(&unit) {
            out.push_str(&content[kept..escape]);
            out.push_str(REPLACEMENT);
            kept = at;
        }
    }
    if kept == 0 {
        return None;
    }
    out.push_str(&content[kept..]);
    Some(out)
}

/// The UTF-16 unit that an escape `\uXXXX` at this place stands for.
fn unit(content: &str, at: usize) -> Option<u16> {
    let digits = content.get(at..at + 6)?.strip_prefix("\\u")?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u16::from_str_radix(digits, 16).ok())?
}

/// What an escaped text says. None: an escape is none of JSON's.
fn unescaped(content: &str) -> Option<Cow<'_, str>> {
    if !content.contains('\\') {
        return Some(Cow::Borrowed(content));
    }
    let mended = whole_surrogates(content);
    let content = mended.as_deref().unwrap_or(content);
    serde_json::from_str(&format!("\"{content}\"")).ok().map(Cow::Owned)
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Passes over a byte, if it comes next.
    fn takes(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.at += usize::from(found);
        found
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// A text, still escaped and without its quotes, the first of which comes next.
    fn string(&mut self) -> Option<&'a str> {
        let start = self.at + 1;
        let mut at = start;
        loop {
            at += memchr::memchr2(b'"', b'\\', self.text.as_bytes().get(at..)?)?;
            if self.text.as_bytes()[at] == b'"' {
                break;
            }
            at += 2;
        }
        self.at = at + 1;
        // Both ends stand at quotes.
        self.text.get(start..at)
    }

    /// A number or a word.
    fn token(&mut self) -> &'a str {
        let rest = &self.text[self.at..];
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.');
        let length = rest.bytes().position(|byte| !is_part(byte)).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn value(&mut self, out: &mut String, level: usize) -> Option<()> {
        self.blanks();
        match self.peek()? {
            b'"' => write_text(self.string()?, out),
            b'{' if level < MAX_LEVELS => self.object(out, level + 1),
            b'[' if level < MAX_LEVELS => self.array(out, level + 1),
            b'-' | b'0'..=b'9' => {
                let number = self.token();
                serde_json::from_str::<&RawValue>(number).ok()?;
                if is_finite(number) {
                    out.push_str(number);
                } else {
                    out.push('"');
                    out.push_str(number);
                    out.push('"');
                }
                Some(())
            }
            _ => {
                let word = self.token();
                matches!(word, "true" | "false" | "null").then(|| out.push_str(word))
            }
        }
    }

    fn array(&mut self, out: &mut String, level: usize) -> Option<()> {
        self.at += 1;
        out.push('[');
        self.blanks();
        if !self.takes(b']') {
            loop {
                self.value(out, level)?;
                self.blanks();
                if self.takes(b']') {
                    break;
                }
                self.takes(b',').then(|| out.push(','))?;
            }
        }
        out.push(']');
        Some(())
    }

    fn object(&mut self, out: &mut String, level: usize) -> Option<()> {
        self.at += 1;
        out.push('{');
        let start = out.len();
        let mut members: Vec<(Cow<'a, str>, usize)> = Vec::new();
        self.blanks();
        if !self.takes(b'}') {
            loop {
                self.blanks();
                (self.peek()? == b'"').then_some(())?;
                let name = self.string()?;
                members.push((unescaped(name)?, out.len()));
                write_text(name, out)?;
                self.blanks();
                self.takes(b':').then(|| out.push(':'))?;
                self.value(out, level)?;
                out.push(',');
                self.blanks();
                if self.takes(b'}') {
                    break;
                }
                self.takes(b',').then_some(())?;
            }
            if !members.is_sorted_by(|one, next| one.0 < next.0) {
                sort(members, start, out);
            }
            // The comma after the last member.
            out.pop();
        }
        out.push('}');
        Some(())
    }
}

/// Brings the members that were written from `start` on, each with a comma after it, into the order of their names.
fn sort(mut members: Vec<(Cow<'_, str>, usize)>, start: usize, out: &mut String) {
    let written = out.split_off(start);
    let ends: Vec<usize> = members.iter().skip(1).map(|member| member.1).chain([start + written.len()]).collect();
    let mut placed: Vec<(Cow<'_, str>, usize, usize)> =
        members.drain(..).zip(ends).map(|((name, from), to)| (name, from, to)).collect();
    // Stable: of equal names the one that came last stands last.
    placed.sort_by(|one, other| one.0.cmp(&other.0));
    for (at, (name, from, to)) in placed.iter().enumerate() {
        if placed.get(at + 1).is_none_or(|next| next.0 != *name) {
            out.push_str(&written[from - start..to - start]);
        }
    }
}

/// Writes a text whose content is escaped in whatever way, in the one in which it is written here.
fn write_text(content: &str, out: &mut String) -> Option<()> {
    let text = unescaped(content)?;
    match text {
        Cow::Borrowed(text) => {
            // As it stands: what must be escaped is, or this were no JSON.
            (!text.bytes().any(|byte| byte < b' ')).then_some(())?;
            out.push('"');
            out.push_str(text);
            out.push('"');
        }
        Cow::Owned(text) => out.push_str(&serde_json::to_string(&text).ok()?),
    }
    Some(())
}

#[cfg(test)]
mod tests;
