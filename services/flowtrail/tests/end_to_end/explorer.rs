//! The explorer in a real Chromium: what people do on the page, done by `tests/browser/explorer.mjs`, part by part.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::json;

use crate::flowtrail::{Flowtrail, Topology, not_run};

/// Walks through some parts, with a Flowtrail of their own, and prints what was seen.
#[expect(clippy::print_stdout, reason = "sizes and times are for who reads the log of the tests")]
async fn walk(parts: &[&str]) {
    let Some(packages) = std::env::var_os("FLOWTRAIL_TEST_BROWSER").filter(|packages| !packages.is_empty()) else {
        return not_run("there is no Chromium: .ci/install-browser says why");
    };
    if !gateway::HAS_PAGE {
        return not_run("this was built without its page: .ci/install-explorer says why");
    }
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/explorer.mjs");
    let mut command = Command::new("node");
    command.arg(script).args(parts).env("FLOWTRAIL_TEST_BROWSER", packages);
    let mut walk = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let password = std::fs::read_to_string(flowtrail.data().join("admin.password")).unwrap();
    let told = json!({ "url": flowtrail.url, "token": flowtrail.token, "password": password.trim() });
    walk.stdin.take().unwrap().write_all(told.to_string().as_bytes()).unwrap();
    let output = walk.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    println!("{}", String::from_utf8_lossy(&output.stdout));
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_signs_in_and_out() {
    walk(&["guards", "session"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_filter_is_typed_clicked_and_drawn() {
    walk(&["filter", "histogram"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_is_opened_and_its_link_shows_the_same_to_another() {
    walk(&["rows"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_appears_while_it_is_live() {
    walk(&["live"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_is_taken_away_and_kept_as_a_search() {
    walk(&["exporting", "searches"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_events_hold_is_text() {
    walk(&["hostile"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_alone_are_enough() {
    walk(&["keyboard"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_integration_is_made_steered_and_deleted() {
    walk(&["streaming"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_page_is_accessible_in_light_and_dark_wide_and_narrow() {
    walk(&["accessible"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn it_is_light() {
    walk(&["weight"]).await;
}
