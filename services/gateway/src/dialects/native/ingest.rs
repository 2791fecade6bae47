//! `POST /api/events/audit` and `POST /api/events/network-traffic`: events from publishers without NATS.
//!
//! Invariants: every event is read as the views will read it before any is published, and all are stored or none; what a
//! request takes of the memory is counted ([`crate::http::budget`]), and follows its size, not how many events it has.

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
use self::events::{Body, Read};
use self::family::Family;
use self::messages::{Packed, Packer};
use crate::access::caller::Caller;
use crate::describe::Operation;
use crate::http::body::{INGEST, read_counted};
use crate::http::budget::{Budget, Share};
use crate::http::freshness;
use crate::render::json;
use crate::render::refusal::Refusal;
use crate::upstream::publisher::{Published, Publisher};

/// Bytes of a body that is read sooner than another thread could be asked to.
const SHORT: usize = 8 << 10;
/// How many times as large an event is in its envelope, at most.
const ENVELOPED: usize = 16;

/// The way into the log, and the memory for what is on it. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct WayIn {
    pub(crate) publisher: Publisher,
    pub(crate) budget: Budget,
}

/// Takes in audit events.
pub(crate) async fn audit(State(way_in): State<WayIn>, caller: Caller, request: Request) -> Result<Response, Refusal> {
    let (response, last) = ingest(&way_in, &caller, Family::Audit, request).await?;
    let account = caller.principal.account;
    let question = audit_view::List { account, filter: audit_model::Filter::default(), q: None, page: Page::newest(1) };
    way_in.publisher.wait_for(question, last).await;
    Ok(response)
}

pub(crate) fn describe_audit() -> Operation {
    described::described("Publish audit events", described::audit_forms())
}

/// Takes in traffic reports.
pub(crate) async fn traffic(
    State(way_in): State<WayIn>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refusal> {
    let (response, last) = ingest(&way_in, &caller, Family::Traffic, request).await?;
    let account = caller.principal.account;
    let question =
        traffic_view::List { account, filter: traffic_model::Filter::default(), q: None, page: Page::newest(1) };
    way_in.publisher.wait_for(question, last).await;
    Ok(response)
}

pub(crate) fn describe_traffic() -> Operation {
    described::described("Publish traffic reports", described::traffic_forms())
}

async fn ingest(
    way_in: &WayIn,
    caller: &Caller,
    family: Family,
    request: Request,
) -> Result<(Response, LogPosition), Refusal> {
    let WayIn { publisher, budget } = way_in;
    let account = &caller.principal.account;
    let headers = request.headers().clone();
    // An encoding that is not understood is refused before 8 MiB of it are read.
    let encoding = compressed::encoding(&headers)?;
    let mut share = budget.share(account);
    let body = read_counted(request, INGEST, |bytes| share.take(bytes)).await?;
    let is_short = body.len() <= SHORT && encoding == Encoding::Identity;
    let (subject, largest, of_messages) = (family.subject(account), publisher.max_payload(), budget.share(account));
    let prepare = move || {
        let body = unpacked(encoding, body, &mut share)?;
        // What is packed at a time, and what comes of it.
        share.take(largest.min(body.len().saturating_mul(ENVELOPED)))?;
        let mut packer = Packer::new(subject.clone(), largest, of_messages);
        let body = Body { family, subject: &subject, headers: &headers, bytes: &body };
        let read = events::read(body, &mut share, |event| packer.add(&event))?;
        Ok::<_, Refusal>((read, packer.finish()?))
    };
    // Unpacking, reading and hashing 8 MiB takes tens of milliseconds.
    let prepared = if is_short { prepare()? } else { budget.in_turn(prepare).await?? };
    let (Read { events: accepted, ignored }, Packed { messages, share: _kept }) = prepared;
    // Nothing is published before every event was read, so a body with one bad event leaves no trace.
    let Published { first, last } = publisher.publish(messages).await?;
    publisher.count(family.name(), accepted);

    let answer = Ingested { accepted, first: first.sequence, last: last.sequence, ignored };
    let mut response = json::answer(StatusCode::ACCEPTED, json::JSON, &answer);
    freshness::add_position(response.headers_mut(), last);
    Ok((response, last))
}

/// The body as it is meant. What it takes is taken from `share` before.
fn unpacked(encoding: Encoding, body: Bytes, share: &mut Share) -> Result<Bytes, Refusal> {
    if encoding == Encoding::Identity {
        return Ok(body);
    }
    let packed = body.len();
    // As much as it may have: what a body says of its size is not to be trusted, and mostly it says nothing.
    share.take(INGEST.bytes)?;
    let unpacked = compressed::open(encoding, body, INGEST.bytes)?;
    share.give_back(INGEST.bytes - unpacked.len() + packed);
    Ok(unpacked)
}

/// The events of a body, whatever its form and encoding.
pub(crate) fn opened(is_audit: bool, headers: &HeaderMap, body: &[u8]) -> Result<Vec<String>, Refusal> {
    let family = if is_audit { Family::Audit } else { Family::Traffic };
    let body = compressed::open(compressed::encoding(headers)?, Bytes::copy_from_slice(body), INGEST.bytes)?;
    let account = AccountId::escaped("main");
    let (subject, mut share) = (family.subject(&account), Budget::of_mib(u32::MAX).share(&account));
    let body = Body { family, subject: &subject, headers, bytes: &body };
    let mut texts = Vec::new();
    events::read(body, &mut share, |event| {
        texts.push(event);
        Ok(())
    })?;
    Ok(texts)
}
