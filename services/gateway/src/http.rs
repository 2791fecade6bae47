//! The wire: connections, bodies, what every answer has, and which dialect a path speaks.

pub(crate) mod at_once;
pub(crate) mod body;
pub(crate) mod budget;
pub(crate) mod cors;
pub(crate) mod dialect;
pub(crate) mod frame;
pub(crate) mod freshness;
pub(crate) mod ignored;
pub(crate) mod metrics;
pub(crate) mod off_thread;
pub(crate) mod origin;
pub(crate) mod proxies;
pub(crate) mod server;
pub(crate) mod tls;
