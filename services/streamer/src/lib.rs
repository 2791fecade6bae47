//! Event streaming: what an account's events become on the platforms it named.
//!
//! The way of one event out, file by file:
//!
//! 1. `supervisor` follows the integration stream. What is wanted of an integration is folded into a `desired`, and a
//!    `delivery::keeper` is told of every change.
//! 2. The keeper runs one worker while the integration is on (`delivery::run`). The worker opens the `journal`, takes
//!    over the state that the last one left, carries out what was ordered since, and gives every stream its place
//!    (`delivery::begin`).
//! 3. A `lane` for each stream reads messages from that place on, decodes them, and holds their events as
//!    [`sink::Item`]s until there are enough or the oldest has waited long enough.
//! 4. `delivery::gather` cuts a `batch` from the lane that is ripe, as large as the sink takes it. Its first and last
//!    event are written to the journal before anything is sent: after a crash the same batch is sent again.
//! 5. `receiver` opens the secrets (`opened`) and makes the platform's [`sinks::Sink`], which reaches its receiver
//!    through the [`guard`] and nothing else. The sink makes one attempt and says how it ended ([`sink::Outcome`]).
//! 6. `delivery::verdict` reads the outcome: what arrived, what becomes one of the `dead_letters`, what goes with the next
//!    attempt. `delivery::backoff` says when that is (`delivery::finish`).
//! 7. When nothing of the batch is left, the place after it is written to the journal, and step 4 follows.
//!
//! Not on that way: `service` answers questions about deliveries (`status`, `history`), `live` is what a worker lets
//! others see while it runs, `metrics` shows it to Prometheus, `start` puts all of it together.
//!
//! Invariants: no integration waits for the receiver of another; memory is bounded whatever the backlog; what is
//! delivered, failed and given up is recorded before it is forgotten; an opened secret is in the sink and nowhere else.

pub mod guard;
pub mod opened;
pub mod sink;
pub mod sinks;

mod batch;
mod dead_letters;
mod delivery;
mod desired;
mod error;
mod history;
mod journal;
mod lane;
mod live;
mod metrics;
mod receiver;
mod service;
mod settings;
mod start;
mod status;
mod supervisor;

pub use self::error::Error;
pub use self::settings::Settings;
pub use self::start::{Streamer, start};
