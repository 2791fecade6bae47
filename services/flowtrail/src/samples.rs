//! The sample events of `up --demo`: real logs, see `samples/README.md`.

use std::fs;
use std::path::Path;

use anyhow::Context;
use bus::Bus;
use model::log::AccountId;

use crate::import::{self, Format, Options};

const SAMPLES: [(Format, &str, &[u8]); 3] = [
    (Format::ZeekConn, "zeek-conn-nashua.ndjson", include_bytes!("../samples/zeek-conn-nashua.ndjson")),
    (Format::ZeekConn, "zeek-conn-scranton.ndjson", include_bytes!("../samples/zeek-conn-scranton.ndjson")),
    (
        Format::AwsCloudtrail,
        "aws-cloudtrail-s3-exfiltration.ndjson",
        include_bytes!("../samples/aws-cloudtrail-s3-exfiltration.ndjson"),
    ),
];

/// Imports all samples into the account `main`. They are written to `<data>/samples` first, to be tried by hand.
pub(crate) async fn import(data_dir: &Path, bus: &Bus) -> anyhow::Result<()> {
    let directory = data_dir.join("samples");
    fs::create_dir_all(&directory).with_context(|| format!("make {}", directory.display()))?;
    for (format, name, bytes) in SAMPLES {
        let file = directory.join(name);
        fs::write(&file, bytes).with_context(|| format!("write {}", file.display()))?;
        let account = AccountId::parse("main")?;
        let options = Options { account, reporter: None, rejects: None };
        let summary = import::import(format, &[file], &options, bus).await?;
        tracing::info!(file = name, events = summary.events, "imported");
    }
    Ok(())
}
