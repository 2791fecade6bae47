//! What a route says of itself, for the description of the API.

pub(crate) mod header;
pub(crate) mod operation;
pub(crate) mod page;
pub(crate) mod schema;

pub(crate) use self::header::Header;
pub(crate) use self::operation::{Operation, SchemaOf};
