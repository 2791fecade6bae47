//! The NATS service that receives commands.

use bus::{AnswerError, Answering, Bus, Endpoint, ServiceInfo};
use bytes::Bytes;
use model::command::{Accepted, Command, Reason};
use model::json;

use crate::access;
use crate::integrations::Integrations;
use crate::refusal::Refusal;
use crate::searches::Searches;

/// Starts receiving.
pub(crate) async fn start(bus: &Bus, integrations: &Integrations) -> Result<Answering, AnswerError> {
    let service = ServiceInfo {
        name: "flowtrail-command".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        description:
            "Carries out commands on Flowtrail's integrations, saved searches, accounts, users, tokens and persons"
                .to_owned(),
    };
    let searches = &Searches::new(bus.clone());
    let endpoints = vec![
        endpoint(integrations, Integrations::tell_sealing_key),
        endpoint(integrations, Integrations::create),
        endpoint(integrations, Integrations::update),
        endpoint(integrations, Integrations::delete),
        endpoint(integrations, Integrations::steer),
        endpoint(searches, Searches::create),
        endpoint(searches, Searches::update),
        endpoint(searches, Searches::delete),
        endpoint(bus, access::create_account),
        endpoint(bus, access::create_user),
        endpoint(bus, access::set_user_scopes),
        endpoint(bus, access::delete_user),
        endpoint(bus, access::create_token),
        endpoint(bus, access::delete_token),
        endpoint(bus, access::erase_person),
    ];
    bus.answer(&service, endpoints).await
}

/// Receives one kind of command.
fn endpoint<S, C, F>(state: &S, carry_out: impl Fn(S, C) -> F + Copy + Send + Sync + 'static) -> Endpoint
where
    S: Clone + Send + Sync + 'static,
    C: Command,
    F: Future<Output = Result<Accepted<C::Done>, Refusal>> + Send + 'static,
{
    let state = state.clone();
    Endpoint::new(format!("flowtrail.command.{}", C::PATH), move |request: Bytes| {
        let state = state.clone();
        async move {
            let command = json::read(&request).map_err(|error| Refusal::new(Reason::Invalid, error.to_string()))?;
            let accepted = carry_out(state, command).await?;
            let answer = serde_json::to_vec(&accepted).map_err(|failure| Refusal::internal(&failure))?;
            Ok(Bytes::from(answer))
        }
    })
}
