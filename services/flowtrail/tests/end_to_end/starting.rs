//! Starting and stopping: what cannot work is one clear line and a non-zero exit.

use std::net::TcpListener;
use std::path::Path;

use serde_json::Value;
use testkit::{NatsServer, free_port};

use crate::flowtrail::{Flowtrail, Topology, UNLIMITED, flowtrail};

/// The line that a start which must fail ends with.
fn refusal(data: &Path, arguments: &[&str]) -> String {
    let output = flowtrail(data).arg("up").args(["--listen", "127.0.0.1:0"]).args(arguments).output().unwrap();
    assert!(!output.status.success());
    let errors = String::from_utf8(output.stderr).unwrap();
    let line = errors.lines().find(|line| line.starts_with("error: "));
    line.unwrap_or_else(|| panic!("no clear line in {errors}")).to_owned()
}

#[test]
fn a_taken_port_is_named_with_the_ways_out() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let data = tempfile::tempdir().unwrap();
    let line = refusal(data.path(), &["--nats-port", &port]);
    assert!(line.contains(&format!("port {port} is taken")) && line.contains("FLOWTRAIL_NATS_PORT"), "{line}");
}

#[test]
fn a_missing_nats_server_is_named_with_the_ways_out() {
    let data = tempfile::tempdir().unwrap();
    let line = refusal(data.path(), &["--nats-server", "/nowhere/nats-server"]);
    assert!(line.contains("no nats-server found") && line.contains("FLOWTRAIL_NATS_URL"), "{line}");
}

#[cfg(unix)]
#[test]
fn a_nats_server_that_is_too_old_or_ends_at_once_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let data = tempfile::tempdir().unwrap();
    let program = data.path().join("nats-server");
    let pretend = |script: &str| {
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let port = free_port().to_string();
        refusal(data.path(), &["--nats-server", program.to_str().unwrap(), "--nats-port", &port])
    };
    let line = pretend("echo nats-server: v2.10.26");
    assert!(line.contains("is version 2.10.26; Flowtrail needs 2.14.0 or newer"), "{line}");
    // What a server without room for its store does.
    let full = "if [ \"$1\" = --version ]; then echo nats-server: v2.15.1; exit; fi
        while [ $# -gt 0 ]; do if [ \"$1\" = --log ]; then echo '[FTL] no space left on device' > \"$2\"; fi; shift; done
        exit 1";
    let line = pretend(full);
    assert!(line.contains("ended at once") && line.contains("no space left on device"), "{line}");
}

#[test]
fn nobody_at_the_given_nats_url_is_one_clear_line() {
    let data = tempfile::tempdir().unwrap();
    let url = format!("nats://127.0.0.1:{}", free_port());
    let line = refusal(data.path(), &["--nats-url", &url]);
    assert!(line.contains(&format!("connect to nats at {url}")), "{line}");
}

#[tokio::test]
async fn a_role_that_cannot_go_on_ends_its_process_with_the_reason() {
    // Nobody has made the streams.
    let server = NatsServer::start().await;
    let data = tempfile::tempdir().unwrap();
    let mut command = flowtrail(data.path());
    command.args(["run", "--roles", "gateway", "--listen", "127.0.0.1:0", "--nats-url", &server.url()]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let errors = String::from_utf8(output.stderr).unwrap();
    assert!(errors.contains("error: serve HTTP: get the key that signs cursors"), "{errors}");
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_in_use_is_left_alone_and_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let mode = std::fs::metadata(flowtrail.data()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o700, "{mode:o}");
    let server = std::fs::read_to_string(flowtrail.data().join("nats/server.pid")).unwrap();
    let line = refusal(&flowtrail.data(), &["--nats-port", &free_port().to_string()]);
    assert!(line.contains("already runs on") && line.contains("(pid "), "{line}");
    assert_eq!(std::fs::read_to_string(flowtrail.data().join("nats/server.pid")).unwrap(), server);
    flowtrail.get("/api/events/audit").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_second_starts_on_its_folder_cost_the_first_no_request() {
    const STARTS: usize = 100;
    let flowtrail = Flowtrail::start_with(Topology::Together, UNLIMITED).await;
    let starting = std::sync::atomic::AtomicBool::new(true);
    let publishing = async {
        let mut published = 0;
        while starting.load(std::sync::atomic::Ordering::Relaxed) {
            let event = serde_json::json!({ "id": format!("e{published}"), "event_type": "door.open" });
            let answer = flowtrail.request("POST", "/api/events/audit").json(&event).send().await.unwrap();
            assert_eq!(answer.status(), 202);
            published += 1;
        }
        published
    };
    let data = flowtrail.data();
    let starts = tokio::task::spawn_blocking(move || {
        for _ in 0..STARTS {
            let line = refusal(&data, &[]);
            assert!(line.contains("already runs on"), "{line}");
        }
    });
    let started = async {
        starts.await.unwrap();
        starting.store(false, std::sync::atomic::Ordering::Relaxed);
    };
    let (published, ()) = tokio::join!(publishing, started);
    assert!(published > 0);
    let dump = flowtrail.succeed(["dump", "audit"]);
    assert_eq!(dump.matches(r#""id":"e"#).count(), published);
}

/// The permissions of a file.
#[cfg(unix)]
fn mode(path: &Path) -> u32 {
    std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(path).unwrap().permissions()) & 0o777
}

#[cfg(unix)]
#[tokio::test]
async fn nobody_without_its_password_uses_the_own_nats_server() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let (user, server) = flowtrail.nats_url.strip_prefix("nats://").unwrap().split_once('@').unwrap();
    let (name, password) = user.split_once(':').unwrap();
    let nobody = async_nats::ConnectOptions::new();
    let other = async_nats::ConnectOptions::with_user_and_password(name.to_owned(), password.replace('a', "b"));
    for options in [nobody, other] {
        let refused = options.connect(server).await.unwrap_err();
        assert_eq!(refused.kind(), async_nats::ConnectErrorKind::AuthorizationViolation, "{refused}");
    }
    for file in ["nats.url", "nats/server.conf"] {
        assert_eq!(mode(&flowtrail.data().join(file)), 0o600, "{file}");
    }
    let pid = std::fs::read_to_string(flowtrail.data().join("nats/server.pid")).unwrap();
    let arguments = std::fs::read(format!("/proc/{}/cmdline", pid.trim())).unwrap();
    let arguments = String::from_utf8(arguments).unwrap();
    assert!(
        arguments.contains("server.conf") && !arguments.contains(password) && !arguments.contains("$2"),
        "{arguments}"
    );
    // The command line finds it by the folder.
    assert!(flowtrail.succeed(["status"]).contains("audit"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_data_folder_of_an_older_version_gets_a_password_and_keeps_it() {
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    let event = serde_json::json!({"id": "e1", "event_type": "door.open"});
    flowtrail.request("POST", "/api/events/audit").json(&event).send().await.unwrap().error_for_status().unwrap();
    flowtrail.stop();
    let url = flowtrail.data().join("nats.url");
    std::fs::remove_file(&url).unwrap();
    let before = flowtrail.nats_url.clone();
    flowtrail.start_processes();
    assert_ne!(flowtrail.nats_url, before);
    assert_eq!(flowtrail.get("/api/events/audit?activity_code=door.open").await.as_array().unwrap().len(), 1);
    let made = flowtrail.nats_url.clone();
    flowtrail.stop();
    flowtrail.start_processes();
    assert_eq!(flowtrail.nats_url, made);
}

#[test]
fn an_unknown_setting_is_warned_of_with_the_one_that_was_meant() {
    let data = tempfile::tempdir().unwrap();
    let mut command = flowtrail(data.path());
    command.env("FLOWTRAIL_AUDT_READS", "false").env("FLOWTRAIL_SERVICE_HOST", "10.0.0.1");
    let output = command.args(["up", "--nats-server", "/nowhere/nats-server"]).output().unwrap();
    let errors = String::from_utf8(output.stderr).unwrap();
    let warned: Vec<&str> = errors.lines().filter(|line| line.contains("WARN")).collect();
    assert_eq!(warned.len(), 1, "{errors}");
    assert!(
        warned[0].ends_with("FLOWTRAIL_AUDT_READS is no setting and changes nothing: is FLOWTRAIL_AUDIT_READS meant?")
    );
}

#[test]
fn settings_in_a_file_count_after_the_environment_and_flags_and_are_shown_with_their_origin() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("flowtrail.toml");
    let text = "cache_mb = 64\nrate-reads = 7\nrate_writes = 8\nbootstrap_token = \"ft_secret\"\nlisten_on = \"x\"\n";
    std::fs::write(&file, text).unwrap();
    let mut command = flowtrail(directory.path());
    command.env("FLOWTRAIL_CONFIG", &file).env("FLOWTRAIL_RATE_READS", "9");
    let output = command.args(["config", "--json", "--rate-writes", "10"]).output().unwrap();
    let (told, warned) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{warned}");
    let shown: Vec<Value> = told.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let is = |setting: &str| {
        let found = shown.iter().find(|shown| shown["setting"] == setting).unwrap();
        (found["value"].as_str(), found["origin"].as_str().unwrap())
    };
    let of_file = file.to_str().unwrap();
    assert_eq!(is("FLOWTRAIL_CACHE_MB"), (Some("64"), of_file));
    assert_eq!(is("FLOWTRAIL_RATE_READS"), (Some("9"), "the environment"));
    assert_eq!(is("FLOWTRAIL_RATE_WRITES"), (Some("10"), "the command line"));
    assert_eq!(is("FLOWTRAIL_LISTEN"), (Some("127.0.0.1:8080"), "default"));
    assert_eq!(is("FLOWTRAIL_TLS_KEY"), (None, "not set"));
    assert_eq!(is("FLOWTRAIL_BOOTSTRAP_TOKEN"), (Some("****"), of_file));
    assert!(!told.contains("ft_secret"));
    assert!(warned.contains("listen_on in ") && warned.contains("is no setting and changes nothing"), "{warned}");

    // For people, a line each; and what is wrong is one line, that names the file.
    let mut command = flowtrail(directory.path());
    let output = command.env("FLOWTRAIL_CONFIG", &file).arg("config").output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().lines().any(|line| line.starts_with("FLOWTRAIL_CACHE_MB  ")));
    std::fs::write(&file, "cache_mb = \"lots\"\n").unwrap();
    let output = flowtrail(directory.path()).env("FLOWTRAIL_CONFIG", &file).arg("up").output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.lines().count()), (Some(2), 1), "{said}");
    let expected = format!("error: FLOWTRAIL_CACHE_MB = \"lots\" ({of_file}) cannot be used: ");
    assert!(said.starts_with(&expected), "{said}");
}

#[tokio::test]
async fn a_master_key_that_is_missing_beside_secrets_is_no_reason_for_a_new_one() {
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    let integration = serde_json::json!({
        "platform": "datadog", "config": { "api_key": "k", "site": "datadoghq.com" }, "enabled": false
    });
    let answer = flowtrail.request("POST", "/api/event-streaming").json(&integration).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    flowtrail.stop();
    let (key, kept) = (flowtrail.data().join("master.key"), flowtrail.data().join("kept"));
    std::fs::rename(&key, &kept).unwrap();
    let line = refusal(&flowtrail.data(), &["--nats-port", &free_port().to_string()]);
    assert!(line.contains("master.key is missing") && line.contains("FLOWTRAIL_MASTER_KEY_FILE"), "{line}");
    assert!(!key.exists());
    std::fs::rename(&kept, &key).unwrap();
    flowtrail.start_processes();
    flowtrail.get("/api/event-streaming/1").await;
}

#[tokio::test]
async fn another_master_key_is_refused_and_with_the_right_one_it_goes_on() {
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    let integration = serde_json::json!({
        "platform": "datadog", "config": { "api_key": "k", "site": "datadoghq.com" }, "enabled": false
    });
    let answer = flowtrail.request("POST", "/api/event-streaming").json(&integration).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let (key, kept) = (flowtrail.data().join("master.key"), flowtrail.data().join("kept"));
    for is_of_an_older_version in [false, true] {
        if is_of_an_older_version {
            // That one left no fingerprint, but there is a key that only the right master key opens.
            flowtrail.start_processes();
            let context = async_nats::jetstream::new(flowtrail.nats().await);
            let bucket = context.get_stream("KV_FLOWTRAIL_KEYS").await.unwrap();
            bucket.purge().filter("$KV.FLOWTRAIL_KEYS.master-fingerprint").await.unwrap();
        }
        flowtrail.stop();
        std::fs::rename(&key, &kept).unwrap();
        std::fs::write(&key, "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n").unwrap();
        let line = refusal(&flowtrail.data(), &["--nats-port", &free_port().to_string()]);
        let told = "is another master key than the one that secrets in the log are sealed with";
        assert_eq!(line, format!("error: FLOWTRAIL_MASTER_KEY_FILE cannot be used: {} {told}", key.display()));
        std::fs::rename(&kept, &key).unwrap();
    }
    flowtrail.start_processes();
    flowtrail.get("/api/event-streaming/1").await;
}

#[tokio::test]
async fn a_first_token_that_comes_too_late_is_warned_of_and_the_same_one_again_is_not() {
    let mut flowtrail =
        Flowtrail::start_with(Topology::Together, &[("FLOWTRAIL_BOOTSTRAP_TOKEN", "the-first-one")]).await;
    let warnings = |flowtrail: &Flowtrail| {
        let logs = std::fs::read_to_string(flowtrail.logs()).unwrap();
        logs.lines()
            .filter(|line| line.contains("WARN") && line.contains("FLOWTRAIL_BOOTSTRAP_TOKEN changes nothing"))
            .count()
    };
    assert_eq!(flowtrail.token, "the-first-one");
    flowtrail.stop();
    flowtrail.start_processes();
    assert_eq!(warnings(&flowtrail), 0);
    flowtrail.stop();
    std::fs::write(flowtrail.data().join("admin.token"), "another-one\n").unwrap();
    flowtrail.start_processes();
    assert_eq!(warnings(&flowtrail), 1);
    flowtrail.get("/api/events/audit").await;
}

#[tokio::test]
async fn it_stops_on_sigterm_and_starts_again_with_everything() {
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    let event = serde_json::json!({"id": "e1", "event_type": "door.open"});
    let answer = flowtrail.request("POST", "/api/events/audit").json(&event).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    flowtrail.stop();
    assert!(!flowtrail.data().join("nats/server.pid").exists(), "the own nats-server ended with it");
    flowtrail.start_processes();
    assert_eq!(flowtrail.get("/api/events/audit?activity_code=door.open").await.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_nats_server_left_behind_by_a_killed_run_is_replaced() {
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    flowtrail.kill_ourselves_only();
    flowtrail.start_processes();
    flowtrail.get("/api/events/audit").await;
}

#[tokio::test]
async fn lists_are_objects_for_programs_and_hold_no_hashes() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    for (command, member) in [
        (["account", "list"].as_slice(), "created_at"),
        (&["user", "list"], "email"),
        (&["token", "list"], "scopes"),
        (&["status"], "bytes_on_disk"),
        (&["retention"], "max_age_seconds"),
    ] {
        let told = flowtrail.succeed([command, &["--json"]].concat());
        assert!(!told.is_empty() && !told.contains("hash") && !told.contains("argon2"), "{told}");
        for line in told.lines() {
            let object: Value = serde_json::from_str(line).unwrap();
            assert!(!object[member].is_null(), "{line}");
        }
    }
}

#[test]
fn shells_and_man_know_every_command() {
    let directory = tempfile::tempdir().unwrap();
    let script = flowtrail(directory.path()).args(["completions", "bash"]).output().unwrap();
    let script = String::from_utf8(script.stdout).unwrap();
    let pages = directory.path().join("man");
    let written = flowtrail(directory.path()).arg("man").arg("--write").arg(&pages).output().unwrap();
    assert!(written.status.success());
    for command in ["up", "import", "query", "retention", "redrive"] {
        assert!(
            script.contains(&format!("flowtrail__subcmd__{command}"))
                || script.contains(&format!("flowtrail__{command}")),
            "{command}"
        );
        assert!(
            std::fs::read_to_string(pages.join(format!("flowtrail-{command}.1"))).unwrap().contains(".SH"),
            "{command}"
        );
    }
}
