//! Every text that a stranger may send, each with its reader, callable without a server: what the fuzz targets ask.
//!
//! A refusal is the text that the client would be text_of.

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use model::log::AccountId;
use model::paging::RowPosition;
use model::{audit, traffic};

use crate::dialects::instavm::audit as instavm;
use crate::dialects::native::ingest;
use crate::dialects::netbird::{audit as netbird, streaming, traffic as netbird_traffic};
use crate::dialects::vrni::{auth, logs};
use crate::http::freshness;
use crate::lists::cursor::{Key, Scope};
use crate::lists::query::Parameters;
use crate::render::refusal::Refusal;

/// A cursor for a place in a list of an account, under a filter.
///
/// # Errors
/// When the filter cannot be written.
pub fn seal_cursor(key: &Key, list: &CursorList<'_>, position: &RowPosition) -> Result<String, String> {
    Ok(key.seal(&list.scope().map_err(text_of)?, position))
}

/// The place that a cursor stands for in a list.
///
/// # Errors
/// When it was not made for this list.
pub fn open_cursor(key: &Key, list: &CursorList<'_>, cursor: &str) -> Result<RowPosition, String> {
    key.open(&list.scope().map_err(text_of)?, cursor).map_err(text_of)
}

/// The list that a cursor is bound to.
#[derive(Clone, Debug)]
pub struct CursorList<'a> {
    /// Its name, such as `audit`.
    pub name: &'a str,
    /// From the token.
    pub account: &'a AccountId,
    /// What narrows it.
    pub filter: &'a audit::Filter,
}

impl CursorList<'_> {
    fn scope(&self) -> Result<Scope, Refusal> {
        Scope::new(self.name, self.account, self.filter)
    }
}

/// The query of NetBird's audit list.
///
/// # Errors
/// When it is wrong.
pub fn netbird_audit(query: &str) -> Result<audit::Filter, String> {
    netbird::filter(&Parameters::parse(Some(query)).map_err(text_of)?).map_err(text_of)
}

/// The query of NetBird's traffic list.
///
/// # Errors
/// When it is wrong.
pub fn netbird_traffic(query: &str) -> Result<traffic::Filter, String> {
    netbird_traffic::parse(&Parameters::parse(Some(query)).map_err(text_of)?).map_err(text_of)
}

/// The query that a link to the next page has.
///
/// # Errors
/// When the query it is made of is wrong.
pub fn next_query(query: &str, cursor: &str) -> Result<String, String> {
    Ok(Parameters::parse(Some(query)).map_err(text_of)?.with_cursor(cursor, &["page"]))
}

/// The query of InstaVM's audit list.
///
/// # Errors
/// With `detail`, in JSON, when it is wrong.
pub fn instavm_audit(query: &str) -> Result<(audit::Filter, usize), String> {
    instavm::parse(query)
}

/// The body of vRNI's audit list.
///
/// # Errors
/// When it is wrong.
pub fn vrni_audit(body: &[u8]) -> Result<audit::Filter, String> {
    logs::filter(body).map_err(text_of)
}

/// The body of vRNI's sign-in.
///
/// # Errors
/// When it is wrong.
pub fn vrni_sign_in(body: &[u8]) -> Result<(), String> {
    auth::check(body).map_err(text_of)
}

/// The bodies that make and change an integration.
///
/// # Errors
/// When neither can be read of it.
pub fn netbird_integration(body: &[u8]) -> Result<(), String> {
    streaming::check(body).map_err(text_of)
}

/// The header that says how fresh an answer must be, once or several times.
///
/// # Errors
/// When it is wrong.
pub fn at_least(values: &[&str]) -> Result<usize, String> {
    freshness::at_least(&headers(values.iter().map(|value| ("flowtrail-at-least", *value))))
        .map(|all| all.len())
        .map_err(text_of)
}

/// A body of audit events, or else of traffic reports, as HTTP brings it, with its headers: the CloudEvents that are
/// published.
///
/// # Errors
/// When one of them cannot be read.
pub fn ingest(is_audit: bool, given: &[(&str, &str)], body: &[u8]) -> Result<Vec<String>, String> {
    ingest::opened(is_audit, &headers(given.iter().copied()), body).map_err(text_of)
}

fn headers<'a>(given: impl Iterator<Item = (&'a str, &'a str)>) -> HeaderMap {
    // What is no header never gets past the server.
    let fit = |(name, value): (&str, &str)| {
        Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_bytes(value.as_bytes()).ok()?))
    };
    let mut headers = HeaderMap::new();
    for (name, value) in given.filter_map(fit) {
        headers.append(name, value);
    }
    headers
}

#[expect(clippy::needless_pass_by_value, reason = "it maps errors")]
fn text_of(refusal: Refusal) -> String {
    refusal.to_string()
}
