//! `GET /api/events/proxy`: NetBird's reverse-proxy logs, which Flowtrail does not keep.

use crate::refused::Refused;

/// Says so, in the words that the dashboard takes for a feature that is not there.
pub(crate) async fn list() -> Refused {
    Refused::Forbidden("reverse proxy logs are not kept here")
}
