//! What is behind the gateway: the views, and those who carry out commands.

pub(crate) mod commands;
pub(crate) mod reader;
