//! `POST /api/events/audit` and `POST /api/events/network-traffic`: events from publishers without NATS.
//!
//! Invariant: every event is read as the views will read it before any is published, and all are stored or none.

mod compressed;
mod described;
mod events;
mod family;
mod messages;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use model::envelope::Encoding;
use model::log::{AccountId, LogPosition};
use model::paging::Page;
use model::{audit as audit_model, traffic as traffic_model};
use views::{audit as audit_view, traffic as traffic_view};

use self::described::Ingested;
use self::events::Read;
use self::family::Family;
use crate::access::caller::Caller;
use crate::describe::Operation;
use crate::http::body::{INGEST, read};
use crate::http::freshness;
use crate::http::off_thread::off_thread;
use crate::render::json;
use crate::render::refusal::Refusal;
use crate::upstream::publisher::{Published, Publisher};

/// Bytes of a body that is read sooner than another thread could be asked to.
const SHORT: usize = 8 << 10;

/// Takes in audit events.
pub(crate) async fn audit(
    State(publisher): State<Publisher>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let (response, last) = ingest(&publisher, &caller, Family::Audit, request).await?;
    let account = caller.principal.account;
    let question = audit_view::List { account, filter: audit_model::Filter::default(), q: None, page: Page::newest(1) };
    publisher.wait_for(question, last).await;
    Ok(response)
}

pub(crate) fn describe_audit() -> Operation {
    described::described("Publish audit events", described::audit_forms())
}

/// Takes in traffic reports.
pub(crate) async fn traffic(
    State(publisher): State<Publisher>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let (response, last) = ingest(&publisher, &caller, Family::Traffic, request).await?;
    let account = caller.principal.account;
    let question =
        traffic_view::List { account, filter: traffic_model::Filter::default(), q: None, page: Page::newest(1) };
    publisher.wait_for(question, last).await;
    Ok(response)
}

pub(crate) fn describe_traffic() -> Operation {
    described::described("Publish traffic reports", described::traffic_forms())
}

async fn ingest(
    publisher: &Publisher,
    caller: &Caller,
    family: Family,
    request: Request,
) -> Result<(Response, LogPosition), Refusal> {
    let headers = request.headers().clone();
    // An encoding that is not understood is refused before 8 MiB of it are read.
    let encoding = compressed::encoding(&headers)?;
    let body = read(request, INGEST).await?;
    let subject = family.subject(&caller.principal.account);
    let largest = publisher.max_payload();
    let is_short = body.len() <= SHORT && encoding == Encoding::Identity;
    let prepare = move || {
        let body = compressed::open(encoding, body, INGEST.bytes)?;
        let Read { events, ignored } = events::read(family, &subject, &headers, &body)?;
        Ok::<_, Refusal>((events.len(), ignored, messages::pack(&subject, events, largest)))
    };
    // Unpacking, reading and hashing 8 MiB takes tens of milliseconds.
    let (accepted, ignored, messages) = if is_short { prepare()? } else { off_thread(prepare).await?? };
    // Nothing is published before every event was read, so a body with one bad event leaves no trace.
    let Published { first, last } = publisher.publish(messages).await?;
    publisher.count(family.name(), accepted);

    let answer = Ingested { accepted, first: first.sequence, last: last.sequence, ignored };
    let mut response = json::answer(StatusCode::ACCEPTED, json::JSON, &answer);
    freshness::add_position(response.headers_mut(), last);
    Ok((response, last))
}

/// The events of a body, whatever its form and encoding.
pub(crate) fn opened(is_audit: bool, headers: &HeaderMap, body: &[u8]) -> Result<Vec<String>, Refusal> {
    let family = if is_audit { Family::Audit } else { Family::Traffic };
    let body = compressed::open(compressed::encoding(headers)?, Bytes::copy_from_slice(body), INGEST.bytes)?;
    Ok(events::read(family, &family.subject(&AccountId::escaped("main")), headers, &body)?.events)
}
