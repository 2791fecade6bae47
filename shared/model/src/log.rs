//! The log's coordinates: streams, positions in them, subjects and the tokens subjects are made of.

mod account;
mod position;
mod stream;
mod subject;
mod token;

pub use account::{AccountId, BadAccountId};
pub use position::{BadPosition, LogPosition};
pub use stream::{Stream, UnknownStream};
pub use subject::{BadSubject, Subject};
pub use token::token;
