//! Rebuilds: who orders one, and how far it is.

use serde::{Deserialize, Serialize};
use tokio::sync::{mpsc, watch};
use views::View;

/// The subject on which a rebuild is ordered; the request is an [`Order`], the answer a [`Progress`].
pub const START: &str = "flowtrail.control.rebuild.start";
/// The subject on which its progress is asked for; request and answer as for [`START`].
pub const PROGRESS: &str = "flowtrail.control.rebuild.progress";

/// Which view is to be rebuilt, or is asked about.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Order {
    /// Named as on the command line, such as `audit`.
    pub view: View,
    /// Whether the view may be replaced by one with less in it, where the log has lost messages.
    #[serde(default)]
    pub accept_loss: bool,
}

/// How far a rebuild is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// How many rebuilds of this view were started since the projector was.
    pub started: u64,
    /// How many of them are over.
    pub finished: u64,
    /// Why the last one failed, if it did.
    pub failure: Option<String>,
    /// Messages that the log held when it started.
    pub messages: u64,
    /// Messages that are in the new generation: at the end these, without what has gone and with what has come since.
    pub messages_done: u64,
    /// Events in the new generation: a message may hold many.
    pub events_done: u64,
}

impl Progress {
    /// Whether a rebuild is under way.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.started > self.finished
    }
}

/// What the service holds of a view's rebuilds.
pub(crate) struct Handle {
    orders: mpsc::Sender<Loss>,
    progress: watch::Receiver<Progress>,
}

/// What becomes of a rebuild that would end with less than the view has, because the log has lost messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// The view stays as it is.
    Refused,
    /// A person says that it is to go on with what is left.
    Accepted,
}

impl Handle {
    pub(crate) fn new(orders: mpsc::Sender<Loss>, progress: watch::Receiver<Progress>) -> Self {
        Self { orders, progress }
    }

    /// Orders a rebuild, unless one is under way or ordered already.
    pub(crate) fn order(&self, order: Order) {
        let loss = if order.accept_loss { Loss::Accepted } else { Loss::Refused };
        // Full: one is ordered already. Closed: the projector is stopping.
        let _ = self.orders.try_send(loss);
    }

    pub(crate) fn progress(&self) -> Progress {
        self.progress.borrow().clone()
    }
}

/// Where a rebuild notes how far it is. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Watch(watch::Sender<Progress>);

impl Watch {
    pub(crate) fn subscribe(&self) -> watch::Receiver<Progress> {
        self.0.subscribe()
    }

    pub(crate) fn starts(&self) {
        self.0.send_modify(|progress| {
            *progress = Progress { started: progress.started + 1, finished: progress.finished, ..Progress::default() };
        });
    }

    pub(crate) fn expects(&self, messages: u64) {
        self.0.send_modify(|progress| progress.messages = messages);
    }

    pub(crate) fn projected(&self, messages: u64, events: u64) {
        self.0.send_modify(|progress| {
            progress.messages_done += messages;
            progress.events_done += events;
        });
    }

    pub(crate) fn ends(&self, failure: Option<String>) {
        self.0.send_modify(|progress| {
            progress.finished = progress.started;
            progress.failure = failure;
        });
    }
}
