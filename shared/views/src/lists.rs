//! Lists of many rows in columns: what the audit and traffic views have in common.

pub(crate) mod bounds;
pub(crate) mod columns;
mod counts;
mod export;
mod family;
mod page;

pub use bounds::Bounds;
pub use counts::{CountByTime, CountByValue};
pub use export::{Export, Exported, Step};
pub use family::{Effort, Family};
pub use page::{List, Selection};
