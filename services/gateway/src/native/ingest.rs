//! `POST /api/events/audit` and `POST /api/events/network-traffic`: events from publishers without NATS.
//!
//! Invariant: every event is read as the views will read it before any is published, and all are stored or none.

mod compressed;
mod described;
mod events;
mod messages;
mod unknown;

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use bus::{Outgoing, PublishError, Receipt};
use bytes::Bytes;
use model::log::{AccountId, Position, Subject};
use model::paging::Page;
use model::{audit as audit_model, traffic as traffic_model};
use runtime::telemetry::chain;
use schemars::JsonSchema;
use serde::Serialize;
use tracing::{error, warn};
use views::{audit as audit_view, traffic as traffic_view};

use crate::auth::Caller;
use crate::body::{INGEST, read};
use crate::commands::LOG_UNREACHABLE;
use crate::openapi::Operation;
use crate::refused::Refused;
use crate::router::Gateway;
use crate::{freshness, json};

/// Which events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    Audit,
    Traffic,
}

/// The last part of the subject that these events are published on, and the source of those that name none.
const SOURCE: &str = "http";

/// Where the events stand in the log.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Ingested")]
struct Answer {
    /// How many.
    accepted: usize,
    /// The first position in their stream.
    first: u64,
    /// The last position.
    last: u64,
    /// Members that no field and no `meta` holds, and that are in the log only.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    ignored: BTreeSet<String>,
}

/// Takes in audit events.
pub(crate) async fn audit(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refused> {
    let (response, last) = ingest(&gateway, &caller, Family::Audit, request).await?;
    let account = caller.principal.account;
    let question = audit_view::List { account, filter: audit_model::Filter::default(), page: Page::newest(1) };
    gateway.reader.wait_for(question, last).await;
    Ok(response)
}

pub(crate) fn describe_audit() -> Operation {
    described::described("Publish audit events", described::audit_forms())
}

/// Takes in traffic reports.
pub(crate) async fn traffic(
    State(gateway): State<Arc<Gateway>>,
    caller: Caller,
    request: Request,
) -> Result<Response, Refused> {
    let (response, last) = ingest(&gateway, &caller, Family::Traffic, request).await?;
    let account = caller.principal.account;
    let question = traffic_view::List { account, filter: traffic_model::Filter::default(), page: Page::newest(1) };
    gateway.reader.wait_for(question, last).await;
    Ok(response)
}

pub(crate) fn describe_traffic() -> Operation {
    described::described("Publish traffic reports", described::traffic_forms())
}

async fn ingest(
    gateway: &Gateway,
    caller: &Caller,
    family: Family,
    request: Request,
) -> Result<(Response, Position), Refused> {
    let headers = request.headers().clone();
    let encoding = compressed::encoding(&headers)?;
    let body = read(request, INGEST).await?;
    let subject = family.subject(&caller.principal.account);
    let largest = gateway.bus.max_payload();
    let prepared = json::aside(move || {
        let body = compressed::open(encoding, body, INGEST.bytes)?;
        let events = events::read(family, &subject, &headers, &body)?;
        let ignored = unknown::members(family, &events);
        Ok::<_, Refused>((events.len(), ignored, messages::pack(&subject, events, largest)))
    });
    let (accepted, ignored, messages) = prepared.await??;
    let (first, last) = publish(gateway, messages).await?;
    gateway.numbers.ingested(family.name(), accepted);

    let answer = Answer { accepted, first: first.sequence, last: last.sequence, ignored };
    let mut response = json::answer(StatusCode::ACCEPTED, json::JSON, &answer);
    freshness::written(response.headers_mut(), last);
    Ok((response, last))
}

/// The events of a body, whatever its form and encoding.
pub(crate) fn opened(is_audit: bool, headers: &HeaderMap, body: &[u8]) -> Result<Vec<String>, Refused> {
    let family = if is_audit { Family::Audit } else { Family::Traffic };
    let body = compressed::open(compressed::encoding(headers)?, Bytes::copy_from_slice(body), INGEST.bytes)?;
    events::read(family, &family.subject(&AccountId::escaped("main")), headers, &body)
}

/// Publishes the messages, and gives the first and the last position of them.
async fn publish(gateway: &Gateway, messages: Vec<Outgoing>) -> Result<(Position, Position), Refused> {
    let receipts = gateway.bus.publish_all(messages).await.map_err(|failure| refused(&failure))?;
    let positions = receipts.iter().map(|Receipt { position, .. }| *position);
    // A retry of which a part had gone through is not stored in order.
    let ends = positions.clone().min().zip(positions.max());
    ends.ok_or(Refused::Internal)
}

fn refused(failure: &PublishError) -> Refused {
    match failure {
        PublishError::Unreachable(_) => {
            warn!(error = %chain(failure), "events cannot be published");
            LOG_UNREACHABLE
        }
        PublishError::TooLarge { limit, .. } => Refused::TooLarge { limit: *limit },
        PublishError::Conflict { .. } | PublishError::Rejected(_) => {
            error!(error = %chain(failure), "events cannot be published");
            Refused::Internal
        }
    }
}

impl Family {
    fn subject(self, account: &AccountId) -> Subject {
        match self {
            Self::Audit => Subject::audit(account, SOURCE),
            Self::Traffic => Subject::traffic(account, SOURCE),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Audit => "audit",
            Self::Traffic => "traffic",
        }
    }

    /// The CloudEvents type.
    fn kind(self) -> &'static str {
        match self {
            Self::Audit => audit_model::RECORDED,
            Self::Traffic => traffic_model::REPORTED,
        }
    }
}
