//! The filter language: what a person asks of events, in one line of text. docs/query.md describes it.
//!
//! A text becomes an [`Expression`], which knows nothing of fields. For a family of events that becomes a [`Filter`],
//! which judges one event.
//!
//! Invariant: what a filter wants of an event depends on nothing but the two, and the time at which it was made where it
//! names times relative to that.

mod audit;
mod compile;
mod expression;
mod family;
mod judge;
mod mistake;
mod parse;
mod pattern;
mod protocol;
mod quantity;
mod query;
mod stream;
mod traffic;
mod wanted;
mod when;

pub use audit::{Audit, AuditField};
pub use compile::{Filter, Node, check_field};
pub use expression::{Expression, Limit, Name, Order, Term, Value};
pub use family::{Described, Family, Kind, Value as FieldValue};
pub use mistake::{MAX_BYTES, MAX_DEPTH, MAX_TERMS, Mistake, Problem};
pub use pattern::{Pattern, Piece};
pub use protocol::protocol_name;
pub use quantity::Quantity;
pub use query::Query;
pub use stream::StreamFilter;
pub use traffic::{Traffic, TrafficField};
pub use wanted::{AnyCase, Span, Wanted};
pub use when::ends_of_time;

#[cfg(test)]
mod tests;
