//! The columns of numbers of records: what the language counts of them.
//!
//! They are for comparing and adding up. What is shown of counters stands in the row's tail, where the block of rows is read
//! that a page needs anyway: of a few rows, seven columns more would have to be read.

use model::filter::{Family, Traffic, TrafficField};
use model::traffic::{EventType, Record};
use segments::Measure;

const RX_BYTES: usize = 0;
const TX_BYTES: usize = 1;
const RX_PACKETS: usize = 2;
const TX_PACKETS: usize = 3;
const STARTS: usize = 4;
const ENDS: usize = 5;
const DROPS: usize = 6;
pub(crate) const NUMBERS: usize = 7;

/// What is measured of records, by the names of fields.
pub(super) const MEASURES: [(&str, Measure); 9] = [
    ("bytes", Measure(&[RX_BYTES, TX_BYTES])),
    ("packets", Measure(&[RX_PACKETS, TX_PACKETS])),
    ("rx_bytes", Measure(&[RX_BYTES])),
    ("tx_bytes", Measure(&[TX_BYTES])),
    ("rx_packets", Measure(&[RX_PACKETS])),
    ("tx_packets", Measure(&[TX_PACKETS])),
    ("starts", Measure(&[STARTS])),
    ("ends", Measure(&[ENDS])),
    ("drops", Measure(&[DROPS])),
];

/// The numbers of a record, a counter that is not given being zero.
pub(super) fn of<S>(record: &Record<S>) -> [u64; NUMBERS] {
    let given = &record.given;
    let counts = [EventType::Start, EventType::End, EventType::Drop].map(|event_type| record.count(event_type));
    let [starts, ends, drops] = counts;
    [given.rx_bytes, given.tx_bytes, given.rx_packets, given.tx_packets, starts, ends, drops]
}

/// What a field measures; none: its values are no numbers of columns.
pub(super) fn measure(field: TrafficField) -> Option<Measure> {
    let name = Traffic::describe(field).name;
    MEASURES.iter().find(|(own, _)| *own == name).map(|(_, measure)| *measure)
}
