//! `flowtrail query`, `facets` and `top` print what the API answers, all of it, and say what is wrong with a question.

use serde_json::{Value, json};

use crate::flowtrail::{Flowtrail, Topology, flowtrail as program};
use crate::terminal::on_terminal;

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

/// Publishes a few flows to two places.
async fn add_flows(flowtrail: &Flowtrail) {
    let flow = |number: u64| {
        let to = if number < 3 { "10.0.0.4:53" } else { "10.0.0.5:443" };
        json!({ "flow_id": number.to_string(), "reporter_id": "gw-1", "time": "2024-01-31T12:00:00Z", "protocol": 17,
                "source": { "name": "laptop", "address": "10.0.0.9:5000" }, "destination": { "address": to }, "rx_bytes": u64::MAX, "rx_packets": number })
    };
    let flows: Vec<Value> = (0..4).map(flow).collect();
    let answer = flowtrail.request("POST", "/api/events/network-traffic").json(&flows).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    flowtrail.has_traffic(4).await;
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
    let mut oldest: Vec<String> =
        query(&["status:failure actor:alice", "--all", "--order", "time"]).lines().map(str::to_owned).collect();
    oldest.reverse();
    assert_eq!(oldest, failures.lines().collect::<Vec<_>>());
    assert_eq!(query(&["status:failure actor:alice", "--all", "--order=-time"]), failures);
    let received = query(&["actor:alice", "--all", "--order", "received"]);
    assert_eq!(received.lines().count(), 2500, "all that the log has for now");
    assert_eq!(query(&["-actor:*", "--to", "2024-02-01"]), "");
    assert_eq!(query(&["actor:alice", "--from", "2024-02-01"]), "");
    assert!(flowtrail.succeed(["query", "traffic", "--url", &url]).is_empty());
}

#[tokio::test]
async fn counts_are_printed_as_the_api_answers_them() {
    let flowtrail = with_events(20).await;
    add_flows(&flowtrail).await;
    let url = flowtrail.url.clone();
    for (words, path) in [
        (["facets", "audit", "actor:alice"].as_slice(), "audit/facets?q=actor:alice&top=10"),
        (
            &["facets", "audit", "actor:alice", "--field", "status,vm", "--top", "1", "--from", "2024-01-31"],
            "audit/facets?q=actor:alice&field=status,vm&top=1&from=2024-01-31",
        ),
        (&["facets", "traffic", "--field", "dst", "--json"], "traffic/facets?field=dst&top=10"),
        (&["top", "traffic"], "traffic/top?top=10"),
        (&["top", "traffic", "protocol:udp", "--by", "src,dport"], "traffic/top?q=protocol:udp&by=src,dport&top=10"),
        (&["facets", "traffic", "--field", "dst", "--by", "bytes"], "traffic/facets?field=dst&top=10&by=bytes"),
        (&["top", "traffic", "--sum", "packets"], "traffic/top?top=10&sum=packets"),
    ] {
        let printed = flowtrail.succeed([words, &["--url", &url]].concat());
        let expected = flowtrail.get(&format!("/flowtrail/v1/{path}")).await;
        assert_eq!(
            (printed.lines().count(), serde_json::from_str::<Value>(&printed).unwrap()),
            (1, expected),
            "{words:?}"
        );
    }
}

#[tokio::test]
async fn on_a_terminal_there_are_tables() {
    let flowtrail = with_events(20).await;
    add_flows(&flowtrail).await;
    let seen = |words: &[&str]| {
        let mut command = program(&flowtrail.data());
        command.env("FLOWTRAIL_URL", &flowtrail.url).args(words);
        let (status, seen) = on_terminal(command);
        assert!(status.success(), "{words:?}: {seen}");
        seen
    };
    let query = seen(&["query", "audit", "actor:alice", "--limit", "2"]);
    assert!(query.contains("EVENT") && query.contains("door.open") && query.contains("2 of 20; --limit"), "{query}");
    let facets = seen(&["facets", "audit", "actor:alice", "--field", "status,vm", "--top", "1"]);
    for told in ["COUNT", "success", "16", "1 other value", "without a value", "20 in all"] {
        assert!(facets.contains(told), "{told}: {facets}");
    }
    let top = seen(&["top", "traffic", "--top", "1"]);
    for told in ["source", "destination", "laptop", "10.0.0.4", "1 other pair", "4 in all"] {
        assert!(top.contains(told), "{told}: {top}");
    }
    // Sums are told to the digit, beyond 64 bits as well.
    let top = seen(&["top", "traffic", "--top", "1", "--sum", "bytes"]);
    for told in ["bytes", "COUNT", "55340232221128654845", "1 other pair", "with 73786976294838206460 together"] {
        assert!(top.contains(told), "{told}: {top}");
    }
    let facets = seen(&["facets", "traffic", "--field", "dst", "--by", "packets"]);
    for told in ["packets", "10.0.0.4", "4 in all, with 6 together"] {
        assert!(facets.contains(told), "{told}: {facets}");
    }
    // The same is JSON where that is asked for.
    let facets = seen(&["facets", "audit", "actor:alice", "--field", "status", "--json"]);
    assert_eq!(serde_json::from_str::<Value>(&facets).unwrap()["total"], 20);
}

#[tokio::test]
async fn what_cannot_be_answered_says_why() {
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let url = flowtrail.url.clone();
    let token = flowtrail.succeed(["token", "create", "--name", "ci", "--scopes", "traffic:read"]);
    let token = token.trim();
    for (words, told) in [
        (["query", "audit", "actr:alice", "--url", &url].as_slice(), "is actor meant"),
        (&["query", "audit", "--from", "yesterday-ish", "--url", &url], "from"),
        (&["query", "audit", "--url", &url, "--token", "ft_unknown"], "FLOWTRAIL_TOKEN"),
        (&["query", "audit", "--url", &url, "--token", token], "audit:read; `flowtrail token create --scopes`"),
        (&["query", "audit", "--url", "http://127.0.0.1:1"], "is Flowtrail running there"),
        (&["query", "audit", "--data-dir", "/nonexistent", "--url", &url], "FLOWTRAIL_TOKEN"),
        (&["facets", "audit", "--field", "actr", "--url", &url], "is actor meant"),
        (&["facets", "audit", "--field", "payload", "--url", &url], "those are activity"),
        (&["top", "traffic", "--by", "source", "--url", &url], "must be two fields"),
        (&["top", "traffic", "--sum", "octets", "--url", &url], "must be one of count, bytes, packets"),
        (&["tail", "audit", "actr:alice", "--url", &url], "is actor meant"),
        (&["tail", "audit", "--url", &url, "--token", "ft_unknown"], "FLOWTRAIL_TOKEN"),
        (&["tail", "audit", "--url", &url, "--token", token], "audit:read"),
        (&["tail", "audit", "--url", "http://127.0.0.1:1"], "is Flowtrail running there"),
        (&["export", "audit", "actr:alice", "--url", &url], "is actor meant"),
        (&["export", "audit", "--output", "/dev/null", "--url", &url], "is no file"),
    ] {
        let output = flowtrail.run(words);
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{words:?}: {said}");
        assert!(said.starts_with("error: ") && said.lines().count() == 1 && said.contains(told), "{words:?}: {said}");
        assert!(!said.contains("ft_unknown") && !said.contains(token), "{said}");
    }
}
