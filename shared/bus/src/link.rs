//! Whether the server is there: the connection's events, logged and kept as a state that can be waited for.

use std::time::Duration;

use async_nats::{Event, ServerError};
use tokio::sync::watch;
use tracing::{debug, error, info, warn};

/// The connection as the last event left it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct State {
    connected: bool,
    /// How often the connection was lost. What was under way before has no answer any more after.
    losses: u64,
}

/// A cheap clonable view of the connection.
#[derive(Clone, Debug)]
pub(crate) struct Link(watch::Receiver<State>);

/// The side that is told the client's events.
#[derive(Clone, Debug)]
pub(crate) struct Listener(watch::Sender<State>);

pub(crate) fn new() -> (Listener, Link) {
    let (sender, receiver) = watch::channel(State { connected: true, losses: 0 });
    (Listener(sender), Link(receiver))
}

impl Listener {
    /// Takes one event in. Errors of the server have no other way to the one who caused them: a publish that permissions
    /// deny looks like a time-out to the publisher, so they are logged here.
    pub(crate) fn note(&self, event: &Event) {
        match event {
            Event::Connected => {
                info!("connected to nats");
                self.0.send_modify(|state| state.connected = true);
            }
            Event::Disconnected => {
                warn!("lost the connection to nats, reconnecting");
                self.0.send_modify(|state| *state = State { connected: false, losses: state.losses + 1 });
            }
            Event::SlowConsumer(subscription) => {
                warn!(subscription, "messages were dropped: a subscription is too slow");
            }
            Event::ServerError(ServerError::SlowConsumer(subscription)) => {
                warn!(subscription, "nats dropped messages: this client is too slow");
            }
            Event::ServerError(ServerError::AuthorizationViolation) => error!("nats refused this client's credentials"),
            Event::ServerError(ServerError::Other(message)) => error!(%message, "nats reported an error"),
            Event::ClientError(problem) => warn!(%problem, "the nats client reported an error"),
            Event::LameDuckMode => info!("the nats-server is about to stop"),
            Event::Draining | Event::Closed => debug!(%event, "the nats connection ends"),
        }
    }
}

impl Link {
    pub(crate) fn is_up(&self) -> bool {
        self.0.borrow().connected
    }

    /// The number to hand to [`Link::lost_since`] later.
    pub(crate) fn losses(&self) -> u64 {
        self.0.borrow().losses
    }

    /// Waits until there is a connection; `false` when `patience` ends first.
    pub(crate) async fn up_within(&self, patience: Duration) -> bool {
        let mut state = self.0.clone();
        let up = tokio::time::timeout(patience, state.wait_for(|state| state.connected)).await;
        matches!(up, Ok(Ok(_)))
    }

    /// Ends when the connection that was there at `losses` is lost; at once when it already is.
    pub(crate) async fn lost_since(&self, losses: u64) {
        let mut state = self.0.clone();
        if state.wait_for(|state| state.losses != losses).await.is_err() {
            // The client is gone, and with it the connection that could be lost.
            std::future::pending::<()>().await;
        }
    }
}
