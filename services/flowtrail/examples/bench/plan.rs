//! How much is measured, and for how long.

use std::time::Duration;

/// The sizes. A time bounds what could take forever on a slow machine.
pub(crate) struct Plan {
    /// How often a rate is measured.
    pub(crate) runs: usize,
    /// How many records the views hold while lists and rebuilds are measured.
    pub(crate) records: Vec<u64>,
    /// One run of HTTP ingest: so many events at most, and so long.
    pub(crate) ingest_events: usize,
    pub(crate) ingest_time: Duration,
    /// One run of publishing: reports whose publisher waits for each receipt, in messages of their own, in batches.
    pub(crate) awaited_reports: u64,
    pub(crate) single_reports: u64,
    pub(crate) batched_reports: u64,
    /// Single events, each published when the one before is visible.
    pub(crate) lone_events: u64,
    /// One run of event streaming: in batches, and one event a request.
    pub(crate) delivered_events: u64,
    pub(crate) singly_delivered_events: u64,
    /// One list: so many requests at most, and so long.
    pub(crate) list_requests: usize,
    pub(crate) list_time: Duration,
    /// How long readers read.
    pub(crate) readers_time: Duration,
    /// No further rebuild is begun after so long.
    pub(crate) rebuild_time: Duration,
}

impl Plan {
    /// Minutes: figures to compare.
    pub(crate) fn full() -> Self {
        Self {
            runs: 3,
            records: vec![100_000, 1_000_000],
            ingest_events: 20_000,
            ingest_time: Duration::from_secs(3),
            awaited_reports: 2000,
            single_reports: 10_000,
            batched_reports: 50_000,
            lone_events: 500,
            delivered_events: 100_000,
            singly_delivered_events: 20_000,
            list_requests: 200,
            list_time: Duration::from_secs(8),
            readers_time: Duration::from_secs(20),
            rebuild_time: Duration::from_secs(60),
        }
    }

    /// Below a minute: to see that it works.
    pub(crate) fn quick() -> Self {
        Self {
            runs: 2,
            records: vec![5000, 20_000],
            ingest_events: 4000,
            ingest_time: Duration::from_millis(500),
            awaited_reports: 200,
            single_reports: 2000,
            batched_reports: 5000,
            lone_events: 100,
            delivered_events: 10_000,
            singly_delivered_events: 2000,
            list_requests: 30,
            list_time: Duration::from_millis(500),
            readers_time: Duration::from_secs(2),
            rebuild_time: Duration::from_secs(5),
        }
    }
}
