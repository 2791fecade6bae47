//! Talking to a running Flowtrail over NATS: commands, questions, control.

use std::time::Duration;

use anyhow::{Context, bail};
use bus::{AskError, Bus, Options};
use bytes::Bytes;
use model::access::Actor;
use model::command::{Accepted, Command};
use model::log::LogPosition;
use runtime::settings::Settings;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::time::{sleep, timeout};
use views::status::Status;
use views::{Ask, Question, Reply};

use crate::{nats_access, nats_url};

const PATIENCE: Duration = Duration::from_secs(30);
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(20);

/// A connection to the NATS server that the settings name.
///
/// # Errors
/// When nobody is there, or refuses us.
pub(crate) async fn connect(settings: &Settings) -> anyhow::Result<Bus> {
    // The client's name is the NATS user's that permissions are given to: see `nats/permissions.conf`.
    let (url, access, name) = (nats_url::of_log(settings)?, nats_access::of(settings)?, "operator".to_owned());
    let options = Options { url, access, name };
    let hint = "connect to the log; is Flowtrail running (`flowtrail up`), or should FLOWTRAIL_DATA_DIR or \
                FLOWTRAIL_NATS_URL name another place?";
    Bus::connect(&options).await.context(hint)
}

/// Sends a command, waits until the views show what it did, and gives what was done.
pub(crate) async fn send<C: Command>(bus: &Bus, command: &C) -> anyhow::Result<C::Done> {
    let accepted: Accepted<C::Done> = request(bus, &format!("flowtrail.command.{}", C::PATH), command).await?;
    if let Some(position) = accepted.position {
        // What is done is done, also where no view can be asked.
        shown_within(bus, position).await;
    }
    Ok(accepted.done)
}

/// Waits until no view is behind `position`; false: they were not there in time, or cannot be asked.
pub(crate) async fn shown_within(bus: &Bus, position: LogPosition) -> bool {
    timeout(PATIENCE, shown(bus, position)).await.is_ok_and(|shown| shown.is_ok())
}

/// Waits until no view is behind `position`.
async fn shown(bus: &Bus, position: LogPosition) -> anyhow::Result<()> {
    loop {
        let views = ask(bus, Status).await?;
        let mut streams = views.iter().flat_map(|view| &view.streams);
        if !streams.any(|(stream, sequence, _)| *stream == position.stream && *sequence < position.sequence) {
            return Ok(());
        }
        sleep(LOOK_AGAIN_AFTER).await;
    }
}

/// Asks a question about the views.
pub(crate) async fn ask<Q: Question>(bus: &Bus, question: Q) -> anyhow::Result<Q::Answer> {
    let ask = Ask { at_least: Vec::new(), question };
    let reply: Reply<Q::Answer> = request(bus, &format!("flowtrail.query.{}", Q::PATH), &ask).await?;
    Ok(reply.answer)
}

/// Sends a request and reads its answer.
pub(crate) async fn request<T: DeserializeOwned>(
    bus: &Bus,
    subject: &str,
    request: &impl Serialize,
) -> anyhow::Result<T> {
    let request = serde_json::to_vec(request).context("write the request")?;
    match bus.ask(subject, Bytes::from(request), PATIENCE).await {
        Ok(answer) => serde_json::from_slice(&answer).context("read the answer"),
        Err(AskError::Refused { message, .. }) => bail!(message),
        Err(AskError::NobodyAnswers { .. }) => {
            bail!("nobody answers on this NATS server; is Flowtrail running (`flowtrail up`)?")
        }
        Err(error) => Err(error).context("ask the running Flowtrail"),
    }
}

/// The actor of what is done by command line: anybody who may publish to this NATS server.
pub(crate) fn operator() -> Actor {
    Actor { id: "operator".to_owned(), name: Some("flowtrail command line".to_owned()), email: None }
}
