//! What a page completes what is typed with: the fields of the language, and the values that lists show.

use model::access::Scope;
use serde_json::{Value, json};
use views::audit::Audit;
use views::lists::Facet;
use views::traffic::Traffic;

use super::counts::{asked, reader};
use super::world::World;

const AUDIT: &str = "/flowtrail/v1/audit";
const TRAFFIC: &str = "/flowtrail/v1/traffic";

async fn fields(world: &World, token: &str, family: &str) -> Vec<Value> {
    let answer = world.get(token, &format!("{family}/fields")).await;
    assert_eq!(answer.status, 200);
    answer.json()["fields"].as_array().unwrap().clone()
}

fn field<'a>(fields: &'a [Value], name: &str) -> &'a Value {
    fields.iter().find(|field| field["name"] == name).unwrap()
}

#[tokio::test]
async fn the_fields_are_those_of_the_language() {
    let (world, token) = reader().await;
    let (audit, traffic) = (fields(&world, &token, AUDIT).await, fields(&world, &token, TRAFFIC).await);
    let expected = json!({
        "name": "event_type", "aliases": ["activity_code", "type"], "kind": "text", "countable": true,
        "about": "the code alone, such as `route.add`",
    });
    assert_eq!(*field(&audit, "event_type"), expected);
    // What the language has nothing to add to is said by the schema of events.
    let expected = json!({
        "name": "resource_id", "aliases": ["target_id", "entity_id"], "kind": "text", "countable": true,
        "about": "what it was done to",
    });
    assert_eq!(*field(&audit, "resource_id"), expected);
    let expected = json!({
        "name": "connection", "aliases": ["connection_type"], "kind": "choice", "choices": ["P2P", "ROUTED"],
        "countable": true, "about": "`P2P`: the reporter is an end",
    });
    assert_eq!(*field(&traffic, "connection"), expected);
    for (fields, name, kind) in [
        (&audit, "time", "time"),
        (&audit, "ip", "address"),
        (&audit, "payload", "json"),
        (&audit, "http_status", "number"),
        (&traffic, "protocol", "protocol"),
    ] {
        assert_eq!(field(fields, name)["kind"], kind, "{name}");
    }
    let countable = |fields: &[Value]| -> Vec<String> {
        let countable = fields.iter().filter(|field| field["countable"] == true);
        countable.map(|field| field["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((countable(&audit), countable(&traffic)), (names::<Audit>(), names::<Traffic>()));
    assert!(audit.iter().chain(&traffic).all(|field| field["about"].as_str().is_some_and(|about| !about.is_empty())));
}

fn names<F: views::lists::Family>() -> Vec<String> {
    Facet::<F>::names().into_iter().map(str::to_owned).collect()
}

fn values(values: &[(&str, u64)]) -> Value {
    values.iter().map(|(value, count)| json!({ "value": value, "count": count })).collect()
}

#[tokio::test]
async fn values_are_the_most_frequent_that_begin_like_this() {
    let (world, token) = reader().await;
    let answer = asked(&world, &token, &format!("{AUDIT}/values?field=activity_code&prefix=ROUTE.&limit=1")).await;
    let expected = json!({
        "total": 4, "field": "activity_code", "values": values(&[("route.add", 2)]), "others": { "values": 1, "count": 1 },
    });
    assert_eq!(answer, expected);
    for (path, expected) in [
        ("audit/values?field=activity_code", values(&[("route.add", 2), ("route.delete", 1), ("user.login", 1)])),
        (
            "audit/values?field=activity_code&prefix=",
            values(&[("route.add", 2), ("route.delete", 1), ("user.login", 1)]),
        ),
        // Of what `q` and a period leave, and as lists show it.
        ("audit/values?field=type&prefix=r&q=status:failure", values(&[("route.delete", 1)])),
        ("audit/values?field=type&prefix=r&from=2024-01-01T01:00:00Z", values(&[("route.add", 1)])),
        ("audit/values?field=actor_name&prefix=ali", values(&[("Alice", 2)])),
        ("audit/values?field=actor_name&prefix=bob", values(&[])),
        ("audit/values?field=type&prefix=audit", values(&[])),
        ("audit/values?field=type&prefix=audit&reads=include", values(&[("audit.read", 1)])),
        ("traffic/values?field=source&prefix=10.0.0.", values(&[("10.0.0.1", 2), ("10.0.0.2", 1), ("10.0.0.3", 1)])),
        ("traffic/values?field=type&prefix=type_d", values(&[("TYPE_DROP", 1)])),
        ("traffic/values?field=dport&prefix=4", values(&[("443", 2)])),
    ] {
        assert_eq!(asked(&world, &token, &format!("/flowtrail/v1/{path}")).await["values"], expected, "{path}");
    }
    let judged = asked(&world, &token, &format!("{AUDIT}/values?field=type&q=http_status:%3E=500")).await;
    assert_eq!((&judged["values"], &judged["scanned"]), (&values(&[("route.delete", 1)]), &json!(4)));
}

#[tokio::test]
async fn a_mistake_is_a_problem_that_names_what_was_meant() {
    let (world, token) = reader().await;
    for (path, expected) in [
        ("audit/values", "field: is missing"),
        ("audit/values?prefix=a", "field: is missing"),
        ("audit/values?field=actr", "field: \"actr\" is no field: is actor meant?"),
        ("audit/values?field=actor,status", "field: \"actor,status\" is no field"),
        ("audit/values?field=actor&limit=1001", "limit: must be a whole number from 1 to 1000"),
        ("audit/values?field=actor&prefx=a", "prefx: is no parameter here: is prefix meant?"),
        (
            "traffic/values?field=dst&buckets=3",
            "buckets: is no parameter here; known are q, from, to, reads, field, prefix, limit",
        ),
        ("audit/fields?field=actor", "field: is no parameter here; there are none"),
    ] {
        let answer = world.get(&token, &format!("/flowtrail/v1/{path}")).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (400, Some("application/problem+json")));
        assert_eq!(answer.json()["detail"], expected, "{path}");
    }
    let told = world.get(&token, &format!("{AUDIT}/values?field=payload")).await.json();
    assert!(
        told["detail"].as_str().unwrap().starts_with("field: payload is no field to count by; those are activity,")
    );
}

#[tokio::test]
async fn values_of_another_account_are_never_told_and_every_read_is_recorded_once() {
    let (mut world, token) = reader().await;
    let theirs = world.silent_token("other", &[Scope::AuditRead, Scope::TrafficRead]);
    for (path, expected) in
        [("audit/values?field=actor&prefix=the", 9), ("traffic/values?field=reporter&prefix=the", 9)]
    {
        let path = format!("/flowtrail/v1/{path}");
        let (ours, of_other) = (asked(&world, &token, &path).await, asked(&world, &theirs, &path).await);
        assert_eq!((&ours["values"], &of_other["values"]), (&values(&[]), &values(&[("theirs", expected)])), "{path}");
    }
    // What is the same for every account is no read of a log.
    fields(&world, &token, AUDIT).await;
    world.end_recording().await;
    let said = |event: &Value| {
        let meta = &event["meta"];
        format!("{} {} {}", meta["question"].as_str().unwrap(), meta["filter"]["by"], meta["filter"]["prefix"])
    };
    let recorded: Vec<String> = world.recorded("main").await.iter().map(said).collect();
    assert_eq!(recorded, [r#"audit.facets ["actor"] "the""#, r#"traffic.facets ["reporter"] "the""#]);
}
