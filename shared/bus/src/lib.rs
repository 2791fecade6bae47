//! NATS and only NATS: connect, ensure the streams, publish, consume, load, ask and answer, keep keys.
//!
//! Invariants: payloads are opaque bytes here; every wait on the network is bounded, but for a [`Consumer`]'s wait for
//! the next message; a lost connection comes back by itself, and until then calls answer "unreachable" soon.

mod answer;
mod ask;
mod batch;
mod connect;
mod consume;
mod damage;
mod erase;
mod error;
mod find;
mod keys;
mod link;
mod load;
mod message;
mod parts;
mod publish;
mod publisher;
mod restore;
mod restored;
mod retention;
mod snapshot;
mod streams;

pub use answer::{AnswerError, Answering, Endpoint, Refusal, ServiceInfo};
pub use ask::AskError;
pub use connect::{Access, Bus, ConnectError, Options};
pub use consume::{ConsumeError, Consumer, Selection};
pub use damage::Damage;
pub use error::Cause;
pub use keys::{KEYS_STREAM, KeyError, Keys};
pub use load::{LoadError, StreamState};
pub use message::Message;
pub use publish::{Outgoing, PublishError, Receipt};
pub use publisher::{Published, Publisher};
pub use restore::Restoring;
pub use retention::Retention;
pub use snapshot::{SNAPSHOT_ORDER, Snapshot, TransferError};
pub use streams::StreamError;
