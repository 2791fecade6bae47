//! The NATS service that answers every question, from the same code that answers them in one process; and what only a
//! projector can tell: how rebuilds go, what the views could not take in, and what is wrong with the log.

use std::collections::HashMap;
use std::sync::Arc;

use bus::{AnswerError, Answering, Bus, Endpoint, Refusal, ServiceInfo};
use bytes::Bytes;
use model::dead_letter::{LIST, List};
use model::json;
use runtime::telemetry::chain;
use serde::Serialize;
use tracing::{error, warn};
use views::{Asked, Unanswered, View, Views};

use crate::dead_letters::list::list;
use crate::rebuild::{self, Handle, Order};
use crate::troubles::{self, Troubles};

/// Starts answering.
pub(crate) async fn start(
    bus: &Bus,
    views: &Views,
    rebuilds: HashMap<View, Handle>,
    troubles: Troubles,
) -> Result<Answering, AnswerError> {
    let service = ServiceInfo {
        name: "flowtrail-query".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        description: "Answers questions from Flowtrail's views".to_owned(),
    };
    let rebuilds = Arc::new(rebuilds);
    let mut endpoints: Vec<Endpoint> = views::questions().map(|asked| question(views, asked)).collect();
    endpoints.push(control(rebuild::START, rebuilds.clone(), Handle::order));
    endpoints.push(control(rebuild::PROGRESS, rebuilds, |_, _| ()));
    endpoints.push(dead_letters(bus));
    endpoints.push(Endpoint::new(troubles::LIST, move |_| std::future::ready(write(&troubles.list()))));
    bus.answer(&service, endpoints).await
}

fn question(views: &Views, asked: &'static Asked) -> Endpoint {
    let views = views.clone();
    Endpoint::new(format!("flowtrail.query.{}", asked.path()), move |request| {
        let views = views.clone();
        async move {
            let reply = asked.answer(&views, &request).await;
            reply.map(Bytes::from).map_err(|unanswered| refusal(asked, &unanswered))
        }
    })
}

fn refusal(asked: &Asked, unanswered: &Unanswered) -> Refusal {
    match unanswered {
        Unanswered::Request(bad) => Refusal { code: 400, message: bad.to_string() },
        Unanswered::Failed(failure) => {
            error!(question = asked.path(), error = %chain(failure), "a question has no answer");
            Refusal { code: 500, message: "the view cannot be read".to_owned() }
        }
        Unanswered::Reply(_) => Refusal { code: 500, message: "the answer cannot be written".to_owned() },
    }
}

/// Does something about a view's rebuild, then answers how far it is.
fn control(subject: &str, rebuilds: Arc<HashMap<View, Handle>>, act: fn(&Handle, Order)) -> Endpoint {
    Endpoint::new(subject, move |request| {
        let rebuilds = rebuilds.clone();
        async move {
            let order: Order = read(&request)?;
            let Some(handle) = rebuilds.get(&order.view) else {
                return Err(Refusal { code: 404, message: "there is no such view".to_owned() });
            };
            // As it was before: the rebuild that is ordered by this is the first that starts after these.
            let before = handle.progress();
            act(handle, order);
            write(&before)
        }
    })
}

/// The dead letters of the views, from the log.
fn dead_letters(bus: &Bus) -> Endpoint {
    let bus = bus.clone();
    Endpoint::new(LIST, move |request| {
        let bus = bus.clone();
        async move {
            let wanted: List = read(&request)?;
            let listed = list(&bus, &wanted).await.map_err(|failure| {
                warn!(error = %chain(&failure), "dead letters cannot be listed");
                Refusal { code: 503, message: "the log cannot be reached".to_owned() }
            })?;
            write(&listed)
        }
    })
}

fn read<T: serde::de::DeserializeOwned>(request: &Bytes) -> Result<T, Refusal> {
    json::read(request).map_err(|error| Refusal { code: 400, message: error.to_string() })
}

fn write<T: Serialize>(reply: &T) -> Result<Bytes, Refusal> {
    let text = serde_json::to_vec(reply);
    text.map(Bytes::from).map_err(|_| Refusal { code: 500, message: "the answer cannot be written".to_owned() })
}
