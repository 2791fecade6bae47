//! How a delivery stands: what it did, from its steps; what it does, from its worker; how far behind it is, from the log.

use std::collections::BTreeMap;

use bus::{Bus, LoadError};
use feed::tail;
use model::delivery::{Place, Position, Shown, Standing, State, Status};
use model::log::{AccountId, Stream};
use model::time::Timestamp;

use crate::desired::Desired;
use crate::journal;
use crate::service::Desk;
use crate::worker::Live;

const MICROS: i64 = 1_000_000;

/// The status of an integration.
///
/// # Errors
/// When the log cannot be read.
pub(crate) async fn of(desk: &Desk, account: &AccountId, id: u64, desired: &Desired) -> Result<Status, LoadError> {
    let bus = &desk.receivers.bus;
    let live = desk.lives.of(account, id).unwrap_or_default();
    let Live { state, next_retry } = live;
    let state = match state {
        Some(state) => state,
        None => journal::last_state(bus, account, id).await?.unwrap_or_default(),
    };
    let now = desk.receivers.clock.now_micros();
    let position = positions(bus, account, desired, &state, now).await?;
    let (shown, since) = shown(desired, &state);
    Ok(Status {
        state: shown,
        enabled: desired.current.enabled,
        lag_events: position.values().map(|position| position.lag_events).sum(),
        lag_seconds: position.values().map(|position| position.lag_seconds).max().unwrap_or_default(),
        last_success: state.last_success,
        last_error: state.last_error,
        since,
        next_retry: next_retry.filter(|_| shown == Shown::Failing).and_then(|at| Timestamp::from_micros(at).ok()),
        delivered: state.delivered,
        failed: state.failed,
        dead_lettered: state.dead_lettered,
        position,
        missing: state.missing,
    })
}

/// Where it is in each stream, and how far behind.
///
/// # Errors
/// When the log cannot be read.
pub(crate) async fn positions(
    bus: &Bus,
    account: &AccountId,
    desired: &Desired,
    state: &State,
    now: i64,
) -> Result<BTreeMap<String, Position>, LoadError> {
    let mut positions = BTreeMap::new();
    for stream in desired.streams() {
        if let Some(next) = state.next.get(&stream) {
            positions.insert(stream.name().to_owned(), behind(bus, stream, account, *next, now).await?);
        }
    }
    Ok(positions)
}

/// What people want comes first; what someone did since it was suspended is about to be heard.
pub(crate) fn shown(desired: &Desired, state: &State) -> (Shown, Option<Timestamp>) {
    if !desired.is_on() {
        return (Shown::Paused, None);
    }
    match state.standing {
        Standing::Active => (Shown::Active, None),
        Standing::Failing { since } => (Shown::Failing, Some(since)),
        Standing::Suspended { .. } if desired.touched > state.orders => (Shown::Active, None),
        Standing::Suspended { since } => (Shown::Suspended, Some(since)),
    }
}

async fn behind(bus: &Bus, stream: Stream, account: &AccountId, next: Place, now: i64) -> Result<Position, LoadError> {
    let filter = tail::filter(stream, account);
    let lag_events = bus.count_from(stream, &filter, next.sequence).await?;
    let oldest = match lag_events {
        0 => None,
        _ => bus.first_from(stream, &filter, next.sequence).await?,
    };
    let waited = oldest.map_or(0, |message| now.saturating_sub(message.received_at) / MICROS);
    let lag_seconds = u64::try_from(waited).unwrap_or_default();
    Ok(Position { sequence: next.sequence, index: next.index, lag_events, lag_seconds })
}
