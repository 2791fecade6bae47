//! The ports that a system under measurement listens on.

use std::net::TcpListener;

use anyhow::Context;

/// Where a system listens, on loopback.
pub(crate) struct Ports {
    pub(crate) http: u16,
    pub(crate) nats: u16,
}

impl Ports {
    /// Two that nothing listens on now.
    ///
    /// # Errors
    /// When the machine has none left.
    pub(crate) fn free() -> anyhow::Result<Self> {
        let bound = || TcpListener::bind("127.0.0.1:0").context("find a free port");
        // Both are held until both are known, so that they differ.
        let (http, nats) = (bound()?, bound()?);
        Ok(Self { http: http.local_addr()?.port(), nats: nats.local_addr()?.port() })
    }
}
