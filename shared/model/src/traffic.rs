//! Network traffic: what talked to what. Reports fold into records, whatever their order.

pub mod fields;
mod filter;
mod flow;
mod kept;
mod record;
mod report;
mod unknown;
mod values;

pub use fields::{Endpoint, Policy, REPORTED, Reported, User};
pub use filter::{Connection, Filter};
pub use flow::{Sighting, flows};
pub use record::{Record, RecordKey};
pub use report::Report;
pub use unknown::unknown_members;
pub use values::{Cell, Direction, EventType, IcmpData, SubEvent, Value};

pub use crate::endpoint::{EndpointType, GeoLocation};

#[cfg(test)]
mod tests;
