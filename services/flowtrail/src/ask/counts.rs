//! Counts as tables for people: the most frequent values, and how many others there are.

use std::fmt::{self, Display};

use comfy_table::{Attribute, Cell, CellAlignment, Row, Table};
use serde::Deserialize;

use super::table::{blank, names};
use crate::terminal::visible;

/// How many rows match.
#[derive(Deserialize)]
pub(super) struct Total {
    total: u64,
    /// Whether all were judged that had to be; absent where none had to.
    complete: Option<bool>,
}

/// What is not among the most frequent.
#[derive(Deserialize)]
pub(super) struct Rest {
    others: Others,
    /// How many rows have no value.
    without: u64,
}

#[derive(Deserialize)]
struct Others {
    values: u64,
    count: u64,
}

/// Values of some fields, how many rows have them, and what is not among them.
pub(super) fn table<'a>(
    fields: impl IntoIterator<Item = &'a str>,
    counted: impl IntoIterator<Item = (&'a [String], u64)>,
    rest: &Rest,
) -> Table {
    let mut table = blank();
    table.set_header(names(fields.into_iter().chain(["COUNT"])));
    let width = table.column_count();
    for (values, count) in counted {
        let values = values.iter().map(|value| Cell::new(visible(value)));
        table.add_row(values.chain([number(count)]).collect::<Vec<_>>());
    }
    let Rest { others: Others { values, count }, without } = rest;
    let kind = if width > 2 { "pair" } else { "value" };
    if *values > 0 {
        let plural = if *values == 1 { "" } else { "s" };
        table.add_row(aside(format!("{values} other {kind}{plural}"), width, *count));
    }
    if *without > 0 {
        table.add_row(aside(format!("without a {kind}"), width, *without));
    }
    table
}

/// A row that is no value.
fn aside(text: String, width: usize, count: u64) -> Row {
    let empty = std::iter::repeat_n(Cell::new(""), width.saturating_sub(2));
    let cells = [Cell::new_owned(text)].into_iter().chain(empty).chain([number(count)]);
    cells.map(|cell| cell.add_attribute(Attribute::Dim)).collect::<Vec<_>>().into()
}

fn number(count: u64) -> Cell {
    Cell::new(count).set_alignment(CellAlignment::Right)
}

impl Display for Total {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { total, complete } = self;
        match complete {
            None | Some(true) => write!(formatter, "{total} in all"),
            Some(false) => write!(
                formatter,
                "{total} that are known to match; not all were looked at: a period, or a term more, leaves fewer"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(table: &Table) -> Vec<String> {
        let row = |row: &Row| row.cell_iter().map(Cell::content).collect::<Vec<_>>().join("|");
        table.header().into_iter().chain(table.row_iter()).map(row).collect()
    }

    #[test]
    fn what_is_not_among_the_most_frequent_is_counted_below_them() {
        let rest: Rest = serde_json::from_str(r#"{"others":{"values":3,"count":7},"without":2}"#).unwrap();
        let values = [vec!["a\u{1b}b".to_owned()], vec!["c".to_owned()]];
        let counted = values.iter().map(Vec::as_slice).zip([12, 5]);
        let expected = ["actor|COUNT", "a\\u{1b}b|12", "c|5", "3 other values|7", "without a value|2"];
        assert_eq!(rows(&table(["actor"], counted, &rest)), expected);
        let rest: Rest = serde_json::from_str(r#"{"others":{"values":1,"count":1},"without":0}"#).unwrap();
        let pairs = [["a".to_owned(), "b".to_owned()]];
        let counted = pairs.iter().map(|pair| (pair.as_slice(), 4));
        assert_eq!(rows(&table(["src", "dst"], counted, &rest)), ["src|dst|COUNT", "a|b|4", "1 other pair||1"]);
        let rest: Rest = serde_json::from_str(r#"{"others":{"values":0,"count":0},"without":0}"#).unwrap();
        assert_eq!(rows(&table(["actor"], [], &rest)), ["actor|COUNT"]);
    }

    #[test]
    fn counts_of_not_all_say_so() {
        let total = |json: &str| serde_json::from_str::<Total>(json).unwrap().to_string();
        assert_eq!(total(r#"{"total":4}"#), "4 in all");
        assert_eq!(total(r#"{"total":4,"complete":true}"#), "4 in all");
        assert!(total(r#"{"total":4,"complete":false}"#).starts_with("4 that are known to match; not all"));
    }
}
