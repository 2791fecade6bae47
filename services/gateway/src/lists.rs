//! Asking the views: what a query says, how fresh an answer must be, and where a page begins and the next one goes on.

pub(crate) mod ask;
pub mod cursor;
pub(crate) mod language;
pub(crate) mod query;
