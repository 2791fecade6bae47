//! What every sink sends, to receivers that record it.

mod generic_http;
mod support;
