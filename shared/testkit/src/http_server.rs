//! HTTP servers whose answers a test makes itself.

use std::net::{Ipv4Addr, SocketAddr};

use axum::Router;
use axum::extract::DefaultBodyLimit;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A server on loopback that takes requests of any size. It ends with its owner.
#[derive(Debug)]
pub struct HttpServer {
    /// On loopback, on a free port.
    pub address: SocketAddr,
    _task: JoinSet<()>,
}

impl HttpServer {
    /// Answers with `app` from now on.
    ///
    /// # Panics
    /// When there is no port left.
    pub async fn start(app: Router) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("find a port");
        let address = listener.local_addr().expect("have an address");
        let app = app.layer(DefaultBodyLimit::disable());
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, app).await.expect("serve") });
        Self { address, _task: task }
    }

    /// `http://`, its address and a path.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}
