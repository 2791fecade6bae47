//! A window onto a stream of bytes: look ahead as far as needed, then move on. Counts the lines that it passes.

use std::io::{self, ErrorKind, Read};

/// How much is read at once.
const CHUNK: usize = 256 * 1024;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The bytes from here on, of which the first are in memory.
pub(super) struct Window<R> {
    reader: R,
    bytes: Vec<u8>,
    start: usize,
    line: u64,
    ended: bool,
}

impl<R: Read> Window<R> {
    pub(super) fn new(reader: R) -> Self {
        Self { reader, bytes: Vec::new(), start: 0, line: 1, ended: false }
    }

    /// The line that the next byte is on, from 1.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The byte so far ahead, if the stream is that long.
    pub(super) fn peek(&mut self, ahead: usize) -> io::Result<Option<u8>> {
        while self.held() <= ahead {
            if !self.fill()? {
                return Ok(None);
            }
        }
        Ok(self.bytes.get(self.start + ahead).copied())
    }

    /// How many bytes there are up to the next line break, or to the end; `None` when there are more than `limit`.
    pub(super) fn line_length(&mut self, limit: usize) -> io::Result<Option<usize>> {
        let mut searched = 0;
        loop {
            let new = self.bytes.get(self.start + searched..).unwrap_or_default();
            if let Some(found) = memchr::memchr(b'\n', new) {
                let length = searched + found;
                return Ok((length <= limit).then_some(length));
            }
            searched = self.held();
            if searched > limit {
                return Ok(None);
            }
            if !self.fill()? {
                return Ok(Some(searched));
            }
        }
    }

    /// The next bytes, as many of the `length` as were looked at.
    pub(super) fn next(&self, length: usize) -> &[u8] {
        self.bytes.get(self.start..self.start + length).unwrap_or_default()
    }

    /// Moves on past bytes that were looked at.
    pub(super) fn consume(&mut self, length: usize) {
        let passed = self.next(length);
        let (breaks, length) = (memchr::memchr_iter(b'\n', passed).count(), passed.len());
        self.line += breaks as u64;
        self.start += length;
    }

    /// Moves on past the next line break, or to the end, however far that is.
    pub(super) fn skip_line(&mut self) -> io::Result<()> {
        loop {
            let found = self.bytes.get(self.start..).and_then(|held| memchr::memchr(b'\n', held));
            if let Some(found) = found {
                self.consume(found + 1);
                return Ok(());
            }
            self.consume(self.held());
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    fn held(&self) -> usize {
        self.bytes.len() - self.start
    }

    /// Reads more; false at the end of the stream.
    fn fill(&mut self) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        let is_first = self.start == 0 && self.bytes.is_empty();
        self.bytes.drain(..self.start);
        self.start = 0;
        let held = self.bytes.len();
        self.bytes.resize(held + CHUNK, 0);
        let read = read_some(&mut self.reader, &mut self.bytes[held..]);
        self.bytes.truncate(held + *read.as_ref().unwrap_or(&0));
        // After a failure there is nothing more to come.
        self.ended = !matches!(read, Ok(1..));
        if is_first && self.bytes.starts_with(BYTE_ORDER_MARK) {
            self.start = BYTE_ORDER_MARK.len();
        }
        read.map(|read| read > 0)
    }
}

fn read_some(reader: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    loop {
        match reader.read(into) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}
