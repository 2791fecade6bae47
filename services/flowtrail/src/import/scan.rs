//! Cuts a stream of bytes into records, each with its place; memory holds no more than one record.
//!
//! JSON records come one a line, as the elements of an array, or as those of an array inside an object
//! (`{"Records":[..]}`, `{"data":[..],"page":1}`, `{"items":[..]}`), on one line or many, also several such documents
//! one after the other. What begins with no bracket is a record that ends with its line.
//!
//! An object outside of any array that goes on after its brace on the same line must end on that line: so a torn line
//! costs that line and no other.

use std::fmt;
use std::io::{self, Read};

use super::lookahead::{Nesting, Object, object};
use super::window::Window;

/// The most bytes a record may have. No message of the log is that large.
const LONGEST: usize = 8 * 1024 * 1024;

/// A line up to this length is looked at as a whole before its members are.
const SHORT_LINE: usize = 64 * 1024;
/// The most bytes that may stand around a list for it to be told whether it is whole.
const LONGEST_AROUND: usize = 64 * 1024;

/// Where a record starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RecordPlace {
    /// Its line, from 1.
    pub(super) line: u64,
    /// Its place in the array around it, from 1, when there is one.
    pub(super) element: Option<u64>,
}

/// Why no record could be cut out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Uncut {
    #[error("not UTF-8")]
    NotUtf8,
    #[error("longer than {} MiB", LONGEST / 1024 / 1024)]
    TooLong,
    #[error("not JSON: it does not end")]
    Torn,
}

/// A record, or why there is none at this place.
#[derive(Debug)]
pub(super) struct Cut<'a> {
    pub(super) place: RecordPlace,
    pub(super) text: Result<&'a str, Uncut>,
}

/// An object that had a list of records in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Around {
    /// Where it starts.
    pub(super) place: RecordPlace,
    /// The object as JSON text, with an empty list.
    pub(super) text: Vec<u8>,
}

/// Hands out one record after the other.
pub(super) struct Scanner<R> {
    input: Window<R>,
    /// The names of the lists that services put records into.
    lists: &'static [&'static str],
    array: Option<Array>,
    /// What stood around the lists that were left since the last record.
    left: Vec<Around>,
    /// Bytes of the record handed out last, which are still to be passed.
    handed_out: usize,
}

/// The array that the scanner is in.
struct Array {
    elements: u64,
    /// What stands around it, as far as it was passed.
    around: Option<Around>,
}

type Found = (RecordPlace, Result<usize, Uncut>);

impl<R: Read> Scanner<R> {
    /// `lists` are the names of the arrays in objects whose elements are records.
    pub(super) fn new(reader: R, lists: &'static [&'static str]) -> Self {
        Self { input: Window::new(reader), lists, array: None, left: Vec::new(), handed_out: 0 }
    }

    /// What stood around the lists that were left since this was last asked.
    pub(super) fn take_left(&mut self) -> Vec<Around> {
        std::mem::take(&mut self.left)
    }

    /// The line that was reached.
    pub(super) fn line(&self) -> u64 {
        self.input.line()
    }

    /// The next record; `None` at the end.
    ///
    /// # Errors
    /// When the stream cannot be read further. The scanner is of no use then.
    pub(super) fn next(&mut self) -> io::Result<Option<Cut<'_>>> {
        self.input.consume(self.handed_out);
        self.handed_out = 0;
        let Some((place, length)) = self.find_value()? else { return Ok(None) };
        self.handed_out = length.unwrap_or_default();
        let bytes = self.input.next(self.handed_out).trim_ascii();
        let text = length.and_then(|_| std::str::from_utf8(bytes).map_err(|_| Uncut::NotUtf8));
        Ok(Some(Cut { place, text }))
    }

    fn find_value(&mut self) -> io::Result<Option<Found>> {
        loop {
            self.skip_blanks()?;
            let next = self.input.peek(0)?;
            if self.array.is_some() {
                match next {
                    Some(b']') => self.leave_array()?,
                    Some(_) => return self.element().map(Some),
                    None => {
                        self.array = None;
                        return Ok(Some((self.place(), Err(Uncut::Torn))));
                    }
                }
                continue;
            }
            match next {
                None => return Ok(None),
                Some(b'[') => {
                    self.array = Some(Array { elements: 0, around: None });
                    self.input.consume(1);
                }
                Some(b'{') if self.has_no_list_on_its_line()? => return self.the_line().map(Some),
                Some(b'{') => match object(&mut self.input, LONGEST, self.lists)? {
                    Object::Wrapper(length) => self.enter_list(length),
                    Object::OnManyLines => return self.balanced().map(Some),
                    Object::OnOneLine => return self.the_line().map(Some),
                },
                Some(_) => return self.the_line().map(Some),
            }
        }
    }

    fn place(&self) -> RecordPlace {
        RecordPlace { line: self.input.line(), element: self.array.as_ref().map(|array| array.elements) }
    }

    /// Most lines are such, and to search one for a bracket is many times as fast as to follow its members.
    fn has_no_list_on_its_line(&mut self) -> io::Result<bool> {
        let Some(length) = self.input.line_length(SHORT_LINE)? else { return Ok(false) };
        let line = self.input.next(length);
        // What does not end with its brace may go on in the next line.
        Ok(line.trim_ascii_end().ends_with(b"}") && memchr::memchr(b'[', line).is_none())
    }

    /// Passes the start of an object, up to and with the bracket of its list.
    fn enter_list(&mut self, length: usize) {
        let mut text = self.input.next(length.min(LONGEST_AROUND)).to_vec();
        text.push(b']');
        let around = Around { place: self.place(), text };
        self.input.consume(length);
        self.array = Some(Array { elements: 0, around: Some(around) });
    }

    /// Passes the bracket, and the rest of the object around it.
    fn leave_array(&mut self) -> io::Result<()> {
        self.input.consume(1);
        let Some(mut around) = self.array.take().and_then(|array| array.around) else { return Ok(()) };
        let mut nesting = Nesting::opened();
        while let Some(byte) = self.input.peek(0)? {
            self.input.consume(1);
            nesting.take(byte);
            if around.text.len() < LONGEST_AROUND {
                around.text.push(byte);
            }
            if nesting.depth == 0 {
                break;
            }
        }
        self.left.push(around);
        Ok(())
    }

    fn skip_blanks(&mut self) -> io::Result<()> {
        let between_elements = self.array.is_some();
        while let Some(byte) = self.input.peek(0)? {
            let is_blank = byte.is_ascii_whitespace() || (between_elements && byte == b',');
            if !is_blank {
                break;
            }
            self.input.consume(1);
        }
        Ok(())
    }

    fn the_line(&mut self) -> io::Result<Found> {
        let place = self.place();
        let length = self.input.line_length(LONGEST)?;
        if length.is_none() {
            self.input.skip_line()?;
        }
        Ok((place, length.ok_or(Uncut::TooLong)))
    }

    fn element(&mut self) -> io::Result<Found> {
        if let Some(array) = &mut self.array {
            array.elements += 1;
        }
        if matches!(self.input.peek(0)?, Some(b'{' | b'[')) {
            return self.balanced();
        }
        let mut length = 1;
        while let Some(byte) = self.input.peek(length)? {
            if length > LONGEST || matches!(byte, b',' | b']' | b'}' | b'\n') {
                break;
            }
            length += 1;
        }
        Ok((self.place(), Ok(length)))
    }

    /// The value from its bracket to the one that closes it. What does not end in order costs its line.
    fn balanced(&mut self) -> io::Result<Found> {
        let place = self.place();
        let mut nesting = Nesting::default();
        let mut length = 0;
        while let Some(byte) = self.input.peek(length)? {
            nesting.take(byte);
            length += 1;
            if nesting.depth == 0 {
                return Ok((place, Ok(length)));
            }
            let broken_text = nesting.in_text && byte == b'\n';
            if broken_text {
                self.input.consume(length);
                return Ok((place, Err(Uncut::Torn)));
            }
            if length > LONGEST {
                self.input.skip_line()?;
                return Ok((place, Err(Uncut::TooLong)));
            }
        }
        self.input.consume(length);
        self.array = None;
        Ok((place, Err(Uncut::Torn)))
    }
}

impl fmt::Display for RecordPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:", self.line)?;
        self.element.map_or(Ok(()), |element| write!(formatter, " element {element}:"))
    }
}

#[cfg(test)]
mod tests;
