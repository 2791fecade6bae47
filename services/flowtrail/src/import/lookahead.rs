//! What lies ahead in a JSON document, told without reading it whole.

use std::io::{self, Read};

use super::window::Window;

/// Members that services put before their lists and that are neither lists of records nor records: CloudWatch Logs,
/// and what AWS's libraries for programs answer with.
const BEFORE_LISTS: [&[u8]; 2] = [b"subscriptionFilters", b"ResponseMetadata"];

/// What a `{` outside of an array begins.
pub(super) enum Object {
    /// A record that must end on its line.
    OnOneLine,
    /// A record over several lines.
    OnManyLines,
    /// What stands around an array, so many bytes up to and with its bracket.
    Wrapper(usize),
}

/// Looks at the members of the object ahead up to the first that is an array or object: that one tells, by whether it
/// is an array with one of the names in `lists`. Looks no further than `limit` bytes.
pub(super) fn object<R: Read>(input: &mut Window<R>, limit: usize, lists: &[&str]) -> io::Result<Object> {
    let mut ahead = Ahead { input, limit };
    let mut at = 1;
    while matches!(ahead.peek(at)?, Some(b' ' | b'\t' | b'\r')) {
        at += 1;
    }
    let record = if ahead.peek(at)? == Some(b'\n') { Object::OnManyLines } else { Object::OnOneLine };
    loop {
        at = ahead.after_blanks(at)?;
        let Some(after_name) = ahead.after_text(at)? else { return Ok(record) };
        let name = ahead.name(at, after_name);
        let is_list = lists.iter().any(|list| list.as_bytes() == name);
        let stands_before = BEFORE_LISTS.contains(&name);
        let colon = ahead.after_blanks(after_name)?;
        if ahead.peek(colon)? != Some(b':') {
            return Ok(record);
        }
        let value = ahead.after_blanks(colon + 1)?;
        let end = match ahead.peek(value)? {
            Some(b'[') if is_list => return Ok(Object::Wrapper(value + 1)),
            Some(b'[' | b'{') if stands_before => ahead.after_brackets(value)?,
            Some(b'"') => ahead.after_text(value)?,
            Some(b'[' | b'{') | None => None,
            Some(_) => Some(ahead.after_word(value)?),
        };
        let Some(end) = end else { return Ok(record) };
        at = ahead.after_blanks(end)?;
        if ahead.peek(at)? != Some(b',') {
            return Ok(record);
        }
        at += 1;
    }
}

/// The bytes ahead, up to a limit.
struct Ahead<'a, R> {
    input: &'a mut Window<R>,
    limit: usize,
}

impl<R: Read> Ahead<'_, R> {
    fn peek(&mut self, at: usize) -> io::Result<Option<u8>> {
        if at < self.limit { self.input.peek(at) } else { Ok(None) }
    }

    /// What stands in the quotes between the two places.
    fn name(&self, start: usize, end: usize) -> &[u8] {
        self.input.next(end).get(start + 1..end - 1).unwrap_or_default()
    }

    fn after_blanks(&mut self, mut at: usize) -> io::Result<usize> {
        while self.peek(at)?.is_some_and(|byte| byte.is_ascii_whitespace()) {
            at += 1;
        }
        Ok(at)
    }

    /// The place after a number, `true`, `false` or `null`.
    fn after_word(&mut self, mut at: usize) -> io::Result<usize> {
        while self.peek(at)?.is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte)) {
            at += 1;
        }
        Ok(at)
    }

    /// The place after the array or object that stands at `at`; `None` when it does not end.
    fn after_brackets(&mut self, at: usize) -> io::Result<Option<usize>> {
        let mut nesting = Nesting::default();
        let mut end = at;
        while let Some(byte) = self.peek(end)? {
            nesting.take(byte);
            end += 1;
            if nesting.depth == 0 {
                return Ok(Some(end));
            }
        }
        Ok(None)
    }

    /// The place after the text in quotes that stands at `at`; `None` when there is none that ends on its line.
    fn after_text(&mut self, at: usize) -> io::Result<Option<usize>> {
        if self.peek(at)? != Some(b'"') {
            return Ok(None);
        }
        let mut nesting = Nesting::default();
        nesting.take(b'"');
        let mut end = at + 1;
        while nesting.in_text {
            match self.peek(end)? {
                None | Some(b'\n') => return Ok(None),
                Some(byte) => nesting.take(byte),
            }
            end += 1;
        }
        Ok(Some(end))
    }
}

/// How deep in brackets, and whether in a text.
#[derive(Default)]
pub(super) struct Nesting {
    pub(super) depth: usize,
    pub(super) in_text: bool,
    is_escaped: bool,
}

impl Nesting {
    /// One bracket deep.
    pub(super) fn opened() -> Self {
        Self { depth: 1, ..Self::default() }
    }

    pub(super) fn take(&mut self, byte: u8) {
        if self.in_text {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
            return;
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
    }
}
