//! Another S3, in Node: it keeps objects as files, and takes no condition on a write into account.

use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use crate::stand_in::StandIn;

/// s3rver with the bucket `logs`.
#[derive(Debug)]
pub struct S3rver {
    server: StandIn,
    _folder: TempDir,
}

impl S3rver {
    /// The one pair of keys that it knows.
    pub const KEYS: [&str; 2] = ["S3RVER", "S3RVER"];

    /// Starts it. None where Node's packages cannot be had.
    ///
    /// # Panics
    /// When it does not come up.
    pub async fn start() -> Option<Self> {
        let modules = std::env::var_os("FLOWTRAIL_TEST_S3RVER").filter(|path| !path.is_empty())?;
        let program = PathBuf::from(modules).join("s3rver/bin/s3rver.js");
        let folder = tempfile::tempdir().expect("make a folder");
        let command = |port: u16| {
            let mut command = Command::new("node");
            command.arg(&program).arg("-d").arg(folder.path());
            command.args(["-a", "127.0.0.1", "-p", &port.to_string(), "--no-vhost-buckets"]);
            command.args(["--configure-bucket", "logs"]);
            command
        };
        Some(Self { server: StandIn::start_command(command).await, _folder: folder })
    }

    /// `http://127.0.0.1:<port>`.
    #[must_use]
    pub fn url(&self) -> String {
        self.server.url()
    }
}
