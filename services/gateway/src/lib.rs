//! The HTTP side: one folder per dialect, and one place each for who may come in, what is refused and how it is told.
//!
//! Invariants: a dialect only translates, it reads its own parameters, asks a view's question and renders the answer;
//! the account comes from the token and from nowhere else; storage is unknown here, and commands go over the bus.

mod access;
mod describe;
mod dialects;
mod http;
mod lists;
mod openapi;
pub mod parsers;
mod render;
mod router;
mod upstream;
mod witness;

pub use access::oidc;
pub use http::server::{Error, Settings, serve, serve_metrics};
pub use lists::cursor;
pub use openapi::openapi;
pub use router::{Gateway, router, scopes_table};
pub use upstream::reader::{ReadError, Reader};
pub use witness::Witness;

#[cfg(test)]
mod tests;
