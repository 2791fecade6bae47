//! The read models: one module per view, each with its projection and the questions it answers.
//!
//! Invariants: a view is computed from events and nothing else, so it can be deleted and comes back from the log;
//! rows and checkpoints are written in one sled batch; the account is the first part of every key; NATS and HTTP
//! are deliberately unknown here. A new view is a module and a row of the list in `all`.

pub mod dump;
pub mod lists;
pub mod status;
pub mod store;

mod all;
mod canonical;
mod error;
mod exports;
mod key;
mod logged;
mod question;
mod slot;
mod view;
mod watch;

pub use all::*;
pub use error::Error;
pub use logged::{Draft, Drafts, Logged};
pub use question::{Ask, Asked, PATIENCE, Question, Reply, Unanswered, Views};
pub use slot::{Freshness, Observed, Slot};
pub use view::{Refused, View};
pub use watch::{Log, Seen, Watch};
