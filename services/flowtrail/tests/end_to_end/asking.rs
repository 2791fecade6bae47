//! `flowtrail query` prints what the API answers, all of it, and says what is wrong with a query.

use serde_json::{Value, json};

use crate::flowtrail::{Flowtrail, Topology};

/// Publishes so many events, every fifth a failure, and waits until they are in the list.
async fn with_events(count: usize) -> Flowtrail {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let event = |number: usize| {
        let status = if number.is_multiple_of(5) { "failure" } else { "success" };
        // A number that no float holds.
        json!({ "id": format!("e{number}"), "event_type": "door.open", "status": status, "actor_id": "alice",
                "task_id": 9_007_199_254_740_993_u64, "time": "2024-01-31T12:00:00Z" })
    };
    let events: Vec<Value> = (0..count).map(event).collect();
    let answer = flowtrail.request("POST", "/api/events/audit").json(&events).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    testkit::eventually("all are listed", async || {
        (flowtrail.get("/flowtrail/v1/audit?limit=1&q=actor:alice").await["total"] == count).then_some(())
    })
    .await;
    flowtrail
}

#[tokio::test]
async fn a_query_prints_every_item_that_the_api_lists() {
    let flowtrail = with_events(2500).await;
    let url = flowtrail.url.clone();
    let query = |more: &[&str]| flowtrail.succeed([&["query", "audit", "--url", &url], more].concat());
    let failures = query(&["status:failure actor:alice", "--all"]);
    let lines: Vec<Value> = failures.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 500);
    let page = flowtrail.get("/flowtrail/v1/audit?limit=500&q=status:failure+actor:alice").await;
    assert_eq!(page["items"], json!(lines));
    assert!(failures.contains("9007199254740993"), "numbers come to the digit");

    assert_eq!(query(&["actor:alice"]).lines().count(), 50, "the newest are enough, unless more is asked for");
    assert_eq!(query(&["--limit", "1700", "--json", "actor:alice"]).lines().count(), 1700);
    assert_eq!(query(&["-actor:*", "--to", "2024-02-01"]), "");
    assert_eq!(query(&["actor:alice", "--from", "2024-02-01"]), "");
    assert!(flowtrail.succeed(["query", "traffic", "--url", &url]).is_empty());
}

#[tokio::test]
async fn a_query_that_cannot_be_answered_says_why() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let url = flowtrail.url.clone();
    for (words, told) in [
        (["query", "audit", "actr:alice", "--url", &url].as_slice(), "is actor meant"),
        (&["query", "audit", "--from", "yesterday-ish", "--url", &url], "from"),
        (&["query", "audit", "--url", &url, "--token", "ft_unknown"], "token"),
        (&["query", "audit", "--url", "http://127.0.0.1:1"], "is Flowtrail running there"),
        (&["query", "audit", "--data-dir", "/nonexistent", "--url", &url], "FLOWTRAIL_TOKEN"),
    ] {
        let output = flowtrail.run(words);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
        assert!(said.starts_with("error: ") && said.lines().count() == 1 && said.contains(told), "{words:?}: {said}");
        assert!(!said.contains("ft_unknown"), "{said}");
    }
}
