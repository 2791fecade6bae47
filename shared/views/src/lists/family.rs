//! What tells one family of lists from another: which rows a filter lets through, and how rows are read.

use std::borrow::Cow;
use std::fmt::Debug;

use model::filter::{Filter, Node};
use model::log::AccountId;
use model::paging::{Period, RowPosition};
use segments::{Instead, Measure, Predicate, Row};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::error::Error;
use crate::lists::bounds::Bounds;
use crate::lists::valued::Valued;
use crate::question::Views;
use crate::view::View;
use crate::watch::Log;

/// A family of lists. Its name is a type, so that each question about it is a type too.
pub trait Family: Clone + Debug + Send + Sync + Sized + 'static {
    /// The view that holds its rows.
    const VIEW: View;
    /// The log that they are of.
    const LOG: Log;
    /// The paths of its questions: a page, counts, and all rows.
    const LIST: &'static str;
    /// Counts by the values of each of some fields.
    const FACETS: &'static str;
    /// Counts by the values of two fields together.
    const PAIRS: &'static str;
    /// Counts by time.
    const HISTOGRAM: &'static str;
    /// All rows, some at a time.
    const EXPORT: &'static str;

    /// What can be measured of rows: fields of the language, and where their numbers stand.
    const MEASURES: &'static [(&'static str, Measure)];

    /// Which rows are wanted.
    type Filter: Clone + Debug + Serialize + DeserializeOwned + Send + Sync + 'static;
    /// The family of events that the language is asked in.
    type Language: model::filter::Family;
    /// A row as it is shown.
    type Shown: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// The period of a filter.
    fn period(filter: &Self::Filter) -> Period;

    /// A filter beside a question in the language, which may ask for what lists leave out by themselves.
    fn beside<'a>(filter: &'a Self::Filter, _asked: &Filter<Self::Language>) -> Cow<'a, Self::Filter> {
        Cow::Borrowed(filter)
    }

    /// How much work a filter makes.
    fn effort(filter: &Self::Filter) -> Effort;

    /// The rows that a filter wants, its period aside.
    ///
    /// # Errors
    /// When the storage fails.
    fn predicate(views: &Views, account: &AccountId, filter: &Self::Filter) -> Result<Predicate, Error>;

    /// The rows for which all of these hold, as far as columns know.
    ///
    /// # Errors
    /// When the storage fails.
    fn bounds(views: &Views, account: &AccountId, parts: &[&Node<Self::Language>]) -> Result<Bounds, Error>;

    /// Whether a filter wants a row, as it is shown.
    ///
    /// # Errors
    /// When the row cannot be read.
    fn wants(filter: &Filter<Self::Language>, shown: &Self::Shown) -> Result<bool, Error>;

    /// Where a row stands in a list.
    ///
    /// # Errors
    /// When the row cannot be read.
    fn position(row: &Row) -> Result<RowPosition, Error>;

    /// How the id of a position stands in the table.
    fn id_in_table(id: &str) -> Vec<u8>;

    /// The rows as they are shown. Names are filled in here, when the question is answered: had they been filled in when
    /// the rows were projected, the rows would depend on how the log's streams interleave.
    ///
    /// # Errors
    /// When a row cannot be read.
    fn show(views: &Views, account: &AccountId, rows: Vec<Row>) -> Result<Vec<Self::Shown>, Error>;

    /// Of rows, newest first, those that are left where what several tell of is told once: their ids in the table, and the
    /// numbers that they have then.
    ///
    /// # Errors
    /// When a row cannot be read.
    fn told_once(rows: &[Row]) -> Result<Instead, Error>;

    /// Whether rows can be counted by a field: its values stand in columns.
    fn is_facet(field: FieldOf<Self>) -> bool;

    /// Where the values of some such fields stand, as lists show them.
    ///
    /// # Errors
    /// When the storage fails, or rows cannot be counted by one of the fields.
    fn valued<'a>(views: &Views, account: &'a AccountId, fields: &[FieldOf<Self>]) -> Result<Vec<Valued<'a>>, Error>;
}

/// A field of a family, as the language names it.
pub type FieldOf<F> = <<F as Family>::Language as model::filter::Family>::Field;

/// How much work a filter makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effort {
    /// It wants all rows of a period, which are not looked at but counted.
    Counting,
    /// Rows have to be looked at.
    Looking,
    /// The whole directory has to be looked through too.
    Searching,
}
