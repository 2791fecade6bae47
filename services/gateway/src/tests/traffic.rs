use model::access::Scope;
use serde_json::{Value, json};

use super::world::World;

const PATH: &str = "/api/events/network-traffic";

async fn reader() -> (World, String) {
    let world = World::start().await;
    let token = world.token("main", &[Scope::TrafficRead]);
    (world, token)
}

/// Flows a, b, c, d; the newest is d.
fn fill(world: &World) {
    let common = |flow: &str| json!({ "flow_id": flow, "reporter_id": "gateway", "type": "TYPE_START" });
    let with = |flow: &str, more: Value| {
        let mut report = common(flow);
        report.as_object_mut().unwrap().append(&mut more.as_object().unwrap().clone());
        report
    };
    let peer = json!({ "id": "p1", "name": "Laptop", "address": "[fd00::7]:44" });
    let reports = [
        with("a", json!({ "protocol": 6, "direction": "EGRESS", "source": peer, "user": { "id": "u1" } })),
        with("b", json!({ "protocol": 17, "direction": "INGRESS", "destination": { "id": "p2", "name": "db" } })),
        with(
            "c",
            json!({ "protocol": 6, "reporter_id": "p1", "source": { "id": "p1" }, "user": { "email": "Al@x.y" } }),
        ),
        with("d", json!({ "type": "TYPE_DROP" })),
    ];
    for (second, report) in (1..).zip(&reports) {
        world.traffic("main", &format!("r{second}"), second, report);
    }
    world.traffic("main", "end", 9, &with("a", json!({ "type": "TYPE_END", "rx_bytes": 5 })));
}

#[tokio::test]
async fn a_record_has_every_member_whatever_is_known() {
    let (world, token) = reader().await;
    world.traffic("main", "e1", 1, &json!({ "flow_id": "f", "reporter_id": "r" }));
    let record = world.get(&token, PATH).await.json()["data"][0].clone();
    let nothing = json!({
        "id": "", "type": "UNKNOWN", "name": "", "geo_location": { "city_name": "", "country_code": "" },
        "os": null, "address": "", "dns_label": null,
    });
    let expected = json!({
        "id": record["id"],
        "receive_timestamp": "2024-01-01T00:00:01Z",
        "flow_id": "f",
        "reporter_id": "r",
        "source": nothing,
        "destination": nothing,
        "user": { "id": "", "email": "", "name": "" },
        "policy": { "id": "", "name": "" },
        "icmp": { "type": 0, "code": 0 },
        "protocol": 0,
        "direction": "DIRECTION_UNKNOWN",
        "rx_bytes": 0, "rx_packets": 0, "tx_bytes": 0, "tx_packets": 0,
        "num_of_starts": 0, "num_of_ends": 0, "num_of_drops": 0,
        "window_start": "2024-01-01T00:00:01Z",
        "window_end": "2024-01-01T00:00:01Z",
        "events": [{ "type": "TYPE_UNKNOWN", "timestamp": "2024-01-01T00:00:01Z" }],
    });
    assert_eq!(record, expected);
    assert_eq!(record["id"].as_str().unwrap().len(), 26);
}

#[tokio::test]
async fn reports_of_a_flow_are_one_record() {
    let (world, token) = reader().await;
    fill(&world);
    let answer = world.get(&token, &format!("{PATH}?type=TYPE_END")).await.json();
    let record = &answer["data"][0];
    assert_eq!(
        (&record["num_of_starts"], &record["num_of_ends"], &record["rx_bytes"]),
        (&json!(1), &json!(1), &json!(5))
    );
    assert_eq!(record["events"].as_array().unwrap().len(), 2);
    assert_eq!(record["window_end"], "2024-01-01T00:00:09Z");
}

#[tokio::test]
async fn every_filter_narrows_the_list() {
    let (world, token) = reader().await;
    fill(&world);
    for (query, expected) in [
        ("", vec!["d", "c", "b", "a"]),
        ("user_id=u1", vec!["a"]),
        ("reporter_id=p1", vec!["c"]),
        ("source_id=p1", vec!["c", "a"]),
        ("destination_id=p2", vec!["b"]),
        ("protocol=6", vec!["c", "a"]),
        ("protocol=-6", vec![]),
        ("protocol=999999999999999999999999999999", vec![]),
        ("type=TYPE_START", vec!["c", "b", "a"]),
        ("type=TYPE_DROP", vec!["d"]),
        ("connection_type=P2P", vec!["c"]),
        ("connection_type=ROUTED", vec!["d", "b", "a"]),
        ("direction=EGRESS", vec!["a"]),
        ("direction=DIRECTION_UNKNOWN", vec!["d", "c"]),
        ("search=LAPTOP", vec!["a"]),
        ("search=%5Bfd00::7%5D", vec!["a"]),
        ("search=al@", vec!["c"]),
        ("search=%25", vec![]),
        ("search=%00", vec![]),
        ("start_date=2024-01-01T00:00:03Z", vec!["d", "c"]),
        ("end_date=2024-01-01T00:00:02Z", vec!["b", "a"]),
        ("start_date=2024-01-01T00:00:02Z&end_date=2024-01-01T00:00:02Z", vec!["b"]),
        ("start_date=2024-01-01T00:00:03Z&end_date=2024-01-01T00:00:02Z", vec![]),
        ("user_id=&reporter_id=&source_id=&destination_id=&search=&whatever=1", vec!["d", "c", "b", "a"]),
    ] {
        let answer = world.get(&token, &format!("{PATH}?{query}")).await;
        assert_eq!(answer.all("flow_id"), expected, "{query}");
        assert_eq!(answer.json()["total_records"], expected.len(), "{query}");
    }
}

#[tokio::test]
async fn pages_by_number_state_the_exact_totals() {
    let (world, token) = reader().await;
    fill(&world);
    let totals = |page: u64, size: u64, pages: u64| json!({ "page": page, "page_size": size, "total_records": 4, "total_pages": pages });
    for (query, flows, expected) in [
        ("page=1&page_size=3", vec!["d", "c", "b"], totals(1, 3, 2)),
        ("page=2&page_size=3", vec!["a"], totals(2, 3, 2)),
        ("page=3&page_size=3", vec![], totals(3, 3, 2)),
        ("", vec!["d", "c", "b", "a"], totals(1, 1000, 1)),
        ("page_size=50000&protocol=", vec![], Value::Null),
        ("page=1000000000&page_size=50000", vec![], totals(1_000_000_000, 50_000, 1)),
        ("page=1000000000000000000", vec![], totals(1_000_000_000_000_000_000, 1000, 1)),
        ("page=18446744073709551615", vec![], totals(u64::MAX, 1000, 1)),
    ] {
        let answer = world.get(&token, &format!("{PATH}?{query}")).await;
        if expected.is_null() {
            answer.refusal(400);
            continue;
        }
        assert_eq!(answer.all("flow_id"), flows, "{query}");
        let mut body = answer.json();
        body.as_object_mut().unwrap().remove("data");
        assert_eq!(body, expected, "{query}");
    }
}

#[tokio::test]
async fn an_empty_list_has_no_pages() {
    let (world, token) = reader().await;
    let expected = json!({ "data": [], "page": 1, "page_size": 1000, "total_records": 0, "total_pages": 0 });
    assert_eq!(world.get(&token, PATH).await.json(), expected);
}

#[tokio::test]
async fn pages_by_cursor_neither_repeat_nor_skip_while_records_are_added() {
    let (world, token) = reader().await;
    fill(&world);
    let mut path = format!("{PATH}?page=1&page_size=1&direction=DIRECTION_UNKNOWN");
    let mut seen = Vec::new();
    for newer in 0.. {
        let answer = world.get(&token, &path).await;
        seen.extend(answer.all("flow_id"));
        let Some(next) = answer.next() else { break };
        assert!(next.starts_with(&format!("{PATH}?page_size=1&direction=DIRECTION_UNKNOWN&cursor=")), "{next}");
        path = next;
        let report = json!({ "flow_id": format!("new-{newer}"), "reporter_id": "gateway" });
        world.traffic("main", &format!("n{newer}"), 100 + newer, &report);
    }
    assert_eq!(seen, ["d", "c"]);
    let refusal = world.get(&token, &path.replace("DIRECTION_UNKNOWN", "EGRESS")).await.refusal(400);
    assert!(refusal.starts_with("cursor: "), "{refusal}");
}

#[tokio::test]
async fn a_bad_value_is_a_400_that_names_its_parameter() {
    let (world, token) = reader().await;
    for (name, value) in [
        ("page", "0"),
        ("page", "-1"),
        ("page", "1.5"),
        ("page", "1000000000000000000000000000000"),
        ("page", "1&cursor=x"),
        ("page", "1&page=2"),
        ("page_size", "0"),
        ("page_size", "50001"),
        ("page_size", ""),
        ("protocol", "tcp"),
        ("protocol", "6.0"),
        ("protocol", ""),
        ("type", "TYPE_BEGIN"),
        ("type", ""),
        ("connection_type", "p2p"),
        ("direction", "SENT"),
        ("start_date", "yesterday"),
        ("end_date", "2026-13-01T00:00:00Z"),
        ("search", "%C3%28"),
        ("cursor", "x"),
    ] {
        let refusal = world.get(&token, &format!("{PATH}?{name}={value}")).await.refusal(400);
        assert!(refusal.starts_with(&format!("{name}: ")), "{name}={value}: {refusal}");
    }
}
