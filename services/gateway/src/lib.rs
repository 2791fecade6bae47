//! The HTTP side: one folder per dialect, and one place each for who may come in, what is refused and how it is told.
//!
//! Invariants: a dialect only translates, it reads its own parameters, asks a view's question and renders the answer;
//! the account comes from the token and from nowhere else; storage is unknown here, and commands go over the bus.

mod auth;
mod body;
mod commands;
pub mod cursor;
mod dialect;
mod frame;
mod freshness;
mod instavm;
mod json;
mod limits;
mod native;
mod netbird;
mod numbers;
pub mod oidc;
mod openapi;
pub mod parsers;
mod pieces;
mod query;
mod reader;
mod refused;
mod router;
mod server;
mod sign_in;
mod vrni;
mod witness;

pub use openapi::openapi;
pub use reader::{ReadError, Reader};
pub use router::{Gateway, router, scopes_table};
pub use server::{Error, Settings, serve, serve_metrics};
pub use witness::Witness;

#[cfg(test)]
mod tests;
