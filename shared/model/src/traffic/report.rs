//! A traffic report with what surrounds it.

use super::fields::Reported;
use crate::address::canonical_address;
use crate::time::Timestamp;

impl Reported {
    /// Brings its IPv6 addresses into the one spelling in which they are looked for.
    pub(crate) fn spell_addresses(&mut self) {
        for address in [&mut self.source.address, &mut self.destination.address].into_iter().flatten() {
            if let Some(canonical) = canonical_address(address) {
                *address = canonical;
            }
        }
    }
}

/// A report with what its envelope says: ready to be folded into its record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// The CloudEvent's id, which names the flow where the report names none.
    pub id: String,
    /// When it happened; else when the log received it.
    pub time: Timestamp,
    /// When the log received it.
    pub received_at: Timestamp,
    /// The reporter that the subject names; only looked at, and only filled, where the report names none.
    pub subject_reporter: String,
    /// Addresses in it are in the one spelling in which they are looked for.
    pub data: Box<Reported>,
}
