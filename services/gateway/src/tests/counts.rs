//! Counts of what matches, by values and by time.

use model::access::Scope;
use serde_json::{Value, json};

use super::world::World;

const AUDIT: &str = "/flowtrail/v1/audit";
const TRAFFIC: &str = "/flowtrail/v1/traffic";

/// A reader of an account with a few events and records, and another account that has more.
pub(super) async fn reader() -> (World, String) {
    let mut world = World::start().await;
    world.record(true);
    let token = world.silent_token("main", &[Scope::AuditRead, Scope::TrafficRead]);
    for (id, second, data) in [
        ("e1", 1, json!({ "event_type": "route.add", "actor_id": "u1", "http_status": 200 })),
        ("e2", 2, json!({ "event_type": "route.delete", "actor_id": "u1", "status": "failure", "http_status": 503 })),
        ("e3", 3, json!({ "event_type": "user.login", "actor_id": "u2", "ip_address": "10.0.0.4:53" })),
        ("e4", 3600, json!({ "event_type": "route.add" })),
        ("e5", 5, json!({ "event_type": "audit.read", "actor_id": "u3" })),
    ] {
        world.audit("main", id, second, &data);
    }
    world.known("main", "u1", &json!({ "name": "Alice", "email": "alice@example.com" }));
    for (flow, second, from, to) in [
        ("a", 1, "10.0.0.1:50000", "10.0.0.4:53"),
        ("b", 2, "10.0.0.1:50001", "10.0.0.4:53"),
        ("c", 3, "10.0.0.2:50000", "10.0.0.4:443"),
        ("d", 4, "10.0.0.3:50000", "[2001:db8::5]:443"),
    ] {
        let report = json!({
            "flow_id": flow, "reporter_id": "r", "source": { "address": from }, "destination": { "address": to },
            "protocol": 17, "type": "TYPE_START", "num_of_drops": u64::from(flow == "d"),
            "rx_bytes": u64::MAX, "tx_bytes": 1, "rx_packets": second,
        });
        world.traffic("main", flow, second, &report);
    }
    world.traffic("main", "e", 5, &json!({ "flow_id": "e", "reporter_id": "r" }));
    for number in 0..9 {
        world.audit(
            "other",
            &format!("o{number}"),
            number,
            &json!({ "event_type": "route.add", "actor_id": "theirs" }),
        );
        let report = json!({ "flow_id": number.to_string(), "reporter_id": "theirs" });
        world.traffic("other", &format!("o{number}"), number, &report);
    }
    (world, token)
}

pub(super) async fn asked(world: &World, token: &str, path: &str) -> Value {
    let answer = world.get(token, path).await;
    assert_eq!(answer.status.as_u16(), 200, "{path}: {}", answer.json());
    assert!(answer.header("flowtrail-as-of").is_some() && answer.header("flowtrail-lag-ms").is_some());
    answer.json()
}

fn facet(field: &str, values: &[(&str, u64)], others: [u64; 2], without: u64) -> Value {
    let values: Vec<Value> = values.iter().map(|(value, count)| json!({ "value": value, "count": count })).collect();
    json!({ "field": field, "values": values, "others": { "values": others[0], "count": others[1] }, "without": without })
}

#[tokio::test]
async fn facets_tell_the_most_frequent_values_and_how_many_others_there_are() {
    let (world, token) = reader().await;
    let answer =
        asked(&world, &token, &format!("{AUDIT}/facets?field=activity_code,%20actor_name,ip_address&top=1")).await;
    let facets = [
        facet("activity_code", &[("route.add", 2)], [2, 2], 0),
        facet("actor_name", &[("Alice", 2)], [0, 0], 2),
        facet("ip_address", &[("10.0.0.4", 1)], [0, 0], 3),
    ];
    assert_eq!(answer, json!({ "total": 4, "facets": facets }));
    let answer = asked(&world, &token, &format!("{AUDIT}/facets?q=actor:alice&field=status&by=count")).await;
    let facets = [facet("status", &[("failure", 1), ("success", 1)], [0, 0], 0)];
    assert_eq!(answer, json!({ "total": 2, "facets": facets }));
    let answer =
        asked(&world, &token, &format!("{TRAFFIC}/facets?field=dst,dport,type,protocol&to=2024-01-01T00:00:04Z")).await;
    let facets = [
        facet("dst", &[("10.0.0.4", 3), ("2001:db8::5", 1)], [0, 0], 0),
        facet("dport", &[("443", 2), ("53", 2)], [0, 0], 0),
        facet("type", &[("TYPE_START", 4), ("TYPE_DROP", 1)], [0, 0], 0),
        facet("protocol", &[("17", 4)], [0, 0], 0),
    ];
    assert_eq!(answer, json!({ "total": 4, "facets": facets }));
    // Without fields those that are usual.
    let answer = asked(&world, &token, &format!("{AUDIT}/facets")).await;
    assert_eq!(answer["facets"].as_array().unwrap().len(), 6);
}

#[tokio::test]
async fn ports_that_the_directory_alone_knows_are_counted_too() {
    let (world, token) = reader().await;
    world.peer("main", "p1", &json!({ "address": "10.0.0.9:53" }));
    world.traffic("main", "f", 6, &json!({ "flow_id": "f", "reporter_id": "r", "destination": { "id": "p1" } }));
    let answer = asked(&world, &token, &format!("{TRAFFIC}/facets?field=dport,dst&top=9")).await;
    let facets = [
        facet("dport", &[("53", 3), ("443", 2)], [0, 0], 1),
        facet("dst", &[("10.0.0.4", 3), ("10.0.0.9", 1), ("2001:db8::5", 1)], [0, 0], 1),
    ];
    assert_eq!(answer, json!({ "total": 6, "facets": facets }));
}

#[tokio::test]
async fn histograms_have_buckets_of_a_round_width_also_where_nothing_is() {
    let (world, token) = reader().await;
    let bucket = |time: &str, count: u64| json!({ "time": time, "count": count });
    let answer = asked(&world, &token, &format!("{AUDIT}/histogram?buckets=3")).await;
    let buckets =
        [bucket("2024-01-01T00:00:00Z", 3), bucket("2024-01-01T00:30:00Z", 0), bucket("2024-01-01T01:00:00Z", 1)];
    assert_eq!(answer, json!({ "total": 4, "width_ms": 1_800_000, "buckets": buckets }));
    // Of the period, and no more than is in it.
    let period = "from=2024-01-01T00:00:02Z&to=2024-01-01T00:00:05Z";
    let path = format!("{AUDIT}/histogram?{period}&buckets=2&split=event_type&top=1");
    let answer = asked(&world, &token, &path).await;
    let buckets = [bucket("2024-01-01T00:00:02Z", 2), bucket("2024-01-01T00:00:04Z", 0)];
    let split = json!({
        "field": "event_type",
        "values": [{ "value": "route.delete", "count": 1, "counts": [1, 0] }],
        "others": { "values": 1, "count": 1, "counts": [1, 0] },
        "without": { "count": 0, "counts": [0, 0] },
    });
    assert_eq!(answer, json!({ "total": 2, "width_ms": 2000, "buckets": buckets, "split": split }));
    // Where nothing is, there is no time either, but where a period is given.
    let nothing = asked(&world, &token, &format!("{TRAFFIC}/histogram?q=reporter:none")).await;
    assert_eq!(nothing, json!({ "total": 0, "width_ms": 0, "buckets": [] }));
    let nothing = asked(&world, &token, &format!("{TRAFFIC}/histogram?from=2025-01-01&to=2025-01-02&buckets=2")).await;
    let buckets = [bucket("2025-01-01T00:00:00Z", 0), bucket("2025-01-02T00:00:00Z", 0)];
    assert_eq!(nothing, json!({ "total": 0, "width_ms": 86_400_000, "buckets": buckets }));
    let never = asked(&world, &token, &format!("{TRAFFIC}/histogram?from=2025-01-02&to=2025-01-01")).await;
    assert_eq!(never["buckets"], json!([]));
}

#[tokio::test]
async fn the_top_is_of_who_talked_to_whom() {
    let (world, token) = reader().await;
    let pair = |from: &str, to: &str, count: u64| json!({ "values": [from, to], "count": count });
    let answer = asked(&world, &token, &format!("{TRAFFIC}/top?top=2&sum=count")).await;
    let expected = json!({
        "total": 5, "by": ["source", "destination"],
        "pairs": [pair("10.0.0.1", "10.0.0.4", 2), pair("10.0.0.2", "10.0.0.4", 1)],
        "others": { "values": 1, "count": 1 }, "without": 1,
    });
    assert_eq!(answer, expected);
    let answer = asked(&world, &token, &format!("{TRAFFIC}/top?q=dport:443&by=type,dst.port")).await;
    assert_eq!(answer["pairs"], json!([pair("TYPE_START", "443", 2), pair("TYPE_DROP", "443", 1)]));
    assert_eq!((&answer["total"], &answer["without"]), (&json!(2), &json!(0)));
}

#[tokio::test]
async fn what_is_summed_up_says_which_are_the_greatest() {
    let (world, token) = reader().await;
    let answer = asked(&world, &token, &format!("{TRAFFIC}/facets?field=source,type&by=packets&top=1")).await;
    let facets = json!([
        {
            "field": "source", "values": [{ "value": "10.0.0.3", "count": 1, "sum": 4 }],
            "others": { "values": 2, "count": 3, "sum": 6 }, "without": 1, "without_sum": 0,
        },
        {
            "field": "type", "values": [{ "value": "TYPE_START", "count": 4, "sum": 10 }],
            "others": { "values": 2, "count": 2, "sum": 4 }, "without": 0, "without_sum": 0,
        },
    ]);
    assert_eq!(answer, json!({ "total": 5, "sum": 10, "facets": facets }));
    // What is beyond 64 bits together is told to the digit; of one record it is the greatest number that there is.
    let beyond = |times: u128| (u128::from(u64::MAX) * times).to_string();
    let told = world.get(&token, &format!("{TRAFFIC}/top?sum=bytes&top=1")).await;
    let text = String::from_utf8(told.bytes.to_vec()).unwrap();
    let expected = format!(
        r#"{{"total":5,"sum":{},"by":["source","destination"],"pairs":[{{"values":["10.0.0.1","10.0.0.4"],"count":2,"sum":{}}}],"others":{{"values":2,"count":2,"sum":{}}},"without":1,"without_sum":0}}"#,
        beyond(4),
        beyond(2),
        beyond(2),
    );
    assert_eq!(text, expected);
    let path = "histogram?q=src:*&buckets=3&split=dport&top=1&sum=rx_packets";
    let answer = asked(&world, &token, &format!("{TRAFFIC}/{path}")).await;
    let buckets = json!([
        { "time": "2024-01-01T00:00:00Z", "count": 1, "sum": 1 },
        { "time": "2024-01-01T00:00:02Z", "count": 2, "sum": 5 },
        { "time": "2024-01-01T00:00:04Z", "count": 1, "sum": 4 },
    ]);
    let split = json!({
        "field": "dport",
        "values": [{ "value": "443", "count": 2, "sum": 7, "counts": [0, 1, 1], "sums": [0, 3, 4] }],
        "others": { "values": 1, "count": 2, "sum": 3, "counts": [1, 1, 0], "sums": [1, 2, 0] },
        "without": { "count": 0, "sum": 0, "counts": [0, 0, 0], "sums": [0, 0, 0] },
    });
    let expected = json!({ "total": 4, "sum": 10, "width_ms": 2000, "buckets": buckets, "split": split });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn what_had_to_be_judged_is_told() {
    let (world, token) = reader().await;
    for path in ["facets?field=status", "histogram?buckets=2"] {
        let answer = asked(&world, &token, &format!("{AUDIT}/{path}&q=http_status:%3E=500")).await;
        assert_eq!((&answer["total"], &answer["scanned"], &answer["complete"]), (&json!(1), &json!(4), &json!(true)));
    }
    let answer = asked(&world, &token, &format!("{TRAFFIC}/top?q=flow:a")).await;
    assert_eq!((&answer["total"], &answer["scanned"], &answer["complete"]), (&json!(1), &json!(5), &json!(true)));
    let answer = asked(&world, &token, &format!("{TRAFFIC}/top?q=packets:%3E0")).await;
    assert_eq!((&answer["total"], &answer["scanned"]), (&json!(4), &json!(null)), "columns answer it");
}

#[tokio::test]
async fn reads_are_counted_where_they_are_asked_for() {
    let (world, token) = reader().await;
    for (query, total) in [("", 4), ("&reads=include", 5), ("&q=type:audit.read", 1), ("&q=actor:u3", 0)] {
        let facets = asked(&world, &token, &format!("{AUDIT}/facets?field=event_type{query}")).await;
        let histogram = asked(&world, &token, &format!("{AUDIT}/histogram?buckets=9{query}")).await;
        assert_eq!((&facets["total"], &histogram["total"]), (&json!(total), &json!(total)), "{query}");
    }
}

#[tokio::test]
async fn a_mistake_is_a_problem_that_names_what_was_meant() {
    let (world, token) = reader().await;
    let detail = async |path: String| {
        let answer = world.get(&token, &path).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (400, Some("application/problem+json")));
        answer.json()["detail"].as_str().unwrap().to_owned()
    };
    for (path, expected) in [
        ("audit/facets?feld=status", "feld: is no parameter here: is field meant?"),
        ("audit/facets?limit=3", "limit: is no parameter here; known are q, from, to, reads, field, top, by"),
        ("audit/facets?field=actr", "field: \"actr\" is no field: is actor meant?"),
        ("audit/facets?field=status,", "field: \"\" is no field"),
        ("audit/facets?field=status&top=0", "top: must be a whole number from 1 to 1000"),
        ("audit/facets?by=bytes", "by: must be one of count"),
        ("audit/facets?q=actr:x", "q: column 1: \"actr\" is no field: is actor meant?"),
        ("audit/histogram?buckets=1", "buckets: must be a whole number from 2 to 1000"),
        ("audit/histogram?split=sttus", "split: \"sttus\" is no field: is status meant?"),
        (
            "traffic/top?sum=octets",
            "sum: must be one of count, bytes, packets, rx_bytes, tx_bytes, rx_packets, tx_packets, starts, ends, drops",
        ),
        ("traffic/top?by=source", "by: must be two fields"),
        ("traffic/top?by=a,b", "by: \"a\" is no field"),
    ] {
        assert_eq!(detail(format!("/flowtrail/v1/{path}")).await, expected, "{path}");
    }
    for field in ["time", "payload.request.name", "payload", "http_status"] {
        let told = detail(format!("{AUDIT}/facets?field={field}")).await;
        let expected = format!("field: {field} is no field to count by; those are activity, event_type, event_group,");
        assert!(told.starts_with(&expected), "{told}");
    }
    let told = detail(format!("{TRAFFIC}/facets?field={}", vec!["reporter"; 21].join(","))).await;
    assert_eq!(told, "field: must be at most 20 fields");
}

#[tokio::test]
async fn another_account_is_never_counted_and_every_read_is_recorded() {
    let (mut world, token) = reader().await;
    let theirs = world.silent_token("other", &[Scope::AuditRead, Scope::TrafficRead]);
    for (path, own, other) in [
        ("audit/facets?q=*", 4, 9),
        ("audit/histogram?q=*&split=actor", 4, 9),
        ("traffic/facets?q=*", 5, 9),
        ("traffic/histogram?q=*&split=reporter", 5, 9),
        ("traffic/top?q=*&by=reporter,connection", 5, 9),
    ] {
        let path = format!("/flowtrail/v1/{path}");
        let (ours, of_other) = (asked(&world, &token, &path).await, asked(&world, &theirs, &path).await);
        assert_eq!((&ours["total"], &of_other["total"]), (&json!(own), &json!(other)), "{path}");
        assert!(!ours.to_string().contains("theirs"), "{path}");
    }
    world.end_recording().await;
    let said = |event: &Value| {
        let meta = &event["meta"];
        format!("{} {} {}", meta["question"].as_str().unwrap(), meta["filter"]["by"], meta["total"])
    };
    let recorded: Vec<String> = world.recorded("main").await.iter().map(said).collect();
    let expected = [
        r#"audit.facets ["event_type","event_group","status","actor","resource_type","ip_address"] 4"#,
        r#"audit.histogram ["actor"] 4"#,
        r#"traffic.facets ["source","destination","reporter","user","protocol","direction"] 5"#,
        r#"traffic.histogram ["reporter"] 5"#,
        r#"traffic.pairs ["reporter","connection"] 5"#,
    ];
    assert_eq!(recorded, expected);
}
