//! The platforms, one module each, and what they share.

mod document;
mod generic_http;
mod http;
mod webhook;

pub use generic_http::GenericHttp;
