//! The same questions, asked in one process and over NATS, have the same answers.

use serde_json::{Value, json};

use crate::flowtrail::{Flowtrail, Topology, sample};

const READS: &[&str] = &[
    "/api/events",
    "/api/events/audit",
    "/api/events/audit?limit=5&search=s3",
    "/api/events/audit?activity_code=integration.create&activity_code=account.create",
    "/api/events/audit?initiator_id=sys&start_date=2020-01-01T00:00:00Z",
    "/api/events/audit?limit=0",
    "/api/events/network-traffic",
    "/api/events/network-traffic?page=3&page_size=50&protocol=6",
    "/api/events/network-traffic?search=10.0.&type=TYPE_END&direction=DIRECTION_UNKNOWN&connection_type=ROUTED",
    "/api/events/network-traffic?page=0",
    "/api/events/proxy",
    "/api/event-streaming",
    "/api/event-streaming/1",
    "/api/event-streaming/99",
    "/api/integrations/event-streaming",
    "/api/integrations/event-streaming/1",
    "/api/ni/info/version",
    "/api/ni/nothing",
    "/api/nothing",
    "/v1/audit/events?limit=7",
    "/v1/audit/events?event_group=integration&status=success&limit=200",
    "/v1/audit/events?user_id=99999999999999999999&limit=0_1.0",
    "/v1/audit/events?limit=0&user_id=x",
    "/v1/audit/events/nope",
    "/v1/audit/catalog",
    "/api/events/audit?q=type:s3*%20-status:failure&limit=9",
    "/api/events/audit?q=payload.eventSource:s3.amazonaws.com&limit=9",
    "/api/events/audit?q=actr:x",
    "/api/events/network-traffic?q=ip:10.0.0.0/8%20bytes:%3E1k&page_size=9",
    "/v1/audit/events?q=type:s3*",
    "/flowtrail/v1/audit?q=type:s3*%20time:%3C2100-01-01&limit=9",
    "/flowtrail/v1/audit?q=agent:*aws*&from=2000-01-01&limit=9",
    "/flowtrail/v1/audit?order=time&q=type:s3*&limit=9",
    "/flowtrail/v1/traffic?order=time&limit=9",
    "/flowtrail/v1/traffic?merge=reporters&limit=9",
    "/flowtrail/v1/traffic?merge=reporters&order=time&q=dport:53",
    "/flowtrail/v1/traffic/facets?merge=reporters&q=dport:53",
    "/flowtrail/v1/traffic/top?merge=reporters&sum=bytes",
    "/flowtrail/v1/audit?lmit=9",
    "/flowtrail/v1/audit/nope",
    "/flowtrail/v1/traffic?q=dport:53%20-protocol:tcp&limit=9",
    "/flowtrail/v1/traffic?q=bytes:%3E1k%20OR%20type:drop",
    "/flowtrail/v1/traffic/nope",
    "/flowtrail/v1/audit/export?q=type:s3*",
    "/flowtrail/v1/traffic/export?q=bytes:%3E1k%20OR%20type:drop&format=csv",
    "/flowtrail/v1/traffic/export?format=parquet&from=yesterday",
    "/flowtrail/v1/audit/facets?field=event_type,actor,payload.x",
    "/flowtrail/v1/audit/facets?field=event_type,actor&top=3&q=payload.eventSource:s3.amazonaws.com",
    "/flowtrail/v1/audit/histogram?split=status",
    "/flowtrail/v1/traffic/facets?q=dport:53&by=count",
    "/flowtrail/v1/traffic/histogram?buckets=7&split=protocol&top=1",
    "/flowtrail/v1/traffic/top?top=3",
    "/flowtrail/v1/audit/fields",
    "/flowtrail/v1/traffic/fields",
    "/flowtrail/v1/traffic/fields?family=audit",
    "/flowtrail/v1/audit/values?field=event_type&prefix=S3",
    "/flowtrail/v1/audit/values?field=payload",
    "/flowtrail/v1/traffic/values?field=dst&limit=3&q=dport:53",
    "/flowtrail/v1/searches",
    "/flowtrail/v1/searches?family=dns",
    "/flowtrail/v1/searches/missing",
    "/flowtrail/v1/session",
    "/healthz",
];

#[tokio::test]
async fn every_read_has_the_same_answer_in_one_process_and_over_nats() {
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    let cloudtrail = sample("aws-cloudtrail-s3-exfiltration.ndjson");
    flowtrail.succeed(["import".into(), "zeek-conn".into(), sample("zeek-conn-nashua.ndjson")]);
    flowtrail.succeed(["import".into(), "aws-cloudtrail".into(), cloudtrail]);
    let integration =
        json!({"platform": "datadog", "enabled": false, "config": {"api_key": "k", "site": "datadoghq.com"}});
    flowtrail.request("POST", "/api/event-streaming").json(&integration).send().await.unwrap();
    let search = json!({"name": "Denied", "family": "audit", "q": "status:denied", "columns": ["time"]});
    flowtrail.request("POST", "/flowtrail/v1/searches").json(&search).send().await.unwrap();
    flowtrail.has_traffic(479).await;
    let events = |flowtrail: &Flowtrail| flowtrail.request("GET", "/api/events").send();
    testkit::eventually("all audit events are in the view", async || {
        let total = events(&flowtrail).await.unwrap().headers()["x-total-count"].to_str().unwrap().to_owned();
        (total == "107").then_some(())
    })
    .await;

    let local = flowtrail.url.clone();
    let remote = flowtrail.add_gateway();
    for path in READS {
        let mut answers = Vec::new();
        for url in [&local, &remote] {
            flowtrail.url.clone_from(url);
            let answer = flowtrail.request("GET", path).send().await.unwrap();
            let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned());
            let headers = ["flowtrail-as-of", "x-total-count", "link", "content-type", "flowtrail-scanned"].map(header);
            let status = answer.status();
            answers.push((status, headers, answer.text().await.unwrap()));
        }
        assert_eq!(answers[0], answers[1], "{path}");
    }
}

#[tokio::test]
async fn what_was_written_through_one_gateway_is_seen_through_another() {
    let mut flowtrail = Flowtrail::start(Topology::Split).await;
    let other = flowtrail.add_gateway();
    let first = std::mem::replace(&mut flowtrail.url, other.clone());
    for round in 0..20 {
        flowtrail.url.clone_from(&first);
        let event = json!({"id": format!("e{round}"), "event_type": "door.open"});
        let answer = flowtrail.request("POST", "/api/events/audit").json(&event).send().await.unwrap();
        let position = answer.headers()["flowtrail-as-of"].clone();
        flowtrail.url.clone_from(&other);
        let read = flowtrail.request("GET", "/api/events/audit?activity_code=door.open");
        let read = read.header("Flowtrail-At-Least", position).send().await.unwrap();
        let events: Vec<Value> = serde_json::from_str(&read.text().await.unwrap()).unwrap();
        assert_eq!(events.len(), round + 1);
    }
}

#[tokio::test]
async fn without_a_projector_a_gateway_says_unavailable_and_when_to_come_back() {
    let mut flowtrail = Flowtrail::start(Topology::Split).await;
    flowtrail.kill_all_but_the_gateway();
    let answer = flowtrail.request("GET", "/api/events/audit").send().await.unwrap();
    assert_eq!(answer.status(), 503);
    assert!(answer.headers().contains_key("retry-after"));
    let body: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(body["code"], 503);
    assert_eq!(flowtrail.request("GET", "/healthz").send().await.unwrap().status(), 200);
    assert_eq!(flowtrail.request("GET", "/readyz").send().await.unwrap().status(), 503);
}

#[tokio::test]
async fn each_role_works_with_the_least_rights_on_nats() {
    // The operator makes the streams, as `nats/README.md` says.
    let flowtrail = Flowtrail::start(Topology::LeastPrivilege).await;
    let integration =
        json!({"platform": "datadog", "enabled": false, "config": {"api_key": "k", "api_url": "http://127.0.0.1:9/"}});
    let answer = flowtrail.request("POST", "/api/event-streaming").json(&integration).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let update = flowtrail.request("PUT", "/api/event-streaming/1").json(&json!({"enabled": true}));
    assert_eq!(update.send().await.unwrap().status(), 200);
    let search = json!({"name": "Denied", "family": "audit", "q": "status:denied"});
    let answer = flowtrail.request("POST", "/flowtrail/v1/searches").json(&search).send().await.unwrap();
    assert_eq!(answer.status(), 201);
    let event = json!({"id": "e1", "event_type": "door.open"});
    let answer = flowtrail.request("POST", "/api/events/audit").json(&event).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    flowtrail.succeed(["import".into(), "zeek-conn".into(), sample("zeek-conn-scranton.ndjson")]);
    flowtrail.has_traffic(134).await;
    flowtrail.get("/api/events/audit?limit=1").await;
    flowtrail.get("/v1/audit/catalog").await;
    flowtrail.get("/v1/audit/events/e1").await;
    flowtrail.get("/api/events/network-traffic?page_size=5").await;
    let deleted = flowtrail.request("DELETE", "/api/event-streaming/1").send().await.unwrap();
    assert_eq!(deleted.status(), 200);
    flowtrail.succeed(["rebuild", "traffic"]);
    flowtrail.succeed(["rebuild", "searches"]);
    flowtrail.succeed(["token", "create", "--name", "ci", "--scopes", "admin"]);
}
