//! Whether the process lives, and whether it is of use: for supervisors, load balancers and `up`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use schemars::JsonSchema;
use serde::Serialize;
use views::status::{Status, ViewStatus};
use views::{Ask, View};

use crate::json;
use crate::openapi::Operation;
use crate::refused::Refused;
use crate::router::Gateway;

/// Which views have had everything that the log held, once since the start.
#[derive(Debug, Default)]
pub(crate) struct CaughtUp([AtomicBool; View::ALL.len()]);

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

#[derive(Serialize, JsonSchema)]
struct Health {
    status: &'static str,
}

/// The process is alive.
pub(crate) async fn alive() -> Response {
    json::ok(&Health { status: "alive" })
}

pub(crate) fn describe_alive() -> Operation {
    Operation::new("Whether the process lives", "").answers::<Health>(StatusCode::OK, "It does.")
}

/// Reads and writes work, and reads are complete.
pub(crate) async fn ready(State(gateway): State<Arc<Gateway>>) -> Result<Response, Refused> {
    if !gateway.bus.is_connected() {
        return Err(Refused::Unavailable("not connected to nats"));
    }
    let reply = gateway.reader.ask(Ask { at_least: Vec::new(), question: Status }).await?;
    if !gateway.caught_up.all_by_now(&reply.answer) {
        return Err(Refused::Unavailable("the views have not caught up with the log yet"));
    }
    Ok(json::ok(&Health { status: "ready" }))
}

pub(crate) fn describe_ready() -> Operation {
    let text = "Reads and writes work, and the views have caught up with the log once since the start.";
    Operation::new("Whether it is of use", text).answers::<Health>(StatusCode::OK, "It is.")
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
