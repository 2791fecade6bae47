//! The HTTP side: one folder per dialect, and one place each for who may come in, what is refused and how it is told.
//!
//! Invariants: a dialect only translates, it reads its own parameters, asks a view's question and renders the answer;
//! the account comes from the token and from nowhere else; storage is unknown here, and commands go over the bus.

mod access;
mod app;
mod describe;
mod dialects;
mod http;
mod lists;
mod openapi;
pub mod parsers;
mod render;
mod route;
mod router;
mod serve;
mod upstream;
mod witness;

pub use access::oidc;
pub use lists::cursor;
pub use router::{openapi, scopes_table};
pub use serve::{Error, Settings, serve, serve_metrics};
pub use upstream::reader::{ReadError, Reader};

#[cfg(test)]
mod tests;
