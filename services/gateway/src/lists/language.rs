//! The language as a parameter of lists, and what they say of rows that were judged one by one for it.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use model::filter::{Family, Query};
use model::paging::Judged;
use model::time::Timestamp;
use runtime::clock;

use crate::render::refusal::Refusal;

/// The parameter's name.
pub(crate) const Q: &str = "q";
/// What the description of the API says of it.
pub(crate) const ABOUT_Q: &str = "Only what this asks for, such as `status:failure -ip:10.0.0.0/8`.";

const SCANNED: HeaderName = HeaderName::from_static("flowtrail-scanned");
const COMPLETE: HeaderName = HeaderName::from_static("flowtrail-complete");

/// What a text asks of the events of a family.
///
/// # Errors
/// When the family cannot be asked that; it names the parameter and the column.
pub(crate) fn query<F: Family>(text: Option<String>) -> Result<Option<Query<F>>, Refusal> {
    let Some(text) = text else { return Ok(None) };
    let query = Query::new(text, now()?).map_err(|mistake| Refusal::field(Q, mistake))?;
    Ok(Some(query))
}

/// What times in a request are relative to.
///
/// # Errors
/// When the clock says no time.
pub(crate) fn now() -> Result<Timestamp, Refusal> {
    Timestamp::from_micros(clock::now_micros()).map_err(|_| Refusal::Internal)
}

/// Adds the headers that say what was judged, where that was.
pub(crate) fn tell(headers: &mut HeaderMap, judged: Option<Judged>) {
    let Some(Judged { scanned, complete }) = judged else { return };
    headers.insert(SCANNED, HeaderValue::from(scanned));
    headers.insert(COMPLETE, HeaderValue::from_static(if complete { "true" } else { "false" }));
}
