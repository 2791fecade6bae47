//! How a list says where it goes on: a `Link` to its next page, which holds the cursor.

use axum::http::header::LINK;
use axum::http::{HeaderMap, HeaderValue, Uri};
use model::paging::{Page, RowPosition, Start};

use crate::lists::cursor::{Key, Scope};
use crate::lists::query::Parameters;
use crate::render::refusal::Refusal;

/// The page after the request's cursor; without one `first`.
///
/// # Errors
/// When the cursor is not one of this list.
pub(super) fn page(key: &Key, scope: &Scope, parameters: &Parameters, first: Page) -> Result<Page, Refusal> {
    let Some(cursor) = parameters.text("cursor")? else { return Ok(first) };
    Ok(Page { start: Start::After(key.open(scope, &cursor)?), ..first })
}

/// Adds the link: an absolute path with the same parameters, but for the cursor and the page's number.
pub(super) fn link(headers: &mut HeaderMap, uri: &Uri, parameters: &Parameters, cursor: &str) {
    let query = parameters.with_cursor(cursor, &["page"]);
    // Both halves are percent-encoded, so they are fit for a header.
    if let Ok(link) = HeaderValue::try_from(format!("<{}?{query}>; rel=\"next\"", uri.path())) {
        headers.insert(LINK, link);
    }
}

/// The cursor of the page that follows, when one does.
pub(super) fn cursor(key: &Key, scope: &Scope, next: Option<&RowPosition>) -> Option<String> {
    next.map(|position| key.seal(scope, position))
}
