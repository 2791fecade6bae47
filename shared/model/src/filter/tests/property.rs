//! Judging is held equal to the naive telling of the language, over expressions and events of chance.

use chrono::DateTime;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Map, Value, json};

use super::super::*;
use super::naive::{Ask, Glob, Held, Is, Point, host_and_port};
use super::sample::{audit_event, report};
use super::{now, parsed};
use crate::traffic::Record;

const WORDS: [&str; 12] = [
    "alice",
    "Alice",
    "bob",
    "Bob Ähre",
    "route.add",
    "route.delete",
    "u1",
    "U1",
    "a*b",
    "success",
    "10.0.0.4",
    "x:y (z)",
];
const HOSTS: [&str; 9] = [
    "10.0.0.4",
    "110.0.0.4",
    "10.1.2.3:53",
    "10.0.0.4:1024",
    "2001:db8::5",
    "[2001:db8::5]:53",
    "[2001:db8:1::5]:443",
    "host:53",
    "Host",
];
const NUMBERS: [Point; 7] = [
    Point("0", 0., 1e-9),
    Point("53", 53., 53. + 1e-9),
    Point("1024", 1024., 1024. + 1e-9),
    Point("1k", 1000., 1000. + 1e-9),
    Point("1Ki", 1024., 1024. + 1e-9),
    Point("6", 6., 6. + 1e-9),
    Point("17", 17., 17. + 1e-9),
];
/// Spans in microseconds after this day's beginning.
const DAY: &str = "2026-01-31T00:00:00Z";
const SECOND: f64 = 1e6;
const TIMES: [Point; 5] = [
    Point("2026-01-31", 0., 86_400. * SECOND),
    Point("2026-01-31T12:00", 43_200. * SECOND, 43_260. * SECOND),
    Point("2026-01-31T13:00:00+01:00", 43_200. * SECOND, 43_201. * SECOND),
    // It is 12 o'clock.
    Point("now-1h", 39_600. * SECOND, 39_600. * SECOND + 1.),
    Point("2026-01-31 11:00:00.000000", 39_600. * SECOND, 39_600. * SECOND + 1.),
];
const EVENT_TIMES: [&str; 5] = [
    "2026-01-31T12:00:00Z",
    "2026-01-31T11:00:00Z",
    "2026-01-31T12:00:59.999999Z",
    "2026-01-30T23:59:59.999999Z",
    "2026-02-01T00:00:00Z",
];

fn micros(text: &str) -> f64 {
    let micros = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().timestamp_micros();
    (micros(text) - micros(DAY)) as f64
}

fn globs() -> impl Strategy<Value = Vec<Glob>> {
    let glob =
        || prop_oneof![4 => select(&WORDS[..]).prop_map(Glob::Text), 2 => Just(Glob::Star), 1 => Just(Glob::Question)];
    let part = (select(&WORDS[..]), 0..3usize, 0..4usize).prop_map(|(word, skip, take)| {
        let from = word.char_indices().nth(skip).map_or(word.len(), |at| at.0);
        let to = word[from..].char_indices().nth(take).map_or(word.len(), |at| from + at.0);
        [Glob::Star, Glob::Text(&word[from..to]), Glob::Star].to_vec()
    });
    prop_oneof![
        3 => select(&WORDS[..]).prop_map(|word| vec![Glob::Text(word)]),
        2 => part,
        1 => select(&WORDS[..]).prop_map(|word| vec![Glob::Question, Glob::Text(&word[1..])]),
        1 => prop::collection::vec(glob(), 1..4),
    ]
}

fn limit(points: &'static [Point]) -> impl Strategy<Value = Option<(Point, bool)>> {
    prop::option::weighted(0.7, (select(points), any::<bool>()))
}

fn points(points: &'static [Point]) -> BoxedStrategy<Is> {
    prop_oneof![
        select(points).prop_map(Is::Exactly),
        (limit(points), limit(points)).prop_map(|(low, high)| Is::Between(low, high)),
    ]
    .boxed()
}

fn networks() -> impl Strategy<Value = Is> {
    prop_oneof![
        (select(&["10.0.0.4", "10.0.0.0", "10.1.2.3", "110.0.0.4", "0.0.0.0"][..]), 0..=32u8),
        (select(&["2001:db8::5", "2001:db8:1::", "::"][..]), 0..=128u8),
    ]
    .prop_map(|(network, length)| Is::In(network, length))
}

/// What a field of each kind may be asked.
fn is(kind: Kind) -> BoxedStrategy<Is> {
    let like = globs().prop_map(Is::Like);
    let wanted = match kind {
        Kind::Text => like.boxed(),
        Kind::Number | Kind::Protocol => points(&NUMBERS),
        Kind::Time => points(&TIMES),
        Kind::Address => {
            // A text that looks like an address and is none is a mistake.
            let hosts = select(&["host", "Host", "ho*", "*:53", "10.0.*"][..]).prop_map(|text| Is::Like(star(text)));
            prop_oneof![networks(), hosts].boxed()
        }
        Kind::Json => {
            let between = (limit(&NUMBERS), limit(&NUMBERS));
            prop_oneof![like, between.prop_map(|(low, high)| Is::Between(low, high))].boxed()
        }
        Kind::Choice(choices) => select(choices).prop_map(|choice| Is::Like(vec![Glob::Text(choice)])).boxed(),
    };
    prop_oneof![1 => Just(Is::There), 6 => wanted].boxed()
}

fn star(text: &'static str) -> Vec<Glob> {
    let mut globs = Vec::new();
    for (index, part) in text.split('*').enumerate() {
        if index > 0 {
            globs.push(Glob::Star);
        }
        globs.push(Glob::Text(part));
    }
    globs
}

fn asks<F: Family>(paths: &'static [&'static str]) -> impl Strategy<Value = Ask> {
    let described = F::fields().into_iter().map(F::describe);
    let named = described.flat_map(|field| {
        [field.name].into_iter().chain(field.other_names.iter().copied()).map(move |name| (name, field.kind))
    });
    let names: Vec<(&str, Kind)> = named.chain(paths.iter().map(|path| (*path, Kind::Json))).collect();
    let field = select(names).prop_flat_map(|(name, kind)| {
        (prop::collection::vec(is(kind), 1..3), any::<bool>())
            .prop_map(move |(wanted, is_any)| Ask::Field(name, wanted, is_any))
    });
    let leaf = prop_oneof![5 => field, 1 => globs().prop_map(Ask::Word)];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let several = prop::collection::vec(inner.clone(), 1..4);
        prop_oneof![
            several.clone().prop_map(Ask::All),
            several.prop_map(Ask::Any),
            inner.prop_map(|part| Ask::Not(Box::new(part))),
        ]
    })
}

/// An object with some of these members.
fn some(members: Vec<(&'static str, BoxedStrategy<Value>)>) -> BoxedStrategy<Value> {
    let one = |(name, value): (&'static str, BoxedStrategy<Value>)| {
        prop::option::of(value).prop_map(move |value| value.map(|value| (name.to_owned(), value)))
    };
    let members: Vec<_> = members.into_iter().map(one).collect();
    members.prop_map(|members| Value::Object(members.into_iter().flatten().collect())).boxed()
}

fn of(texts: &'static [&'static str]) -> BoxedStrategy<Value> {
    select(texts).prop_map(Value::from).boxed()
}

fn whole() -> BoxedStrategy<Value> {
    select(&[0, 6, 17, 53, 1000, 1024, 1025][..]).prop_map(Value::from).boxed()
}

fn nested() -> BoxedStrategy<Value> {
    let scalar = || prop_oneof![of(&WORDS), whole(), Just(Value::Null), Just(json!(true)), Just(json!(1024.5))].boxed();
    let inner = some(vec![("owner", scalar()), ("n", scalar())]);
    let list = prop::collection::vec(prop_oneof![scalar(), inner.clone()], 0..3).prop_map(Value::from).boxed();
    some(vec![("owner", scalar()), ("in", inner), ("list", list)])
}

fn audit_data() -> impl Strategy<Value = Value> {
    let texts = [
        "activity",
        "event_group",
        "status",
        "source",
        "actor_type",
        "actor_id",
        "actor_name",
        "actor_email",
        "resource_type",
        "resource_id",
        "session_id",
        "vm_id",
        "request_id",
        "correlation_id",
        "http_method",
        "path",
        "user_agent",
        "worker_id",
        "error_message",
        "user_name",
        "operation",
        "response",
        "value",
    ];
    let mut members: Vec<_> = texts.into_iter().map(|name| (name, of(&WORDS))).collect();
    members.extend(["user_id", "task_id", "http_status"].map(|name| (name, whole())));
    members.extend(["ip_address", "node_ip"].map(|name| (name, of(&HOSTS))));
    members.push(("latency_ms", prop_oneof![whole(), Just(json!(1024.5))].boxed()));
    members.extend([("meta", nested()), ("event_payload", nested())]);
    (some(members), select(&["route.add", "route.delete", "u1"][..]), select(&EVENT_TIMES[..])).prop_map(
        |(mut data, event_type, time)| {
            data["event_type"] = json!(event_type);
            data["time"] = json!(time);
            data
        },
    )
}

fn end() -> BoxedStrategy<Value> {
    let mut members: Vec<_> = ["id", "name", "os", "dns_label"].into_iter().map(|name| (name, of(&WORDS))).collect();
    members.push(("address", of(&HOSTS)));
    members.push(("type", of(&["PEER", "ROUTE"])));
    members.push(("geo_location", some(vec![("city_name", of(&WORDS)), ("country_code", of(&WORDS))])));
    some(members)
}

fn report_data() -> impl Strategy<Value = Value> {
    let mut members = vec![("source", end()), ("destination", end())];
    let user = ["id", "name", "email"].into_iter().map(|name| (name, of(&WORDS))).collect();
    members.push(("user", some(user)));
    members.push(("policy", some(vec![("id", of(&WORDS)), ("name", of(&WORDS))])));
    members.push(("type", of(&["TYPE_START", "TYPE_END", "TYPE_DROP", "TYPE_UNKNOWN"])));
    members.push(("direction", of(&["INGRESS", "EGRESS"])));
    members.push(("icmp", Just(json!({ "type": 53, "code": 6 })).boxed()));
    let numbers = [
        "protocol",
        "rx_bytes",
        "rx_packets",
        "tx_bytes",
        "tx_packets",
        "num_of_starts",
        "num_of_ends",
        "num_of_drops",
    ];
    members.extend(numbers.map(|name| (name, whole())));
    members.push(("window_end", of(&EVENT_TIMES)));
    (some(members), select(&EVENT_TIMES[..])).prop_map(|(mut data, time)| {
        data["time"] = json!(time);
        data["flow_id"] = json!("u1");
        data["reporter_id"] = json!("alice");
        data
    })
}

fn text_of(value: &Value) -> Option<String> {
    value.as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}

fn texts(values: &[&Value]) -> Vec<Held> {
    values.iter().filter_map(|value| text_of(value)).map(Held::Text).collect()
}

fn ids(value: &Value) -> Vec<Held> {
    text_of(value).map(Held::Id).into_iter().collect()
}

fn hosts(values: &[&Value]) -> Vec<Held> {
    values.iter().filter_map(|value| text_of(value)).map(Held::Host).collect()
}

fn numbers(value: &Value) -> Vec<Held> {
    value.as_f64().map(Held::Number).into_iter().collect()
}

fn times(value: &Value) -> Vec<Held> {
    value.as_str().map(|text| Held::Number(micros(text))).into_iter().collect()
}

/// The ends of a path, through all elements of arrays.
fn reached(value: &Value, path: &[&str]) -> Vec<Held> {
    match (value, path) {
        (Value::Array(elements), _) => elements.iter().flat_map(|element| reached(element, path)).collect(),
        (value, []) => vec![Held::Json(value.clone())],
        (Value::Object(members), [name, path @ ..]) => {
            members.get(*name).map(|member| reached(member, path)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// What an audit event's JSON says under a name of the language.
fn audit_values(event: &Value, name: &str) -> Vec<Held> {
    let given = &event["given"];
    let event_type = event["event_type"].as_str().unwrap();
    let or = |own: &Value, default: &str| texts(&[&Value::from(text_of(own).unwrap_or_else(|| default.to_owned()))]);
    let is_success = text_of(&given["status"]).is_none_or(|status| status == "success");
    let payload = if given["event_payload"].is_null() { &given["meta"] } else { &given["event_payload"] };
    let actor = [&given["user_name"], &given["actor_email"], &given["actor_name"], &given["actor_id"]];
    let known = crate::audit::known_text(event_type).unwrap_or(event_type);
    match name {
        "id" => ids(&event["id"]),
        "time" | "timestamp" | "created_at" => times(&event["time"]),
        "activity" => [texts(&[&event["event_type"]]), or(&given["activity"], known)].concat(),
        "event_type" | "activity_code" | "type" => texts(&[&event["event_type"]]),
        "event_group" | "group" => or(&given["event_group"], event_type.split('.').next().unwrap()),
        "status" => or(&given["status"], "success"),
        "source" => texts(&[&event["source"]]),
        "actor" | "initiator" | "user" => {
            [ids(&given["actor_id"]), texts(&[&given["actor_name"], &given["actor_email"]])].concat()
        }
        "actor_type" => or(&given["actor_type"], if given["actor_id"].is_null() { "system" } else { "user" }),
        "name" => texts(&[&given["actor_name"], &given["actor_email"]]),
        "email" | "mail" | "initiator_email" => texts(&[&given["actor_email"]]),
        "initiator_name" => texts(&[&given["actor_name"]]),
        "initiator_id" => ids(&given["actor_id"]),
        "resource" | "target" | "entity" => [texts(&[&given["resource_type"]]), ids(&given["resource_id"])].concat(),
        "target_id" | "entity_id" => ids(&given["resource_id"]),
        "entity_type" => texts(&[&given["resource_type"]]),
        "ip" => hosts(&[&given["ip_address"], &given["node_ip"]]),
        "ip_address" | "node_ip" => hosts(&[&given[name]]),
        "user_name" | "username" => texts(&[actor.into_iter().find(|name| !name.is_null()).unwrap_or(&Value::Null)]),
        "operation" => or(&given["operation"], &event_type.rsplit('.').next().unwrap().to_uppercase()),
        "response" => or(&given["response"], if is_success { "SUCCESS" } else { "FAILURE" }),
        "value" => or(&given["value"], &if payload.is_null() { String::new() } else { payload.to_string() }),
        "error" => texts(&[&given["error_message"]]),
        "agent" => texts(&[&given["user_agent"]]),
        "method" => texts(&[&given["http_method"]]),
        "correlation" | "vm" | "session" => ids(&given[format!("{name}_id")]),
        "user_id" | "task_id" | "http_status" | "latency_ms" => numbers(&given[name]),
        "payload" | "event_payload" if payload.is_null() => Vec::new(),
        "meta" if given["meta"].is_null() => Vec::new(),
        "payload" | "event_payload" => reached(payload, &[]),
        "meta" => reached(&given["meta"], &[]),
        "path" => ids(&given["path"]),
        name if name.contains('.') => {
            let path: Vec<&str> = name.split('.').collect();
            reached(if path[0] == "meta" { &given["meta"] } else { payload }, &path[1..])
        }
        name if name.ends_with("_id") => ids(&given[name]),
        name => texts(&[&given[name]]),
    }
}

fn audit_searched(event: &Value) -> Vec<String> {
    let given = &event["given"];
    let own = ["actor_id", "actor_name", "actor_email", "resource_id", "ip_address"];
    let own = own.iter().filter_map(|name| text_of(&given[*name]));
    let json = ["meta", "event_payload"].iter().map(|name| &given[*name]).filter(|json| !json.is_null());
    let said = audit_values(event, "activity").into_iter().filter_map(|value| match value {
        Held::Text(text) => Some(text),
        _ => None,
    });
    own.chain(json.map(Value::to_string)).chain(said).collect()
}

/// What a traffic record's JSON says under a name of the language.
fn traffic_values(record: &Value, name: &str) -> Vec<Held> {
    let (source, destination, user) = (&record["source"], &record["destination"], &record["user"]);
    let events: Vec<(f64, &str)> = record["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (micros(event["timestamp"].as_str().unwrap()), event["type"].as_str().unwrap()))
        .collect();
    let first = events.iter().map(|event| event.0).fold(f64::INFINITY, f64::min);
    let last = events.iter().map(|event| event.0).fold(f64::NEG_INFINITY, f64::max);
    let count = |kind: &str, given: &str| {
        let known = events.iter().filter(|event| event.1 == kind).count() as f64;
        known.max(record[given].as_f64().unwrap_or(0.))
    };
    let kinds = [
        ("TYPE_START", "given_starts"),
        ("TYPE_END", "given_ends"),
        ("TYPE_DROP", "given_drops"),
        ("TYPE_UNKNOWN", "none"),
    ];
    let sum =
        |one: &str, other: &str| vec![Held::Number(record[one].as_f64().unwrap() + record[other].as_f64().unwrap())];
    let ports = |end: &Value| text_of(&end["address"]).and_then(|address| host_and_port(&address).1).map(Held::Number);
    let whole_end =
        |end: &Value| [ids(&end["id"]), texts(&[&end["name"], &end["dns_label"]]), hosts(&[&end["address"]])].concat();
    let reporter = &record["key"]["reporter_id"];
    match name {
        "id" => {
            let record: Record = serde_json::from_value(record.clone()).unwrap();
            vec![Held::Id(record.key.id().to_string())]
        }
        "time" | "timestamp" => vec![Held::Number(first)],
        "received" | "receive_timestamp" | "received_at" => times(&record["received_at"]),
        "window_start" => vec![Held::Number(record["key"]["window_start"].as_str().map_or(first, micros))],
        "window_end" => vec![Held::Number(record["given_window_end"].as_str().map_or(last, micros))],
        "flow" | "flow_id" => ids(&record["key"]["flow_id"]),
        "reporter" | "reporter_id" => ids(reporter),
        "type" | "event_type" | "activity" => {
            kinds.iter().filter(|kind| count(kind.0, kind.1) > 0.).map(|kind| Held::Id(kind.0.to_owned())).collect()
        }
        "direction" => ids(&record["direction"]),
        "connection" | "connection_type" => {
            let is_end = source["id"] == *reporter || destination["id"] == *reporter;
            vec![Held::Id(if is_end { "P2P" } else { "ROUTED" }.to_owned())]
        }
        "protocol" | "proto" => numbers(&record["protocol"]),
        "icmp_type" | "icmp.type" => numbers(&record["icmp"]["icmp_type"]),
        "icmp_code" | "icmp.code" => numbers(&record["icmp"]["code"]),
        "ip" | "address" => hosts(&[&source["address"], &destination["address"]]),
        "src" => hosts(&[&source["address"]]),
        "dst" => hosts(&[&destination["address"]]),
        "port" => ports(source).into_iter().chain(ports(destination)).collect(),
        "sport" => ports(source).into_iter().collect(),
        "dport" => ports(destination).into_iter().collect(),
        "source" => whole_end(source),
        "destination" => whole_end(destination),
        "country" => texts(&[&source["geo_location"]["country_code"], &destination["geo_location"]["country_code"]]),
        "name" => texts(&[&source["name"], &destination["name"], &user["name"], &record["policy"]["name"]]),
        "user" | "actor" => [ids(&user["id"]), texts(&[&user["name"], &user["email"]])].concat(),
        "user_id" => ids(&user["id"]),
        "user_name" => texts(&[&user["name"]]),
        "email" | "mail" => texts(&[&user["email"]]),
        "policy" => [ids(&record["policy"]["id"]), texts(&[&record["policy"]["name"]])].concat(),
        "policy_id" => ids(&record["policy"]["id"]),
        "policy_name" => texts(&[&record["policy"]["name"]]),
        "source_id" => ids(&source["id"]),
        "destination_id" => ids(&destination["id"]),
        "bytes" => sum("rx_bytes", "tx_bytes"),
        "packets" => sum("rx_packets", "tx_packets"),
        "starts" | "num_of_starts" => vec![Held::Number(count("TYPE_START", "given_starts"))],
        "ends" | "num_of_ends" => vec![Held::Number(count("TYPE_END", "given_ends"))],
        "drops" | "num_of_drops" => vec![Held::Number(count("TYPE_DROP", "given_drops"))],
        "rx_bytes" | "tx_bytes" | "rx_packets" | "tx_packets" => numbers(&record[name]),
        name => {
            let (part, field) = name.split_once('.').unwrap_or_else(|| panic!("{name} has no meaning"));
            let part = match part {
                "src" => source,
                "dst" => destination,
                part => &record[part],
            };
            match field {
                "id" | "type" => ids(&part[field]),
                "address" => hosts(&[&part["address"]]),
                "port" => ports(part).into_iter().collect(),
                "city" | "geo_location.city_name" => texts(&[&part["geo_location"]["city_name"]]),
                "country" | "geo_location.country_code" => texts(&[&part["geo_location"]["country_code"]]),
                field => texts(&[&part[field]]),
            }
        }
    }
}

fn traffic_searched(record: &Value) -> Vec<String> {
    let (source, destination) = (&record["source"], &record["destination"]);
    let own =
        [&source["name"], &source["address"], &destination["name"], &destination["address"], &record["user"]["email"]];
    own.into_iter().filter_map(text_of).collect()
}

const PATHS: [&str; 8] = [
    "meta.owner",
    "meta.in.n",
    "meta.list",
    "meta.list.owner",
    "payload.owner",
    "payload.in.owner",
    "payload.list.n",
    "event_payload.in",
];

/// Reads what an expression writes of itself: it must ask for the same.
fn again<F: Family>(expression: &Expression) -> Filter<F> {
    let written = expression.to_string();
    let read = parsed(&written);
    assert_eq!(read.to_string(), written);
    Filter::new(&read, Some(now())).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6000))]

    #[test]
    fn audit_events_are_judged_as_the_language_is_told(ask in asks::<Audit>(&PATHS), data in audit_data()) {
        let event = audit_event(&data);
        let json = serde_json::to_value(&event).unwrap();
        let expression = parsed(&ask.text());
        let filter = Filter::<Audit>::new(&expression, Some(now())).unwrap();
        let expected = ask.holds(&|name| audit_values(&json, name), &audit_searched(&json));
        prop_assert_eq!(filter.matches(&event), expected, "{} of {}", ask.text(), json);
        prop_assert_eq!(again::<Audit>(&expression), filter);
    }

    #[test]
    fn traffic_records_are_judged_as_the_language_is_told(
        ask in asks::<Traffic>(&[]), reports in prop::collection::vec(report_data(), 1..3)
    ) {
        let mut records = reports.iter().map(|data| Record::from(&report(data)).owned());
        let mut record = records.next().unwrap();
        records.for_each(|other| record.merge(&other));
        let json = serde_json::to_value(&record).unwrap();
        let expression = parsed(&ask.text());
        let filter = Filter::<Traffic>::new(&expression, Some(now())).unwrap();
        let expected = ask.holds(&|name| traffic_values(&json, name), &traffic_searched(&json));
        prop_assert_eq!(filter.matches(&record), expected, "{} of {}", ask.text(), json);
        prop_assert_eq!(&again::<Traffic>(&expression), &filter);
        let first = report(&reports[0]);
        let (matcher, alone) = (filter.matches_report(&first), Record::from(&first).owned());
        prop_assert_eq!(matcher, filter.matches(&alone));
    }

    #[test]
    fn any_text_is_an_expression_or_a_mistake_in_it(text in "[ a-cA-OR():*?\"\\\\\\[\\]{}<>=.,0-9é-]{0,40}") {
        match text.parse::<Expression>() {
            Ok(expression) => {
                let written = expression.to_string();
                prop_assert_eq!(parsed(&written).to_string(), written);
            }
            Err(mistake) => prop_assert!(mistake.column <= text.chars().count() + 1),
        }
    }
}

#[test]
fn chance_asks_what_holds_and_what_does_not() {
    use proptest::strategy::ValueTree;
    use proptest::test_runner::TestRunner;
    let mut runner = TestRunner::deterministic();
    let mut held = Map::new();
    for _ in 0..500 {
        let ask = asks::<Audit>(&PATHS).new_tree(&mut runner).unwrap().current();
        let event = audit_event(&audit_data().new_tree(&mut runner).unwrap().current());
        let filter = Filter::<Audit>::new(&parsed(&ask.text()), Some(now())).unwrap();
        let count = held.entry(filter.matches(&event).to_string()).or_insert(json!(0));
        *count = json!(count.as_u64().unwrap() + 1);
    }
    assert!(held.values().all(|count| count.as_u64().unwrap() > 100) && held.len() == 2, "{held:?}");
}
