//! Records of reads: who looked at which log. They are events as all others are, but who asks what happened does not mean
//! them: every poll of a list would be one more row of it.

/// Someone has read the audit log.
pub const AUDIT_READ: &str = "audit.read";
/// Someone has read the traffic log.
pub const TRAFFIC_READ: &str = "traffic.read";
/// All types of such events.
pub const READS: [&str; 2] = [AUDIT_READ, TRAFFIC_READ];

/// Whether events of a type are records of reads.
#[must_use]
pub fn is_read(event_type: &str) -> bool {
    READS.contains(&event_type)
}
