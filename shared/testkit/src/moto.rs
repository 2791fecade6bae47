//! Amazon's services, as moto stands in for them: it checks signatures and policies.

use serde_json::Value;

use crate::s3_reader;
use crate::stand_in::{StandIn, run_stand_in};
use crate::user::User;

/// moto with the buckets `logs`, `records` and `worm`, which has Object Lock, the delivery stream `events`, which writes into `records`, and users.
#[derive(Debug)]
pub struct Moto {
    /// `http://127.0.0.1:<port>`, for all services.
    pub url: String,
    /// May put objects and records.
    pub writer: User,
    /// May do neither.
    pub stranger: User,
    /// May put records: a proxy that passes a part of a request on must sign that part.
    pub proxy: User,
    /// May read what was put, and nothing else.
    reader: User,
    server: StandIn,
}

impl Moto {
    /// Starts it.
    ///
    /// # Panics
    /// Without the Python environment, or when it does not come up.
    pub async fn start() -> Self {
        let arguments = |port: u16| vec!["-H".into(), "127.0.0.1".into(), "-p".into(), port.to_string()];
        let server = StandIn::start("moto.server", arguments).await;
        let url = server.url();
        let said = run_stand_in("aws.py", &["setup", &url], String::new()).await;
        let users: Value = serde_json::from_str(&said).expect("it says JSON");
        let user = |name: &str| {
            let key = |key: &str| users[name][key].as_str().expect("every user has a key").to_owned();
            User { access_key: key("access_key"), secret_key: key("secret_key") }
        };
        let [writer, stranger, proxy, reader] = ["writer", "stranger", "proxy", "reader"].map(user);
        Self { url, writer, stranger, proxy, reader, server }
    }

    /// A line for each request: its method, path and status.
    ///
    /// # Panics
    /// When it cannot be read.
    #[must_use]
    pub fn log(&self) -> String {
        self.server.log()
    }

    /// Every object of a bucket, as the reader gets it: `key`, `kinds` (type and encoding), `text` and `lock`
    /// (mode and until when).
    ///
    /// # Panics
    /// When they cannot be read.
    pub async fn objects(&self, bucket: &str) -> Vec<Value> {
        s3_reader::objects(&self.url, bucket, &self.reader).await
    }
}
