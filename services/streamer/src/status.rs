//! How a delivery stands: what it did, from its steps; what it does, from its worker; how far behind it is, from the
//! log.

use std::collections::BTreeMap;

use bus::{Bus, LoadError};
use feed::tail;
use model::delivery::{EventPlace, Guarantee, Progress, Shown, Standing, State, Status};
use model::log::{AccountId, Stream};
use model::time::Timestamp;

use crate::desired::Desired;
use crate::journal;
use crate::live::{IntegrationId, LiveState};
use crate::receiver::Receivers;
use crate::sinks::guarantee_of;

const MICROS: i64 = 1_000_000;

/// The status of an integration; `live` is what its worker shows in this process.
///
/// # Errors
/// When the log cannot be read.
pub(crate) async fn of(
    receivers: &Receivers,
    integration: &IntegrationId,
    desired: &Desired,
    live: Option<LiveState>,
) -> Result<Status, LoadError> {
    let (bus, IntegrationId { account, id }) = (&receivers.bus, integration);
    let LiveState { state, next_retry } = live.unwrap_or_default();
    // A worker that has not begun yet, or runs in another process, has left its state in the journal.
    let state = match state {
        Some(state) => state,
        None => journal::last_state(bus, account, *id).await?.unwrap_or_default(),
    };
    let now = receivers.clock.now_micros();
    let position = positions(bus, account, desired, &state, now).await?;
    let (shown, since) = shown(desired, &state);
    let guarantee = guarantee(desired, &state);
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
        passed_over: state.passed_over,
        failed: state.failed,
        dead_lettered: state.dead_lettered,
        position,
        missing: state.missing,
        guarantee,
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
) -> Result<BTreeMap<String, Progress>, LoadError> {
    let mut positions = BTreeMap::new();
    for stream in desired.streams() {
        if let Some(next) = state.next.get(&stream) {
            positions.insert(stream.name().to_owned(), behind(bus, stream, account, *next, now).await?);
        }
    }
    Ok(positions)
}

/// How a delivery is shown, and since when it is not well. What people want comes first: an integration that is off is
/// paused, whatever its worker last did; one that was resumed since it was suspended is active, though its worker has
/// not begun yet.
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

/// What holds of the current configuration, as far as that is known.
fn guarantee(desired: &Desired, state: &State) -> Option<Guarantee> {
    let found = || state.guarantee.filter(|found| found.version == desired.version).map(|found| found.guarantee);
    guarantee_of(desired.current.platform).or_else(found)
}

async fn behind(
    bus: &Bus,
    stream: Stream,
    account: &AccountId,
    next: EventPlace,
    now: i64,
) -> Result<Progress, LoadError> {
    let filter = tail::filter(stream, account);
    let lag_events = bus.count_from(stream, &filter, next.sequence).await?;
    let oldest = match lag_events {
        0 => None,
        _ => bus.first_from(stream, &filter, next.sequence).await?,
    };
    let waited = oldest.map_or(0, |message| now.saturating_sub(message.received_at) / MICROS);
    let lag_seconds = u64::try_from(waited).unwrap_or_default();
    Ok(Progress { sequence: next.sequence, index: next.index, lag_events, lag_seconds })
}
