//! Network traffic: what talked to what. Reports fold into records, whatever their order.

mod filter;
mod record;
mod report;
mod unknown;

pub use filter::{Connection, Filter};
pub use record::{Icmp, Record, RecordKey};
pub use report::{Direction, Endpoint, EventType, IcmpData, Policy, REPORTED, Report, Reported, SubEvent, User};
pub use unknown::unknown_members;

pub use crate::endpoint::{EndpointType, GeoLocation};

#[cfg(test)]
mod tests;
