//! Rows as CSV, as RFC 4180 has it: a line of names, then a line for each row.
//!
//! Invariant: no cell begins with what makes a spreadsheet take it for a formula.

use std::io;

use ::csv::{Terminator, Writer, WriterBuilder};

use crate::dialects::native::table::{Cell, Row};

/// What a formula begins with, and what some programs drop before they look.
const BEGIN_FORMULAS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// Some lines.
pub(super) struct Lines(Writer<Vec<u8>>);

impl Lines {
    pub(super) fn new() -> Self {
        Self(WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new()))
    }

    /// Adds the names of a row's columns.
    ///
    /// # Errors
    /// Never: memory takes whatever is written.
    pub(super) fn add_names(&mut self, row: &impl Row) -> io::Result<()> {
        let mut names = Vec::new();
        row.columns(&mut |name, _| names.push(name.concat()));
        Ok(self.0.write_record(names)?)
    }

    /// Adds a row. What has no value and an empty text are both nothing.
    ///
    /// # Errors
    /// Never: memory takes whatever is written.
    pub(super) fn add(&mut self, row: &impl Row) -> io::Result<()> {
        let mut written = Ok(());
        row.columns(&mut |_, cell| {
            let done = match cell {
                Cell::Text(value) | Cell::Json(value) => match value.unwrap_or_default() {
                    formula if formula.starts_with(BEGIN_FORMULAS) => self.0.write_field(format!("'{formula}")),
                    text => self.0.write_field(text),
                },
                Cell::Time(value) => self.0.write_field(value.map(|time| time.to_string()).unwrap_or_default()),
                Cell::Integer(value) => self.0.write_field(value.map(|number| number.to_string()).unwrap_or_default()),
                Cell::Count(value) => self.0.write_field(value.map(|number| number.to_string()).unwrap_or_default()),
                Cell::Decimal(value) => self.0.write_field(value.map(model::json::Number::as_str).unwrap_or_default()),
            };
            if let Err(error) = done {
                written = Err(error);
            }
        });
        written?;
        Ok(self.0.write_record(None::<&[u8]>)?)
    }

    /// All of them.
    ///
    /// # Errors
    /// Never, as above.
    pub(super) fn end(self) -> io::Result<Vec<u8>> {
        self.0.into_inner().map_err(|error| io::Error::other(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialects::native::table::{Put, named};

    struct Texts(Vec<&'static str>);

    impl Row for Texts {
        fn columns(&self, put: Put<'_>) {
            for text in &self.0 {
                put(named("a"), Cell::Text(Some(text)));
            }
        }
    }

    fn written(texts: Vec<&'static str>) -> String {
        let mut lines = Lines::new();
        lines.add(&Texts(texts)).unwrap();
        String::from_utf8(lines.end().unwrap()).unwrap()
    }

    #[test]
    fn a_cell_stands_in_quotes_where_it_must() {
        assert_eq!(
            written(vec!["a b", "", "a,b", "say \"a\"", "two\nlines"]),
            "a b,,\"a,b\",\"say \"\"a\"\"\",\"two\nlines\"\r\n"
        );
    }

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(
            written(vec!["=1+1", "+1", "-1", "@a", "\ta", "=a,\"b\"", "a=1", "'=1"]),
            "'=1+1,'+1,'-1,'@a,'\ta,\"'=a,\"\"b\"\"\",a=1,'=1\r\n"
        );
    }

    #[test]
    fn names_are_in_the_order_of_the_columns() {
        let mut lines = Lines::new();
        lines.add_names(&Texts(vec!["x", "y"])).unwrap();
        assert_eq!(lines.end().unwrap(), b"a,a\r\n");
    }
}
