//! The bus against a real nats-server with the shipped configuration.

mod ask;
mod batch;
mod consume;
mod deleted;
mod find;
mod keys;
mod load;
mod permissions;
mod publish;
mod reach;
mod snapshot;
mod streams;

use bus::{Access, Bus, Message, Options, Outgoing};
use bytes::Bytes;
use model::log::{AccountId, Subject};
use testkit::NatsServer;

/// A server with all streams, and a connection to it.
async fn started() -> (NatsServer, Bus) {
    let server = NatsServer::start().await;
    let bus = connected(&server.url(), "test").await;
    bus.ensure_streams().await.expect("make the streams");
    (server, bus)
}

async fn connected(url: &str, name: &str) -> Bus {
    let options = Options { url: url.to_owned(), access: Access::default(), name: name.to_owned() };
    Bus::connect(&options).await.expect("connect")
}

fn account() -> AccountId {
    AccountId::parse("main").expect("a good account id")
}

fn audit() -> Subject {
    Subject::audit(&account(), "test")
}

fn integration(id: u64) -> Subject {
    Subject::integration(&account(), id)
}

/// A message with an id, whose payload is its id.
fn message(subject: Subject, id: &str) -> Outgoing {
    Outgoing {
        subject,
        message_id: Some(id.to_owned()),
        headers: Vec::new(),
        payload: Bytes::copy_from_slice(id.as_bytes()),
        expected_last: None,
    }
}

fn after(expected_last: u64, message: Outgoing) -> Outgoing {
    Outgoing { expected_last: Some(expected_last), ..message }
}

/// The payloads, as text.
fn texts(messages: &[Message]) -> Vec<String> {
    messages.iter().map(|message| String::from_utf8_lossy(&message.payload).into_owned()).collect()
}
