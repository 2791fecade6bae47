//! What is behind the gateway: the views, the service that carries out commands, the streamer, and the log itself.
//!
//! Each is reached here and nowhere else, and what can go wrong on the way is put into words for the client here.

pub(crate) mod commands;
pub(crate) mod dead_letters;
pub(crate) mod follow;
pub(crate) mod publisher;
pub(crate) mod reader;
pub(crate) mod readiness;
pub(crate) mod streamer;
