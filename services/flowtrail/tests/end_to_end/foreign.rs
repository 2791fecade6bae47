//! Two accounts that have the same ids, names and flows, and a token of one of them that asks for everything of the
//! other: nothing of it is ever seen, and what is foreign looks like what is missing.
//!
//! `just drill-foreign` makes 10,000 such calls: see the variable below.

use std::collections::BTreeMap;

use reqwest::header::AUTHORIZATION;
use serde_json::{Value, json};
use testkit::Chance;

use crate::flowtrail::{Flowtrail, Topology, UNLIMITED};

/// How many calls are made.
const CALLS: &str = "FLOWTRAIL_DRILL_CALLS";
/// Stands in everything of the foreign account, and in nothing that is ever sent for the other one.
const MARKER: &str = "marker-7f3a-of-the-foreign-account";
/// What is sent in searches: it is in all that has the marker.
const PART_OF_MARKER: &str = "marker-7f3a-of";
/// How many events, flows and integrations both accounts have, with the same ids.
const SHARED: usize = 5;
/// Counts of what lists show.
const COUNTS: [&str; 5] = [
    "/flowtrail/v1/audit/facets",
    "/flowtrail/v1/audit/histogram",
    "/flowtrail/v1/traffic/facets",
    "/flowtrail/v1/traffic/histogram",
    "/flowtrail/v1/traffic/top",
];
/// Saved searches.
const SEARCHES: &str = "/flowtrail/v1/searches";
/// Values of what lists show.
const VALUES: [&str; 4] = [
    "/flowtrail/v1/audit/values?field=actor",
    "/flowtrail/v1/audit/values?field=actor_name",
    "/flowtrail/v1/traffic/values?field=source",
    "/flowtrail/v1/traffic/values?field=user.email",
];
/// How many more the foreign one has.
const FOREIGN: usize = 5;
/// Headers that differ between any two answers.
const VOLATILE: [&str; 4] = ["x-request-id", "date", "flowtrail-as-of", "flowtrail-lag-ms"];

/// An answer, as far as it may be compared with another one.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    headers: BTreeMap<String, String>,
    body: String,
}

/// Something to ask for, and its twin.
#[derive(Clone, Debug)]
struct Call {
    method: &'static str,
    path: String,
    body: Option<String>,
}

/// Both accounts, and what is known of the foreign one.
struct Accounts {
    flowtrail: Flowtrail,
    foreign_token: String,
    own_token: String,
    /// A token that the foreign account's user has signed in for.
    signed_in: String,
    /// Ids of the foreign account's saved searches.
    searches: Vec<String>,
    /// Cursors of the foreign account, by the list they belong to.
    cursors: Vec<(&'static str, String)>,
}

/// An id that only the foreign account has, and one of the same length that nobody has.
fn ids(chance: &mut Chance) -> (String, String) {
    let number = chance.below(FOREIGN);
    (format!("foreign-{number}"), format!("missing-{number}"))
}

impl Accounts {
    async fn start() -> Self {
        let flowtrail = Flowtrail::start_with(Topology::Together, UNLIMITED).await;
        flowtrail.succeed(["account", "create", "own"]);
        let created = flowtrail.succeed(["token", "create", "--account", "own", "--name", "ci", "--scopes", "admin"]);
        let (foreign_token, own_token) = (flowtrail.token.clone(), created.trim().to_owned());
        let (signed_in, searches, cursors) = (String::new(), Vec::new(), Vec::new());
        let mut accounts = Self { flowtrail, foreign_token, own_token, signed_in, searches, cursors };
        let (foreign, own) = (accounts.foreign_token.clone(), accounts.own_token.clone());
        accounts.fill(&foreign, MARKER, SHARED + FOREIGN).await;
        accounts.fill(&own, "text-of-our-own", SHARED).await;
        accounts.sign_in().await;
        accounts.gather_cursors().await;
        accounts.gather_searches().await;
        accounts
    }

    /// Gives an account events, flows and integrations that all hold `text`.
    async fn fill(&self, token: &str, text: &str, count: usize) {
        let id = |number: usize| match number.checked_sub(SHARED) {
            None => format!("shared-{number}"),
            Some(foreign) => format!("foreign-{foreign}"),
        };
        let events: Vec<Value> = (0..count)
            .map(|number| {
                json!({
                    "id": id(number), "time": "2024-01-01T00:00:00Z", "event_type": "door.open", "actor_id": id(number),
                    "actor_name": text, "activity": text, "event_group": "door", "status": "success", "source": text,
                    "resource_type": "door", "resource_id": id(number), "user_name": text, "ip_address": "192.0.2.1",
                    "operation": "OPEN", "response": "SUCCESS", "value": text, "vm_id": id(number),
                    "session_id": id(number), "user_id": 7, "meta": {"text": text}, "event_payload": {"text": text},
                })
            })
            .collect();
        let flows: Vec<Value> = (0..count)
            .map(|number| {
                json!({
                    "id": id(number), "time": "2024-01-01T00:00:00Z", "flow_id": id(number), "reporter_id": "gateway",
                    "type": "TYPE_START", "protocol": 6, "direction": "EGRESS",
                    "source": {"id": id(number), "name": text, "address": "192.0.2.1:1"},
                    "destination": {"id": id(number), "name": text, "address": "192.0.2.2:2"},
                    "user": {"id": id(number), "email": format!("{text}@example.com"), "name": text},
                })
            })
            .collect();
        for (path, rows) in [("/api/events/audit", events), ("/api/events/network-traffic", flows)] {
            let answer = self.call(token, &Call::new("POST", path).with(&json!(rows))).await;
            assert_eq!(answer.status, 202, "{answer:?}");
        }
        for _ in 0..count {
            let config = json!({"api_key": text, "site": "datadoghq.com", "region": text});
            let integration = json!({"platform": "datadog", "enabled": false, "config": config});
            let answer = self.call(token, &Call::new("POST", "/api/event-streaming").with(&integration)).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            let search = json!({"name": text, "family": "audit", "q": text, "shared": true});
            let answer = self.call(token, &Call::new("POST", SEARCHES).with(&search)).await;
            assert_eq!(answer.status, 201, "{answer:?}");
        }
    }

    async fn sign_in(&mut self) {
        let password = std::fs::read_to_string(self.flowtrail.data().join("admin.password")).unwrap();
        let credentials = json!({"username": "admin@local", "password": password.trim()});
        let answer = self.call("", &Call::new("POST", "/api/ni/auth/token").with(&credentials)).await;
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        answer["token"].as_str().unwrap().clone_into(&mut self.signed_in);
    }

    async fn gather_cursors(&mut self) {
        for (path, query) in [
            ("/api/events/audit", "limit=2"),
            ("/api/events/audit", "limit=2&activity_code=door.open"),
            ("/api/events/network-traffic", "page_size=2"),
        ] {
            let answer = self.call(&self.foreign_token, &Call::new("GET", &format!("{path}?{query}"))).await;
            let (_, cursor) = answer.headers["link"].split_once("cursor=").unwrap();
            self.cursors.push((path, cursor.split(['&', '>']).next().unwrap().to_owned()));
        }
        let answer = self.call(&self.foreign_token, &Call::new("GET", "/v1/audit/events?limit=2")).await;
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        self.cursors.push(("/v1/audit/events", answer["next_cursor"].as_str().unwrap().to_owned()));
        let answer =
            self.call(&self.foreign_token, &Call::new("POST", "/api/ni/logs/audit").with(&json!({"size": 2}))).await;
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        self.cursors.push(("/api/ni/logs/audit", answer["cursor"].as_str().unwrap().to_owned()));
    }

    async fn gather_searches(&mut self) {
        let answer = self.call(&self.foreign_token, &Call::new("GET", SEARCHES)).await;
        let answer: Value = serde_json::from_str(&answer.body).unwrap();
        let ids = answer["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
        self.searches = ids.collect();
        assert_eq!(self.searches.len(), SHARED + FOREIGN);
    }

    async fn call(&self, token: &str, call: &Call) -> Answer {
        let mut request = self.flowtrail.request(call.method, &call.path);
        if let Some(body) = &call.body {
            request = request.body(body.clone());
        }
        let mut request = request.build().unwrap();
        request.headers_mut().remove(AUTHORIZATION);
        if !token.is_empty() {
            request.headers_mut().insert(AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
        }
        let answer = self.flowtrail.execute(request).await;
        let header = |(name, value): (&reqwest::header::HeaderName, &reqwest::header::HeaderValue)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        };
        let mut headers: BTreeMap<String, String> = answer.headers().iter().map(header).collect();
        headers.retain(|name, _| !VOLATILE.contains(&name.as_str()));
        Answer { status: answer.status().as_u16(), headers, body: answer.text().await.unwrap() }
    }

    /// Everything of the foreign account, as it sees itself.
    async fn foreign_view(&self) -> Vec<Answer> {
        let mut answers = Vec::new();
        for path in [
            "/api/events/audit?activity_code=door.open",
            "/api/events/network-traffic",
            "/api/event-streaming",
            SEARCHES,
        ] {
            answers.push(self.call(&self.foreign_token, &Call::new("GET", path)).await);
        }
        answers
    }
}

impl Call {
    fn new(method: &'static str, path: &str) -> Self {
        Self { method, path: path.to_owned(), body: None }
    }

    fn with(mut self, body: &Value) -> Self {
        self.body = Some(body.to_string());
        self
    }
}

/// Two calls that must be answered alike: for something foreign, and for something that nobody has.
fn pair(accounts: &Accounts, chance: &mut Chance) -> [Call; 2] {
    let (foreign, missing) = ids(chance);
    // Numbers of integrations: the foreign account has more of them.
    let number = SHARED + 1 + chance.below(FOREIGN);
    let numbers = [number.to_string(), (number + 1_000_000).to_string()];
    let both = |call: &dyn Fn(&str) -> Call| [call(&foreign), call(&missing)];
    match chance.below(16) {
        0 => both(&|id| Call::new("GET", &format!("/v1/audit/events/{id}"))),
        1 => {
            let name = ["event_group", "event_type", "status", "vm_id", "session_id"][chance.below(5)];
            both(&|id| Call::new("GET", &format!("/v1/audit/events?{name}={id}")))
        }
        2 => {
            let name = ["activity_code", "initiator_id", "user_id", "target_id", "search"][chance.below(5)];
            let path = ["/api/events/audit", "/api/events"][chance.below(2)];
            both(&|id| Call::new("GET", &format!("{path}?{name}={id}")))
        }
        3 => {
            let name = ["user_id", "reporter_id", "source_id", "destination_id", "search"][chance.below(5)];
            both(&|id| Call::new("GET", &format!("/api/events/network-traffic?{name}={id}")))
        }
        4 => {
            let name =
                ["user_name", "ip_address", "entity_id", "entity_type", "operation", "response"][chance.below(6)];
            both(&|id| Call::new("POST", "/api/ni/logs/audit").with(&json!({ name: id })))
        }
        5..=7 => {
            let root = ["/api/event-streaming", "/api/integrations/event-streaming"][chance.below(2)];
            let method = ["GET", "PUT", "DELETE"][chance.below(3)];
            let body = json!({"enabled": true, "config": {"site": "datadoghq.eu", "api_key": "****"}});
            numbers.map(|number| Call::new(method, &format!("{root}/{number}")).with(&body))
        }
        8..=9 => {
            let (list, cursor) = &accounts.cursors[chance.below(accounts.cursors.len())];
            let mut changed = cursor.clone().into_bytes();
            let at = chance.below(changed.len());
            changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
            let call = |cursor: &str| match *list {
                "/api/ni/logs/audit" => Call::new("POST", list).with(&json!({ "size": 2, "cursor": cursor })),
                _ => Call::new("GET", &format!("{list}?cursor={cursor}")),
            };
            [call(cursor), call(std::str::from_utf8(&changed).unwrap())]
        }
        10 => {
            // As an id, as a search and as an integration's number, a token is nothing.
            let path = ["/v1/audit/events/", "/api/events/audit?search=", "/api/event-streaming/"][chance.below(3)];
            let unknown = accounts.signed_in.chars().rev().collect::<String>();
            [accounts.signed_in.as_str(), &unknown].map(|token| Call::new("GET", &format!("{path}{token}")))
        }
        11 => {
            // Of the forms, CSV alone does not say as of when it is.
            let asked = ["audit/export?q=target:", "traffic/export?q=source:", "audit/export?q="][chance.below(3)];
            both(&|id| Call::new("GET", &format!("/flowtrail/v1/{asked}{id}&format=csv")))
        }
        12 => {
            let path = COUNTS[chance.below(COUNTS.len())];
            both(&|id| Call::new("GET", &format!("{path}?q={id}")))
        }
        13 => {
            let path = VALUES[chance.below(VALUES.len())];
            let asked = ["prefix", "q"][chance.below(2)];
            both(&|id| Call::new("GET", &format!("{path}&{asked}={id}")))
        }
        14 => {
            let method = ["GET", "PUT", "DELETE"][chance.below(3)];
            let id = accounts.searches[chance.below(accounts.searches.len())].as_str();
            let unknown = id.chars().rev().collect::<String>();
            let call = |id: &str| Call::new(method, &format!("{SEARCHES}/{id}")).with(&json!({"name": "x"}));
            [id, &unknown].map(call)
        }
        _ => {
            let path = ["/api/events/audit", "/api/events/network-traffic"][chance.below(2)];
            let unknown = PART_OF_MARKER.chars().rev().collect::<String>();
            [PART_OF_MARKER, &unknown].map(|text| Call::new("GET", &format!("{path}?search={text}")))
        }
    }
}

/// A call for what both accounts have, or for everything.
fn single(chance: &mut Chance) -> Call {
    let shared = format!("shared-{}", chance.below(SHARED));
    let page = 1 + chance.below(3);
    let number = 1 + chance.below(SHARED);
    match chance.below(14) {
        0 => Call::new("GET", &format!("/v1/audit/events/{shared}")),
        1 => Call::new("GET", &format!("/v1/audit/events?vm_id={shared}&limit={page}")),
        2 => Call::new("GET", "/v1/audit/catalog"),
        3 => Call::new("GET", &format!("/api/events/audit?target_id={shared}")),
        4 => Call::new("GET", &format!("/api/events?limit={page}")),
        5 => Call::new("GET", &format!("/api/events/network-traffic?page={page}&page_size=2")),
        6 => Call::new("POST", "/api/ni/logs/audit").with(&json!({"entity_id": shared, "size": page})),
        7 => Call::new("GET", &format!("/api/event-streaming/{number}")),
        8 => Call::new("PUT", &format!("/api/event-streaming/{number}")).with(&json!({"config": {"api_key": "****"}})),
        9 => Call::new("GET", "/api/event-streaming"),
        10 => Call::new("GET", &format!("/flowtrail/v1/{}/export", ["audit", "traffic"][chance.below(2)])),
        11 => Call::new("GET", COUNTS[chance.below(COUNTS.len())]),
        12 => Call::new("GET", VALUES[chance.below(VALUES.len())]),
        _ => {
            // The foreign account's event again, under its id, as one of our own.
            let event = json!({"id": format!("own-{page}"), "event_type": "door.close", "resource_id": shared});
            Call::new("POST", "/api/events/audit").with(&event)
        }
    }
}

/// The same answer with what was asked for left out of it.
fn without(mut answer: Answer, call: &Call) -> Answer {
    let asked = call.path.rsplit(['/', '=']).next().unwrap_or_default();
    if asked.parse::<u64>().is_ok() {
        // Nobody repeats a number, and other things have digits too.
        return answer;
    }
    for text in answer.headers.values_mut().chain([&mut answer.body]) {
        *text = text.replace(asked, "*");
    }
    answer
}

#[tokio::test]
async fn what_is_foreign_looks_like_what_is_missing_in_every_call() {
    let calls = std::env::var_os(CALLS).map_or(1000, |text| text.to_str().unwrap().parse().unwrap());
    let accounts = Accounts::start().await;
    let before = accounts.foreign_view().await;
    assert!(before.iter().all(|answer| answer.body.contains(MARKER) || answer.body.contains("****")), "{before:?}");
    let mut chance = Chance::new(2024);
    let mut made = 0;
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    let mut pairs = 0;
    while made < calls {
        let calls = if chance.below(4) == 0 { vec![single(&mut chance)] } else { pair(&accounts, &mut chance).into() };
        let mut answers = Vec::new();
        for call in &calls {
            let answer = accounts.call(&accounts.own_token, call).await;
            assert!(answer.status < 500, "{call:?}: {answer:?}");
            let seen = format!("{:?}{}", answer.headers, answer.body);
            assert!(!seen.contains(MARKER), "{call:?} shows what is foreign: {answer:?}");
            *statuses.entry(answer.status).or_default() += 1;
            answers.push(without(answer, call));
            made += 1;
        }
        if let [foreign, missing] = answers.as_slice() {
            assert_eq!(foreign, missing, "{calls:?}");
            pairs += 1;
        }
    }
    assert_eq!(accounts.foreign_view().await, before, "something foreign was changed");
    println!("{made} calls, {pairs} pairs of foreign and missing, alike each; statuses {statuses:?}");
}
