//! Counts as tables for people: the most frequent values, and how many others there are.

use std::fmt::{self, Display};

use anyhow::Context;
use comfy_table::{Attribute, Cell, CellAlignment, Row, Table};
use serde::Deserialize;

use super::table::{blank, names};
use crate::terminal::visible;

/// How many rows match.
#[derive(Deserialize)]
pub(super) struct Total {
    total: u64,
    /// What they have together of what is summed up; absent where nothing is.
    sum: Option<u128>,
    /// Whether all were judged that had to be; absent where none had to.
    complete: Option<bool>,
}

/// How many rows have values, and what they have together of what is summed up, where something is.
#[derive(Clone, Copy)]
pub(super) struct Amount {
    pub(super) count: u64,
    pub(super) sum: Option<u128>,
}

/// Reads a part of an answer. Of each the whole text is read: a sum may be longer than what serde keeps of a number where
/// it has to flatten members.
pub(super) fn read<'a, T: Deserialize<'a>>(answer: &'a str) -> anyhow::Result<T> {
    serde_json::from_str(answer).context("read the answer")
}

/// What is not among the most frequent.
#[derive(Deserialize)]
pub(super) struct Rest {
    others: Others,
    /// How many rows have no value.
    without: u64,
    without_sum: Option<u128>,
}

#[derive(Deserialize)]
struct Others {
    values: u64,
    count: u64,
    sum: Option<u128>,
}

/// What is summed up: to count is no sum.
pub(super) fn measure(name: Option<&str>) -> Option<&str> {
    name.filter(|name| *name != "count")
}

/// Values of some fields, the rows that have them, and what is not among them. Sums of `measure` stand before the counts,
/// where there are some.
pub(super) fn table(
    fields: &[&str],
    measure: Option<&str>,
    counted: impl IntoIterator<Item = (Vec<String>, Amount)>,
    rest: &Rest,
) -> Table {
    let mut table = blank();
    table.set_header(names(fields.iter().copied().chain(measure).chain(["COUNT"])));
    for (values, amount) in counted {
        let values = values.iter().map(|value| Cell::new(visible(value)));
        table.add_row(values.chain(amount.cells()).collect::<Vec<_>>());
    }
    let Rest { others: Others { values, count, sum }, without, without_sum } = rest;
    let kind = if fields.len() > 1 { "pair" } else { "value" };
    if *values > 0 {
        let plural = if *values == 1 { "" } else { "s" };
        let others = Amount { count: *count, sum: *sum };
        table.add_row(aside(format!("{values} other {kind}{plural}"), fields, others));
    }
    if *without > 0 {
        let without = Amount { count: *without, sum: *without_sum };
        table.add_row(aside(format!("without a {kind}"), fields, without));
    }
    table
}

/// A row that is no value.
fn aside(text: String, fields: &[&str], amount: Amount) -> Row {
    let empty = std::iter::repeat_n(Cell::new(""), fields.len().saturating_sub(1));
    let cells = [Cell::new_owned(text)].into_iter().chain(empty).chain(amount.cells());
    cells.map(|cell| cell.add_attribute(Attribute::Dim)).collect::<Vec<_>>().into()
}

impl Amount {
    fn cells(self) -> impl Iterator<Item = Cell> {
        let numbers = self.sum.into_iter().chain([self.count.into()]);
        numbers.map(|number| Cell::new(number).set_alignment(CellAlignment::Right))
    }
}

impl Display for Total {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { total, sum, complete } = self;
        match (complete, sum) {
            (None | Some(true), None) => write!(formatter, "{total} in all"),
            (None | Some(true), Some(sum)) => write!(formatter, "{total} in all, with {sum} together"),
            (Some(false), _) => write!(
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
        let amount = |count, sum| Amount { count, sum };
        let counted = values.into_iter().zip([12, 5].map(|count| amount(count, None)));
        let expected = ["actor|COUNT", "a\\u{1b}b|12", "c|5", "3 other values|7", "without a value|2"];
        assert_eq!(rows(&table(&["actor"], None, counted, &rest)), expected);
        let rest: Rest = serde_json::from_str(r#"{"others":{"values":1,"count":1},"without":0}"#).unwrap();
        let pairs = [["a".to_owned(), "b".to_owned()]];
        let counted = pairs.iter().map(|pair| (pair.to_vec(), amount(4, None)));
        let expected = ["src|dst|COUNT", "a|b|4", "1 other pair||1"];
        assert_eq!(rows(&table(&["src", "dst"], None, counted, &rest)), expected);
        let rest = r#"{"others":{"values":1,"count":1,"sum":3},"without":2,"without_sum":18446744073709551616}"#;
        let rest: Rest = serde_json::from_str(rest).unwrap();
        let counted = pairs.iter().map(|pair| (pair.to_vec(), amount(4, Some(900))));
        let expected =
            ["src|dst|bytes|COUNT", "a|b|900|4", "1 other pair||3|1", "without a pair||18446744073709551616|2"];
        assert_eq!(rows(&table(&["src", "dst"], Some("bytes"), counted, &rest)), expected);
        let rest: Rest = serde_json::from_str(r#"{"others":{"values":0,"count":0},"without":0}"#).unwrap();
        assert_eq!(rows(&table(&["actor"], None, [], &rest)), ["actor|COUNT"]);
    }

    #[test]
    fn counts_of_not_all_say_so() {
        let total = |json: &str| serde_json::from_str::<Total>(json).unwrap().to_string();
        assert_eq!(total(r#"{"total":4}"#), "4 in all");
        assert_eq!(total(r#"{"total":4,"complete":true}"#), "4 in all");
        assert_eq!(total(r#"{"total":4,"sum":9}"#), "4 in all, with 9 together");
        assert!(total(r#"{"total":4,"complete":false}"#).starts_with("4 that are known to match; not all"));
    }
}
