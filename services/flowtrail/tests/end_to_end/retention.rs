//! How much the log keeps is shown and changed, and nothing is forgotten unasked.

use serde_json::json;

use crate::flowtrail::{Flowtrail, Topology};

/// The cells of a stream's line.
fn cells<'a>(shown: &'a str, stream: &str) -> Vec<&'a str> {
    let line = shown.lines().find(|line| line.starts_with(stream)).unwrap_or_else(|| panic!("{stream} in {shown}"));
    line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect()
}

#[tokio::test]
async fn what_the_log_keeps_is_shown_and_changed_and_less_wants_a_yes() {
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    for number in 0..3 {
        let event = json!({ "id": format!("e{number}"), "event_type": "door.open" });
        let answer = flowtrail.request("POST", "/api/events/audit").json(&event).send().await.unwrap();
        assert_eq!(answer.status(), 202);
    }
    let shown = flowtrail.succeed(["retention"]);
    let [_, messages, size, _, age, bytes, reached] = cells(&shown, "audit")[..] else { panic!("{shown}") };
    assert!(messages.parse::<u64>().unwrap() >= 3, "{shown}");
    assert!(size.ends_with("KiB") || size.ends_with('B'), "{shown}");
    assert_eq!((age, bytes), ("400 days", "unlimited"), "{shown}");
    assert!(reached.starts_with("20") && reached.ends_with('Z'), "{shown}");
    assert_eq!(cells(&shown, "dead-letters")[1..3], ["0", "0 B"], "{shown}");

    // More needs no word. Less does, and says what it would cost.
    flowtrail.succeed(["retention", "audit", "--age", "2555days"]);
    tokio::time::sleep(std::time::Duration::from_millis(1100)).await;
    let fails = |flowtrail: &Flowtrail, arguments: &[&str]| {
        let output = flowtrail.run(arguments);
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, said) = fails(&flowtrail, &["retention", "audit", "--age", "1s"]);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("would forget") && said.contains("for good; add --yes"), "{said}");
    assert!(flowtrail.succeed(["retention", "audit"]).contains("2555 days"));
    let (_, said) = fails(&flowtrail, &["retention", "audit", "--bytes", "10B"]);
    assert!(said.contains("refuse new ones"), "{said}");
    let (code, said) = fails(&flowtrail, &["retention", "--age", "1d"]);
    assert_eq!(code, Some(2), "{said}");

    // It is the stream's, so that it is as it was after the next start.
    flowtrail.succeed(["retention", "traffic", "--age", "30s", "--bytes", "1GiB", "--yes"]);
    flowtrail.stop();
    flowtrail.start_processes();
    let shown = flowtrail.succeed(["retention", "traffic"]);
    assert_eq!(cells(&shown, "traffic")[3..], ["-", "30s", "1.0 GiB", "-"], "{shown}");
    assert!(!shown.contains("audit"), "{shown}");
    flowtrail.succeed(["retention", "traffic", "--age", "unlimited", "--bytes", "unlimited"]);
    let shown = flowtrail.succeed(["retention", "traffic"]);
    assert_eq!(cells(&shown, "traffic")[4..6], ["unlimited", "unlimited"], "{shown}");

    // What is too old is gone.
    flowtrail.succeed(["retention", "audit", "--age", "1s", "--yes"]);
    testkit::eventually("the log has forgotten", async || {
        (cells(&flowtrail.succeed(["retention", "audit"]), "audit")[1] == "0").then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_full_log_is_counted_and_said_and_how_full_it_is_can_be_watched() {
    let settings = [("FLOWTRAIL_AUDIT_READS", "false"), ("FLOWTRAIL_METRICS_LISTEN", "127.0.0.1:0")];
    let flowtrail = Flowtrail::start_with(Topology::Together, &settings).await;
    let post = async |id: &str| {
        let event = serde_json::json!({ "id": id, "event_type": "door.open" });
        flowtrail.request("POST", "/api/events/audit").json(&event).send().await.unwrap()
    };
    assert_eq!(post("first").await.status(), 202);
    let scraped = async || {
        let url = flowtrail.metrics_urls().next().unwrap().to_owned();
        reqwest::get(url).await.unwrap().text().await.unwrap()
    };
    let before = scraped().await;
    assert!(before.contains("flowtrail_ingest_log_full_total 0"), "{before}");
    assert!(!before.contains(r#"flowtrail_stream_limit_bytes{stream="FLOWTRAIL_AUDIT"}"#), "{before}");
    flowtrail.succeed(["retention", "audit", "--bytes", "10B", "--yes"]);
    let refused = post("second").await;
    assert_eq!((refused.status().as_u16(), refused.headers().contains_key("retry-after")), (503, true));
    assert!(refused.text().await.unwrap().contains("the log is full"));
    let after = scraped().await;
    assert!(after.contains("flowtrail_ingest_log_full_total 1"), "{after}");
    assert!(after.contains(r#"flowtrail_stream_limit_bytes{stream="FLOWTRAIL_AUDIT"} 10"#), "{after}");
    flowtrail.succeed(["retention", "audit", "--bytes", "unlimited"]);
    assert_eq!(post("second").await.status(), 202);
}
