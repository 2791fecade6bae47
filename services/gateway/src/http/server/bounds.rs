//! What a client may take of a connection: time and room.

use std::time::Duration;

use super::paced::Pace;

/// How long a client may take over the headers of a request, and how long a connection may idle between two. So long it may
/// also take over agreeing on a cipher, before the first.
///
/// Less than ten seconds, so that after ten the connection is gone.
pub(super) const HEADERS_WITHIN: Duration = Duration::from_secs(8);
/// A request's line and headers may have at least so many bytes; soon after, they are a 431, as over 100 headers are.
pub(super) const MAX_HEADER_BYTES: usize = 64 << 10;
/// How fast answers must be taken.
pub(super) const PACE: Pace = Pace { bytes: 64 << 10, within: Duration::from_millis(TAKEN_WITHIN_MILLIS as u64) };
/// The time of [`PACE`], as the system wants it.
pub(super) const TAKEN_WITHIN_MILLIS: u32 = 8000;
