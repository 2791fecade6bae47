//! What the audit and traffic views have in common: rows in columns, asked for by filter and page.

use model::log::AccountId;
use model::paging::{Page, Period, RowPosition, Start};
use segments::Predicate;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::store::Store;

/// The kind of the keys that hold an account's rows.
const ROWS: u8 = b'r';

/// The name of an account's table.
pub(crate) fn table(account: &AccountId) -> Vec<u8> {
    table_of(account.as_str())
}

/// The same, for an account whose id comes from a key.
pub(crate) fn table_of(account: &str) -> Vec<u8> {
    [account.as_bytes(), &[0, ROWS]].concat()
}

/// One page of an account's rows that match, newest first.
///
/// `id_in_table` says how the id of a position stands in the table.
pub(crate) fn list(
    store: &Store,
    account: &AccountId,
    (predicate, period): (&Predicate, Period),
    page: &Page,
    id_in_table: impl Fn(&str) -> Vec<u8>,
) -> Result<segments::Rows, Error> {
    let start = match &page.start {
        Start::Offset(offset) => segments::Start::Offset(*offset),
        Start::After(RowPosition { time, id }) => {
            segments::Start::After(segments::Position { time: time.micros(), id: id_in_table(id) })
        }
    };
    let page = segments::Page { start, limit: page.limit };
    Ok(store.rows().list(&table(account), predicate, micros(period), &page)?)
}

/// A period in the column store's terms.
pub(crate) fn micros(period: Period) -> (Option<i64>, Option<i64>) {
    (period.from.map(model::time::Timestamp::micros), period.to.map(model::time::Timestamp::micros))
}

/// Writes a value behind others, as a symbol; gives its end.
pub(crate) fn write<T: Serialize>(value: &T, buffer: Vec<u8>) -> Result<Vec<u8>, Error> {
    Ok(postcard::to_extend(value, buffer)?)
}

/// Reads what [`write`] wrote.
pub(crate) fn read<'a, T: Deserialize<'a>>(symbol: &'a [u8]) -> Result<T, Error> {
    Ok(postcard::from_bytes(symbol)?)
}
