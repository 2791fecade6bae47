//! Asking the views for lists: what a query says, and where a page begins.

pub mod cursor;
pub(crate) mod query;
