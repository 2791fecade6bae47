//! What a backup says of itself: `manifest.json`.

use bus::SNAPSHOT_ORDER;
use model::time::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Changes when a Flowtrail that knows the earlier ones could not restore it.
const FORMAT: u32 = 1;

/// A backup.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct Manifest {
    format: u32,
    /// The version of Flowtrail that made it.
    flowtrail: String,
    /// The version of the nats-server that the snapshots are of: an older one may not read them.
    pub(crate) nats_server: String,
    /// When it was begun: all that was acknowledged before is in it.
    pub(crate) began: Timestamp,
    /// When all was read.
    ended: Timestamp,
    /// What tells the master key that the log's secrets are sealed with from others; none: the log knew none yet.
    pub(crate) master_key: Option<String>,
    /// In the order in which they were read.
    pub(crate) streams: Vec<StreamFile>,
}

/// One stream, in a file of its own.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub(crate) struct StreamFile {
    /// The stream's name.
    pub(crate) name: String,
    /// Bytes of the file.
    pub(crate) length: u64,
    /// Of the file, in hexadecimal.
    pub(crate) sha256: String,
    /// The stream's configuration, in the server's own terms.
    pub(crate) configuration: Value,
    /// What it held, in the same terms: `messages`, `bytes`, `first_seq`, `last_seq` and more.
    pub(crate) state: Value,
}

impl Manifest {
    /// That of a backup of `streams` that this Flowtrail has made of a server of a version.
    pub(crate) fn new(
        nats_server: String,
        (began, ended): (Timestamp, Timestamp),
        master_key: Option<String>,
        streams: Vec<StreamFile>,
    ) -> Self {
        let flowtrail = runtime::process::VERSION.to_owned();
        Self { format: FORMAT, flowtrail, nats_server, began, ended, master_key, streams }
    }

    /// Reads what [`Manifest::write`] wrote.
    ///
    /// # Errors
    /// With the reason why it is none.
    pub(crate) fn read(text: &[u8]) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Format {
            format: u32,
        }
        let Format { format } = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        if format != FORMAT {
            return Err(format!("format {format} is of another Flowtrail; this one reads {FORMAT}"));
        }
        let manifest: Self = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let names: Vec<&str> = manifest.streams.iter().map(|stream| stream.name.as_str()).collect();
        if names != SNAPSHOT_ORDER {
            return Err(format!("its streams are {}, and not {}", names.join(", "), SNAPSHOT_ORDER.join(", ")));
        }
        Ok(manifest)
    }

    /// As it stands in the file.
    ///
    /// # Errors
    /// When it cannot be written as JSON.
    pub(crate) fn write(&self) -> serde_json::Result<String> {
        Ok(serde_json::to_string_pretty(self)? + "\n")
    }
}

impl StreamFile {
    /// What the file of a stream is called.
    pub(crate) fn name_of(stream: &str) -> String {
        format!("{stream}.snapshot")
    }

    /// How many messages the stream held.
    pub(crate) fn messages(&self) -> u64 {
        self.state["messages"].as_u64().unwrap_or_default()
    }

    /// The last sequence that it had given out.
    pub(crate) fn last_sequence(&self) -> u64 {
        self.state["last_seq"].as_u64().unwrap_or_default()
    }
}
