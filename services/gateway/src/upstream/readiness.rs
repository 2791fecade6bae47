//! Whether the gateway is of use: whether it stays, the log can be written, and reads are complete.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bus::Bus;
use tokio_util::sync::CancellationToken;
use views::status::{Status, ViewStatus};
use views::{Ask, View};

use crate::render::refusal::Refusal;
use crate::upstream::reader::Reader;

/// What it takes to tell. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Readiness {
    bus: Arc<Bus>,
    reader: Arc<Reader>,
    caught_up: Arc<CaughtUp>,
    leaving: CancellationToken,
}

impl Readiness {
    pub(crate) fn new(bus: Arc<Bus>, reader: Arc<Reader>, leaving: CancellationToken) -> Self {
        Self { bus, reader, caught_up: Arc::default(), leaving }
    }

    /// Whether reads and writes work.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`], saying what is missing.
    pub(crate) async fn check(&self) -> Result<(), Refusal> {
        if self.leaving.is_cancelled() {
            return Err(Refusal::Unavailable("this gateway is about to end"));
        }
        if !self.bus.is_connected() {
            return Err(Refusal::Unavailable("not connected to nats"));
        }
        let reply = self.reader.ask(Ask { at_least: Vec::new(), question: Status }).await?;
        if !self.caught_up.all_by_now(&reply.answer) {
            return Err(Refusal::Unavailable("the views have not caught up with the log yet"));
        }
        Ok(())
    }
}

/// Which views have had everything that the log held, once since the start.
#[derive(Debug, Default)]
struct CaughtUp([AtomicBool; View::ALL.len()]);

impl CaughtUp {
    /// Takes in how the views are now; whether every one of them was even with the log by now.
    fn all_by_now(&self, status: &[ViewStatus]) -> bool {
        let is_even = |status: &ViewStatus| status.streams.iter().all(|(_, _, pending)| *pending == 0);
        for (view, was_even) in View::ALL.iter().zip(&self.0) {
            if status.iter().any(|status| status.view == *view && is_even(status)) {
                was_even.store(true, Ordering::Relaxed);
            }
        }
        self.0.iter().all(|was_even| was_even.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use model::log::Stream;
    use views::Freshness;

    use super::*;

    fn status(view: View, pending: u64) -> ViewStatus {
        ViewStatus {
            view,
            streams: vec![(Stream::Audit, 1, pending)],
            freshness: Freshness::default(),
            bytes_on_disk: 0,
        }
    }

    #[test]
    fn each_view_must_have_caught_up_once_not_all_at_once() {
        let caught_up = CaughtUp::default();
        let all_but = |behind: View| View::ALL.map(|view| status(view, u64::from(view == behind)));
        assert!(!caught_up.all_by_now(&all_but(views::audit::VIEW)));
        assert!(!caught_up.all_by_now(&all_but(views::audit::VIEW)));
        assert!(caught_up.all_by_now(&all_but(views::traffic::VIEW)));
        assert!(caught_up.all_by_now(&View::ALL.map(|view| status(view, 9))));
    }
}
