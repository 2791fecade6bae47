//! Rows as CSV, as RFC 4180 has it: a line of names, then a line for each row.
//!
//! Invariant: no cell begins with what makes a spreadsheet take it for a formula.

use std::io::{self, Write};

use crate::dialects::native::table::{Cell, Row};

/// What a formula begins with, and what some programs drop before they look.
const BEGIN_FORMULAS: [u8; 6] = [b'=', b'+', b'-', b'@', b'\t', b'\r'];
const LINE_END: &[u8] = b"\r\n";

/// Writes the names of a row's columns.
pub(super) fn write_names(row: &impl Row, text: &mut Vec<u8>) {
    let mut is_first = true;
    row.columns(&mut |name, _| {
        separate(&mut is_first, text);
        name.iter().for_each(|part| text.extend_from_slice(part.as_bytes()));
    });
    text.extend_from_slice(LINE_END);
}

/// Writes a row. What has no value and an empty text are both nothing.
///
/// # Errors
/// Never: memory takes whatever is written.
pub(super) fn write_row(row: &impl Row, text: &mut Vec<u8>) -> io::Result<()> {
    let (mut is_first, mut written) = (true, Ok(()));
    row.columns(&mut |_, cell| {
        separate(&mut is_first, text);
        let done = match cell {
            Cell::Text(value) | Cell::Json(value) => {
                write_text(value.unwrap_or_default(), text);
                Ok(())
            }
            Cell::Time(value) => value.map_or(Ok(()), |time| write!(text, "{time}")),
            Cell::Integer(value) => value.map_or(Ok(()), |number| write!(text, "{number}")),
            Cell::Count(value) => value.map_or(Ok(()), |number| write!(text, "{number}")),
            Cell::Decimal(value) => {
                text.extend_from_slice(value.map(model::json::Number::as_str).unwrap_or_default().as_bytes());
                Ok(())
            }
        };
        if let Err(error) = done {
            written = Err(error);
        }
    });
    text.extend_from_slice(LINE_END);
    written
}

fn separate(is_first: &mut bool, text: &mut Vec<u8>) {
    if !std::mem::take(is_first) {
        text.push(b',');
    }
}

/// A text in quotes where it needs them, behind an apostrophe where it would be a formula.
fn write_text(value: &str, text: &mut Vec<u8>) {
    let bytes = value.as_bytes();
    let is_formula = bytes.first().is_some_and(|first| BEGIN_FORMULAS.contains(first));
    if !bytes.iter().any(|byte| matches!(byte, b'"' | b',' | b'\r' | b'\n')) {
        if is_formula {
            text.push(b'\'');
        }
        text.extend_from_slice(bytes);
        return;
    }
    text.push(b'"');
    if is_formula {
        text.push(b'\'');
    }
    for byte in bytes {
        if *byte == b'"' {
            text.push(b'"');
        }
        text.push(*byte);
    }
    text.push(b'"');
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
        let mut text = Vec::new();
        write_row(&Texts(texts), &mut text).unwrap();
        String::from_utf8(text).unwrap()
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
        let mut text = Vec::new();
        write_names(&Texts(vec!["x", "y"]), &mut text);
        assert_eq!(text, b"a,a\r\n");
    }
}
