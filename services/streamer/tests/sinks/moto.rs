//! Amazon's services, as moto stands in for them.

use serde::Deserialize;
use serde_json::Value;

use crate::standin::{StandIn, run};

/// moto with a bucket, a delivery stream and users; it checks signatures and policies.
pub(crate) struct Moto {
    pub(crate) url: String,
    /// May put objects and records.
    pub(crate) writer: User,
    /// May do neither.
    pub(crate) stranger: User,
    reader: User,
    _server: StandIn,
}

#[derive(Clone, Deserialize)]
pub(crate) struct User {
    pub(crate) access_key: String,
    pub(crate) secret_key: String,
}

#[derive(Deserialize)]
struct Users {
    writer: User,
    stranger: User,
    reader: User,
}

impl Moto {
    pub(crate) async fn start() -> Self {
        let arguments = |port: u16| vec!["-H".into(), "127.0.0.1".into(), "-p".into(), port.to_string()];
        let server = StandIn::start("moto.server", arguments).await;
        let url = format!("http://{}", server.address);
        let users = run("aws.py", &["setup", &url], String::new()).await;
        let Users { writer, stranger, reader } = serde_json::from_str(&users).unwrap();
        Self { url, writer, stranger, reader, _server: server }
    }

    /// Every object of a bucket: `key`, `kinds` (type and encoding), `text` and `bytes` (hexadecimal).
    pub(crate) async fn objects(&self, bucket: &str) -> Vec<Value> {
        let User { access_key, secret_key } = &self.reader;
        let objects = run("aws.py", &["objects", &self.url, bucket, access_key, secret_key], String::new()).await;
        serde_json::from_str(&objects).unwrap()
    }
}
