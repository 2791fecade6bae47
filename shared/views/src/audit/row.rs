//! How an event stands in columns: what filters look at as symbols, what a search reads through as text, everything
//! else as the row's rest.

use std::borrow::Cow;

use model::audit::{Event, Given};
use model::json::{Json, Number};
use model::time::Timestamp;
use segments::{NewRow, Row, Schema};
use serde::{Deserialize, Serialize};

use crate::{Error, columns};

pub(crate) const WHAT: usize = 0;
pub(crate) const WHO: usize = 1;
pub(crate) const RESOURCE: usize = 2;
pub(crate) const ADDRESS: usize = 3;
pub(crate) const MACHINE: usize = 4;
pub(crate) const SESSION: usize = 5;
const COLUMNS: usize = 6;

/// The payload and the further data, in lower case.
pub(crate) const PAYLOAD: usize = 0;
/// Between the two; no text holds it, for it is not UTF-8.
const BETWEEN: u8 = 0xff;

pub(crate) const SCHEMA: Schema =
    Schema { symbols: &[0, 1, 2, 3, 4, 5], searched: &[], filtered: &[WHAT, WHO, RESOURCE], texts: 1 };

/// What was done and how it ended, as given.
#[derive(Serialize, Deserialize)]
struct What<'a> {
    event_type: &'a str,
    activity: Option<&'a str>,
    event_group: Option<&'a str>,
    status: Option<&'a str>,
    operation: Option<&'a str>,
    response: Option<&'a str>,
}

/// Who did it, as given.
#[derive(Serialize, Deserialize)]
struct Who<'a> {
    actor_type: Option<&'a str>,
    actor_id: Option<&'a str>,
    actor_name: Option<&'a str>,
    actor_email: Option<&'a str>,
    user_id: Option<i64>,
    user_name: Option<&'a str>,
}

/// What it was done to.
#[derive(Serialize, Deserialize)]
pub(crate) struct Resource<'a> {
    pub(crate) resource_type: Option<&'a str>,
    pub(crate) resource_id: Option<&'a str>,
}

#[derive(Serialize, Deserialize)]
struct Rest<'a> {
    #[serde(borrow)]
    id: &'a str,
    /// What tells equal ids of different streams apart.
    origin: u8,
    time: Timestamp,
    time_given: bool,
    source: &'a str,
    meta: Option<Cow<'a, Json>>,
    task_id: Option<i64>,
    request_id: Option<&'a str>,
    correlation_id: Option<&'a str>,
    http_method: Option<&'a str>,
    path: Option<&'a str>,
    http_status: Option<i64>,
    latency_ms: Option<Cow<'a, Number>>,
    user_agent: Option<&'a str>,
    node_ip: Option<&'a str>,
    worker_id: Option<&'a str>,
    event_payload: Option<Cow<'a, Json>>,
    error_message: Option<&'a str>,
    value: Option<&'a str>,
}

/// How an id stands in the table. Ids hold no control characters, so the zero byte ends them and they sort as they are.
pub(crate) fn id_in_table(id: &str, origin: u8) -> Vec<u8> {
    [id.as_bytes(), &[0, origin]].concat()
}

/// Makes a row of an event and gives it to `put`.
pub(crate) fn write<T>(
    event: &Event,
    origin: u8,
    put: impl FnOnce(NewRow<'_>) -> Result<T, Error>,
) -> Result<T, Error> {
    let given = &event.given;
    let what = What {
        event_type: &event.event_type,
        activity: given.activity.as_deref(),
        event_group: given.event_group.as_deref(),
        status: given.status.as_deref(),
        operation: given.operation.as_deref(),
        response: given.response.as_deref(),
    };
    let who = Who {
        actor_type: given.actor_type.as_deref(),
        actor_id: given.actor_id.as_deref(),
        actor_name: given.actor_name.as_deref(),
        actor_email: given.actor_email.as_deref(),
        user_id: given.user_id,
        user_name: given.user_name.as_deref(),
    };
    let resource =
        Resource { resource_type: given.resource_type.as_deref(), resource_id: given.resource_id.as_deref() };
    let text = |text: &Option<String>| columns::write(&text.as_deref(), Vec::new());
    let what = columns::write(&what, Vec::new())?;
    let who = columns::write(&who, Vec::new())?;
    let resource = columns::write(&resource, Vec::new())?;
    let (address, machine, session) = (text(&given.ip_address)?, text(&given.vm_id)?, text(&given.session_id)?);
    let symbols: [&[u8]; COLUMNS] = [&what, &who, &resource, &address, &machine, &session];
    let rest = columns::write(&rest(event, origin), Vec::new())?;
    let id = id_in_table(&event.id, origin);
    put(NewRow { time: event.time.micros(), id: &id, symbols: &symbols, texts: &[&payload(event)], rest: &rest })
}

/// What a search reads through beyond the symbols.
fn payload(event: &Event) -> Vec<u8> {
    let lower = |json: Option<&Json>| json.map(|json| json.as_str().to_lowercase()).unwrap_or_default();
    let mut text = lower(event.event_payload()).into_bytes();
    // Without a payload of its own the event's further data is its payload.
    if event.given.event_payload.is_some() {
        text.push(BETWEEN);
        text.extend_from_slice(lower(event.given.meta.as_ref()).as_bytes());
    }
    text
}

fn rest(event: &Event, origin: u8) -> Rest<'_> {
    let given = &event.given;
    Rest {
        id: &event.id,
        origin,
        time: event.time,
        time_given: event.time_given,
        source: &event.source,
        meta: given.meta.as_ref().map(Cow::Borrowed),
        task_id: given.task_id,
        request_id: given.request_id.as_deref(),
        correlation_id: given.correlation_id.as_deref(),
        http_method: given.http_method.as_deref(),
        path: given.path.as_deref(),
        http_status: given.http_status,
        latency_ms: given.latency_ms.as_ref().map(Cow::Borrowed),
        user_agent: given.user_agent.as_deref(),
        node_ip: given.node_ip.as_deref(),
        worker_id: given.worker_id.as_deref(),
        event_payload: given.event_payload.as_ref().map(Cow::Borrowed),
        error_message: given.error_message.as_deref(),
        value: given.value.as_deref(),
    }
}

/// The event that [`write`] made a row of.
pub(crate) fn read(row: &Row) -> Result<Event, Error> {
    let symbol = |column: usize| row.symbols.get(column).map(|symbol| &**symbol).unwrap_or_default();
    let rest: Rest<'_> = columns::read(&row.rest)?;
    let resource: Resource<'_> = columns::read(symbol(RESOURCE))?;
    let text = |column: usize| columns::read::<Option<&str>>(symbol(column)).map(owned);
    let what = what(symbol(WHAT))?;
    let who = who(symbol(WHO))?;
    Ok(Event {
        id: rest.id.to_owned(),
        time: rest.time,
        time_given: rest.time_given,
        event_type: what.event_type,
        source: rest.source.to_owned(),
        given: Given {
            activity: what.given.activity,
            event_group: what.given.event_group,
            status: what.given.status,
            operation: what.given.operation,
            response: what.given.response,
            actor_type: who.actor_type,
            actor_id: who.actor_id,
            actor_name: who.actor_name,
            actor_email: who.actor_email,
            user_id: who.user_id,
            user_name: who.user_name,
            resource_type: owned(resource.resource_type),
            resource_id: owned(resource.resource_id),
            ip_address: text(ADDRESS)?,
            vm_id: text(MACHINE)?,
            session_id: text(SESSION)?,
            meta: rest.meta.map(Cow::into_owned),
            task_id: rest.task_id,
            request_id: owned(rest.request_id),
            correlation_id: owned(rest.correlation_id),
            http_method: owned(rest.http_method),
            path: owned(rest.path),
            http_status: rest.http_status,
            latency_ms: rest.latency_ms.map(Cow::into_owned),
            user_agent: owned(rest.user_agent),
            node_ip: owned(rest.node_ip),
            worker_id: owned(rest.worker_id),
            event_payload: rest.event_payload.map(Cow::into_owned),
            error_message: owned(rest.error_message),
            value: owned(rest.value),
        },
    })
}

/// How the row's id stands in the table.
pub(crate) fn id_of(row: &Row) -> Result<Vec<u8>, Error> {
    let rest: Rest<'_> = columns::read(&row.rest)?;
    Ok(id_in_table(rest.id, rest.origin))
}

/// An event that says nothing but what was done and how it ended.
pub(crate) fn what(symbol: &[u8]) -> Result<Event, Error> {
    let what: What<'_> = columns::read(symbol)?;
    Ok(Event {
        id: String::new(),
        time: Timestamp::EPOCH,
        time_given: false,
        event_type: what.event_type.to_owned(),
        source: String::new(),
        given: Given {
            activity: owned(what.activity),
            event_group: owned(what.event_group),
            status: owned(what.status),
            operation: owned(what.operation),
            response: owned(what.response),
            ..Given::default()
        },
    })
}

/// Who did it, and nothing else.
pub(crate) fn who(symbol: &[u8]) -> Result<Given, Error> {
    let who: Who<'_> = columns::read(symbol)?;
    Ok(Given {
        actor_type: owned(who.actor_type),
        actor_id: owned(who.actor_id),
        actor_name: owned(who.actor_name),
        actor_email: owned(who.actor_email),
        user_id: who.user_id,
        user_name: owned(who.user_name),
        ..Given::default()
    })
}

fn owned(text: Option<&str>) -> Option<String> {
    text.map(str::to_owned)
}
