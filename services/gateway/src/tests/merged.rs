//! Flows: what several reporters have of one as one row.

use model::access::Scope;
use serde_json::{Value, json};

use super::world::World;

const FLOWS: &str = "/flowtrail/v1/traffic?merge=reporters";

/// Two flows that both ends saw, and one that one of them did.
async fn reported() -> (World, String) {
    let world = World::start().await;
    let token = world.silent_token("main", &[Scope::AuditRead, Scope::TrafficRead]);
    for (id, second, reporter, flow, direction, received, sent) in [
        ("r1", 10, "laptop", "f1", "EGRESS", 20, 100),
        ("r2", 11, "server", "f1", "INGRESS", 100, 18),
        ("r3", 40, "laptop", "x3", "EGRESS", 5, 7),
        ("r4", 41, "server", "x4", "INGRESS", 9, 5),
        ("r5", 50, "server", "f5", "INGRESS", 1, 1),
    ] {
        let port = if flow.starts_with('x') { 5001 } else { second };
        let data = json!({
            "flow_id": flow, "reporter_id": reporter, "direction": direction, "protocol": 6, "type": "TYPE_START",
            "source": { "address": format!("10.0.0.1:{port}") }, "destination": { "address": "10.0.0.2:443" },
            "rx_bytes": received, "tx_bytes": sent,
        });
        world.traffic("main", id, second, &data);
    }
    (world, token)
}

fn told(item: &Value) -> Value {
    json!([item["flow_id"], item["reporters"], item["rx_bytes"], item["tx_bytes"], item["num_of_starts"]])
}

#[tokio::test]
async fn a_flow_is_one_row_that_names_who_saw_it_and_has_no_number_twice() {
    let (world, token) = reported().await;
    let page = world.get(&token, FLOWS).await.json();
    let items: Vec<Value> = page["items"].as_array().unwrap().iter().map(told).collect();
    let mut expected = vec![
        json!(["f5", ["server"], 1, 1, 1]),
        json!(["x3", ["laptop", "server"], 5, 9, 1]),
        json!(["f1", ["laptop", "server"], 20, 100, 1]),
    ];
    assert_eq!(items, expected, "what one end sent the other received");
    assert_eq!((&page["total"], &page["scanned"], &page["complete"]), (&json!(3), &json!(5), &json!(true)));
    expected.reverse();
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = world.get(&token, &format!("{FLOWS}&order=time&limit=1{cursor}")).await.json();
        seen.extend(page["items"].as_array().unwrap().iter().map(told));
        let Some(next) = page["next"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(seen, expected);
    let unmerged = world.get(&token, "/flowtrail/v1/traffic").await.json();
    assert_eq!((&unmerged["total"], unmerged["items"][0].get("reporters")), (&json!(5), None));
}

#[tokio::test]
async fn a_flow_is_made_of_what_matches_alone() {
    let (world, token) = reported().await;
    for (q, expected) in [
        ("reporter:server", json!(["f1", ["server"], 100, 18, 1])),
        ("bytes:%3E119", json!(["f1", ["laptop"], 20, 100, 1])),
    ] {
        let page = world.get(&token, &format!("{FLOWS}&order=time&q={q}")).await.json();
        assert_eq!(told(&page["items"][0]), expected);
    }
}

#[tokio::test]
async fn counts_have_each_flow_once() {
    let (world, token) = reported().await;
    let get =
        async |path: &str| world.get(&token, &format!("/flowtrail/v1/traffic/{path}&merge=reporters")).await.json();
    let facets = get("facets?field=reporter,dport").await;
    assert_eq!(facets["total"], 3);
    assert_eq!(
        facets["facets"][0]["values"],
        json!([{ "value": "laptop", "count": 2 }, { "value": "server", "count": 1 }])
    );
    assert_eq!(facets["facets"][1]["values"], json!([{ "value": "443", "count": 3 }]));
    let top = get("top?by=source,destination&sum=bytes").await;
    assert_eq!((&top["total"], &top["sum"]), (&json!(3), &json!(120 + 14 + 2)), "and no number twice");
    let unmerged = world.get(&token, "/flowtrail/v1/traffic/top?sum=bytes").await.json();
    assert_eq!((&unmerged["total"], &unmerged["sum"]), (&json!(5), &json!(120 + 118 + 12 + 14 + 2)));
    let histogram = get("histogram?buckets=2").await;
    let counted: u64 = histogram["buckets"].as_array().unwrap().iter().map(|one| one["count"].as_u64().unwrap()).sum();
    assert_eq!((histogram["total"].as_u64(), counted), (Some(3), 3));
}

#[tokio::test]
async fn what_cannot_be_had_of_flows_is_refused() {
    let (world, token) = reported().await;
    let first = world.get(&token, &format!("{FLOWS}&limit=1")).await.json();
    let records = world.get(&token, "/flowtrail/v1/traffic?limit=1").await.json();
    let cursor = |page: &Value| page["next"].as_str().unwrap().to_owned();
    for (path, detail) in [
        ("traffic?merge=all".to_owned(), "merge: must be one of reporters"),
        (
            "traffic?merge=reporters&order=received".to_owned(),
            "merge: cannot be had with order=received, which has each report",
        ),
        (
            "traffic/export?merge=reporters".to_owned(),
            "merge: cannot be had of an export, which has the record of each reporter",
        ),
        ("audit?merge=reporters".to_owned(), "merge: is no parameter here"),
        ("audit/facets?merge=reporters".to_owned(), "merge: is no parameter here"),
        (format!("traffic?merge=reporters&cursor={}", cursor(&records)), "cursor: must be one that was given"),
        (format!("traffic?cursor={}", cursor(&first)), "cursor: must be one that was given"),
        (format!("traffic?merge=reporters&order=time&cursor={}", cursor(&first)), "cursor: must be one that was given"),
    ] {
        let refused = world.get(&token, &format!("/flowtrail/v1/{path}")).await;
        assert_eq!(refused.status.as_u16(), 400, "{path}");
        assert!(refused.json()["detail"].as_str().unwrap().starts_with(detail), "{path}: {refused:?}");
    }
}
