//! Settings are read again at SIGHUP, while the servers run.

use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};
use testkit::eventually;

use crate::flowtrail::{Flowtrail, Topology};

struct Settings(PathBuf);

impl Settings {
    fn below(directory: &Path) -> Self {
        let settings = Self(directory.join("flowtrail.toml"));
        settings.say("rate_reads = 0\naudit_reads = false\n");
        settings
    }

    fn say(&self, text: &str) {
        std::fs::write(&self.0, text).unwrap();
    }
}

/// Tells the process to read its settings again, and waits until it has said something.
async fn reload(flowtrail: &Flowtrail, said: &str) -> Vec<String> {
    let read = || std::fs::read_to_string(flowtrail.logs()).unwrap();
    let before = read().lines().count();
    kill_process(Pid::from_raw(flowtrail.id().cast_signed()).unwrap(), Signal::HUP).unwrap();
    eventually(said, async || {
        let lines: Vec<String> = read().lines().skip(before).map(str::to_owned).collect();
        lines.iter().any(|line| line.contains(said)).then_some(lines)
    })
    .await
}

const DONE: &str = "the settings were read again";

async fn allowed_origin(flowtrail: &Flowtrail, origin: &str) -> Option<String> {
    let answer = flowtrail.request("GET", "/healthz").header("Origin", origin).send().await.unwrap();
    answer.headers().get("access-control-allow-origin").map(|value| value.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn what_can_change_holds_at_once_and_the_rest_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let settings = Settings::below(directory.path());
    let mut flowtrail =
        Flowtrail::start_with(Topology::Together, &[("FLOWTRAIL_CONFIG", settings.0.to_str().unwrap())]).await;
    let reads = async || flowtrail.request("GET", "/api/events/audit?limit=1").send().await.unwrap().status().as_u16();
    for _ in 0..5 {
        assert_eq!(reads().await, 200);
    }
    assert_eq!(allowed_origin(&flowtrail, "https://a.example").await.as_deref(), Some("*"));

    settings.say("rate_reads = 1\ncors_origins = \"https://b.example\"\nlog = \"debug\"\ncache_mb = 64\nlisten = \"127.0.0.1:1\"\n");
    let lines = reload(&flowtrail, DONE).await;
    for (line, level) in [
        ("FLOWTRAIL_RATE_READS: holds from now on", "INFO"),
        ("FLOWTRAIL_CORS_ORIGINS: holds from now on", "INFO"),
        ("FLOWTRAIL_LOG: holds from now on", "INFO"),
        ("FLOWTRAIL_CACHE_MB: takes effect at the next start", "WARN"),
    ] {
        assert!(lines.iter().any(|said| said.contains(line) && said.contains(level)), "{line}: {lines:?}");
    }
    // A flag says where it listens, and counts more than the file.
    assert!(!lines.iter().any(|said| said.contains("FLOWTRAIL_LISTEN")), "{lines:?}");
    let mut statuses = Vec::new();
    for _ in 0..9 {
        statuses.push(reads().await);
    }
    assert!(statuses.contains(&429), "two at once, then one a second: {statuses:?}");
    assert_eq!(allowed_origin(&flowtrail, "https://a.example").await, None);
    assert_eq!(allowed_origin(&flowtrail, "https://b.example").await.as_deref(), Some("https://b.example"));
    eventually("more is logged", async || {
        std::fs::read_to_string(flowtrail.logs()).unwrap().contains("DEBUG").then_some(())
    })
    .await;

    // A mistake changes nothing, not even what is right next to it.
    for (text, told) in [
        ("rate_reads = 0\ncache_mb = \"lots\"\n", "FLOWTRAIL_CACHE_MB = "),
        ("rate_reads = 0\ncors_origins = \"dash\"\n", "FLOWTRAIL_CORS_ORIGINS"),
        ("rate_reads = 0\nlog = \"=,=\"\n", "read the log filter"),
        ("rate_reads = = 0\n", "line 1"),
    ] {
        settings.say(text);
        let lines = reload(&flowtrail, "the settings stay as they were").await;
        let line = lines.iter().find(|line| line.contains("the settings stay as they were")).unwrap();
        assert!(line.contains("ERROR") && line.contains(told), "{line}");
        assert_eq!(allowed_origin(&flowtrail, "https://a.example").await, None);
    }
    // What the file does not say any more is as it always is.
    settings.say("");
    reload(&flowtrail, DONE).await;
    assert_eq!(allowed_origin(&flowtrail, "https://a.example").await.as_deref(), Some("*"));
    flowtrail.stop();
}

#[tokio::test]
async fn without_a_file_and_without_tls_a_server_goes_on() {
    let mut flowtrail = Flowtrail::start(Topology::Split).await;
    // The first process has no gateway.
    reload(&flowtrail, DONE).await;
    flowtrail.get("/api/events/audit?limit=1").await;
    flowtrail.stop();
}
