//! The numbers of `/metrics`, read by the Prometheus project's own parsers, are what happened, and show nobody else's.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};
use testkit::eventually;

use crate::flowtrail::{Flowtrail, Topology};
use crate::receiver::{Receiver, Reply};

/// Reads are not recorded, and every process shows its metrics.
pub(crate) const SETTINGS: &[(&str, &str)] =
    &[("FLOWTRAIL_AUDIT_READS", "false"), ("FLOWTRAIL_METRICS_LISTEN", "127.0.0.1:0")];

/// What a scrape brought.
pub(crate) struct Scrape {
    pub(crate) text: String,
    samples: Vec<(String, BTreeMap<String, String>, f64)>,
}

impl Scrape {
    /// Reads a text of OpenMetrics.
    pub(crate) async fn read(text: String) -> Self {
        Self::read_as("openmetrics", text).await
    }

    /// Reads a text of Prometheus' older format.
    pub(crate) async fn read_older(text: String) -> Self {
        Self::read_as("older", text).await
    }

    async fn read_as(format: &str, text: String) -> Self {
        let python =
            std::env::var_os("FLOWTRAIL_TEST_PYTHON").expect("run ./just test: it installs the Python clients");
        let mut command = Command::new(python);
        command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients/read_metrics.py")).arg(format);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let input = text.clone();
        let run = move || {
            let mut child = command.env("PYTHONDONTWRITEBYTECODE", "1").spawn().unwrap();
            child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
            child.wait_with_output().unwrap()
        };
        let output = tokio::task::spawn_blocking(run).await.unwrap();
        assert!(output.status.success(), "{}\n{text}", String::from_utf8_lossy(&output.stderr));
        Self { samples: serde_json::from_slice(&output.stdout).unwrap(), text }
    }

    /// The one sample of a name with these labels, and others.
    fn number(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let has = |known: &BTreeMap<String, String>| {
            labels.iter().all(|(name, value)| known.get(*name).is_some_and(|known| known == value))
        };
        let found: Vec<_> = self.samples.iter().filter(|(known, with, _)| known == name && has(with)).collect();
        assert!(found.len() <= 1, "{name} with {labels:?} is not one: {found:?}");
        found.first().map(|(_, _, number)| *number)
    }

    /// The names of all samples.
    pub(crate) fn names(&self) -> BTreeSet<&str> {
        self.samples.iter().map(|(name, _, _)| name.as_str()).collect()
    }

    /// The labels that samples of a name have; none where there is no such sample.
    pub(crate) fn labels(&self, name: &str) -> Option<BTreeSet<&str>> {
        let of_name = self.samples.iter().filter(|(known, _, _)| known == name).map(|(_, labels, _)| labels);
        of_name
            .map(|labels| labels.keys().map(String::as_str).collect())
            .reduce(|all, more: BTreeSet<&str>| &all | &more)
    }

    /// The accounts that are named.
    fn accounts(&self) -> Vec<&str> {
        let mut accounts: Vec<&str> =
            self.samples.iter().filter_map(|(_, labels, _)| labels.get("account")).map(String::as_str).collect();
        accounts.sort_unstable();
        accounts.dedup();
        accounts
    }
}

/// What `/metrics` of the API says to a token.
async fn scrape(flowtrail: &Flowtrail, token: &str) -> Scrape {
    let request = reqwest::Client::new().get(format!("{}/metrics", flowtrail.url));
    let answer = request.header("authorization", format!("Bearer {token}")).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "application/openmetrics-text; version=1.0.0; charset=utf-8");
    Scrape::read(answer.text().await.unwrap()).await
}

/// What the processes' own listeners say to anybody who asks, together.
async fn operators(flowtrail: &Flowtrail) -> Vec<Scrape> {
    let mut scrapes = Vec::new();
    for url in flowtrail.metrics_urls() {
        let answer = reqwest::get(url).await.unwrap();
        assert_eq!(answer.status(), 200);
        scrapes.push(Scrape::read(answer.text().await.unwrap()).await);
    }
    scrapes
}

/// Sends a request with a JSON body under a token.
async fn ask(flowtrail: &Flowtrail, token: &str, (method, path): (&str, &str), body: &Value) -> Value {
    let mut request = flowtrail.request(method, path).json(body).build().unwrap();
    request.headers_mut().insert("authorization", format!("Token {token}").parse().unwrap());
    let answer = flowtrail.execute(request).await;
    let (status, text) = (answer.status(), answer.text().await.unwrap());
    assert!(status.is_success(), "{status}: {text}");
    serde_json::from_str(&text).unwrap()
}

/// Makes an integration that delivers audit events, and gives its id.
pub(crate) async fn integrate(flowtrail: &Flowtrail, token: &str, receiver: &Receiver) -> u64 {
    let config = json!({ "url": receiver.url(), "events": "audit", "headers": "{\"X-Key\":\"Zq7-header\"}" });
    let body = json!({ "platform": "generic_http", "enabled": true, "config": config });
    ask(flowtrail, token, ("POST", "/api/event-streaming"), &body).await["id"].as_u64().unwrap()
}

/// Publishes events in so many requests of 50.
pub(crate) async fn publish(flowtrail: &Flowtrail, token: &str, prefix: &str, requests: usize) {
    for request in 0..requests {
        let events: Vec<Value> = (0..50)
            .map(|number| json!({ "id": format!("{prefix}-{request}-{number}"), "event_type": "door.open" }))
            .collect();
        ask(flowtrail, token, ("POST", "/api/events/audit"), &json!(events)).await;
    }
}

/// Waits until the receiver has everything and the status says so.
async fn is_even(flowtrail: &Flowtrail, id: u64, letters: u64) -> Value {
    eventually("it is even with the log", async || {
        let status = flowtrail.get(&format!("/api/event-streaming/{id}/status")).await;
        (status["lag_events"] == 0 && status["dead_lettered"] == letters).then_some(status)
    })
    .await
}

async fn numbers_are_what_happened(topology: Topology) {
    let flowtrail = Flowtrail::start_with(topology, SETTINGS).await;
    let main = flowtrail.token.clone();
    flowtrail.succeed(["account", "create", "other"]);
    let made = ["token", "create", "--account", "other", "--name", "t", "--scopes", "admin"];
    let other = flowtrail.succeed(made).trim().to_owned();
    let (ours, theirs) = (Receiver::start().await, Receiver::start().await);
    let id = integrate(&flowtrail, &main, &ours).await;
    integrate(&flowtrail, &other, &theirs).await;
    // One attempt fails and one event is refused for good.
    let mut failures = vec![503];
    ours.rule(move |id| Reply::Status(if id == "ours-1-7" { 400 } else { failures.pop().unwrap_or(200) }));
    publish(&flowtrail, &main, "ours", 4).await;
    publish(&flowtrail, &other, "theirs", 2).await;
    let status = is_even(&flowtrail, id, 1).await;

    let id_label = id.to_string();
    let ours_are = [("account", "main"), ("integration", id_label.as_str()), ("platform", "generic_http")];
    let with = |more: (&'static str, &'static str)| [ours_are.as_slice(), &[more]].concat();
    let audit = [("view", "audit")];
    // How far behind it is is looked for now and then, and the view takes its time.
    let even = eventually("the metrics say that all is even", async || {
        let scrapes = operators(&flowtrail).await;
        let is = |name: &str, labels: &[(&str, &str)], number: f64| {
            scrapes.iter().any(|scrape| scrape.number(name, labels) == Some(number))
        };
        let is_even = is("flowtrail_delivery_lag_messages", &ours_are, 0.0)
            && is("flowtrail_view_lag_messages", &audit, 0.0)
            && scrapes.iter().any(|scrape| scrape.number("flowtrail_projected_events_total", &audit) >= Some(300.0));
        is_even.then_some(scrapes)
    })
    .await;
    let (delivering, serving, projecting) = {
        let find = |name: &str| even.iter().find(|scrape| scrape.text.contains(name)).unwrap();
        (find("flowtrail_delivery_"), find("flowtrail_http_requests"), find("flowtrail_view_lag"))
    };
    assert_eq!(delivering.accounts(), ["main", "other"]);
    let number = |name: &str| delivering.number(name, &ours_are);
    assert_eq!(number("flowtrail_delivery_events_total"), status["delivered"].as_f64());
    assert_eq!(number("flowtrail_delivery_failed_attempts_total"), status["failed"].as_f64());
    assert!(status["delivered"].as_u64() >= Some(199) && status["failed"].as_u64() >= Some(2), "{status}");
    assert_eq!(number("flowtrail_delivery_dead_letters_total"), Some(1.0));
    assert_eq!(number("flowtrail_delivery_lag_seconds"), Some(0.0));
    assert!(number("flowtrail_delivery_last_success_timestamp_seconds") > Some(1.7e9));
    let attempts = number("flowtrail_delivery_attempt_duration_seconds_count").unwrap();
    assert!(attempts > status["failed"].as_f64().unwrap(), "{attempts}");
    for (state, is) in [("active", 1.0), ("paused", 0.0), ("failing", 0.0), ("suspended", 0.0)] {
        assert_eq!(delivering.number("flowtrail_delivery_state", &with(("state", state))), Some(is), "{state}");
    }
    let post = [("route", "/api/events/audit"), ("method", "POST")];
    let answered = [post.as_slice(), &[("status", "202")]].concat();
    assert_eq!(serving.number("flowtrail_http_requests_total", &answered), Some(6.0));
    assert_eq!(serving.number("flowtrail_http_request_duration_seconds_count", &post), Some(6.0));
    assert_eq!(serving.number("flowtrail_ingest_events_total", &[("family", "audit")]), Some(300.0));
    assert_eq!(projecting.number("flowtrail_projection_dead_letters_total", &audit), Some(0.0));
    assert!(projecting.number("flowtrail_view_lag_seconds", &audit).is_some());
    assert!(projecting.number("flowtrail_view_disk_bytes", &audit) > Some(0.0));
    let stream = [("stream", "FLOWTRAIL_AUDIT")];
    let held = ["messages", "bytes", "first_sequence", "last_sequence", "oldest_timestamp_seconds"];
    let [messages, bytes, first, last, oldest] =
        held.map(|name| projecting.number(&format!("flowtrail_stream_{name}"), &stream).unwrap());
    // Six requests, a message each, next to which the log may have recorded what the commands did.
    assert!(messages >= 6.0 && first == 1.0 && last >= messages && bytes > 300.0 && oldest > 1.7e9);
    for scrape in &even {
        assert_eq!(scrape.number("flowtrail_build_info", &[("version", env!("CARGO_PKG_VERSION"))]), Some(1.0));
        assert!(scrape.number("process_resident_memory_bytes", &[]) > Some(1e6));
        assert!(scrape.number("process_start_time_seconds", &[]) > Some(1.7e9));
    }

    // To a token, only its own account's are shown, and nobody's secrets anywhere.
    let (to_main, to_other) = (scrape(&flowtrail, &main).await, scrape(&flowtrail, &other).await);
    if topology == Topology::Together {
        assert_eq!((to_main.accounts(), to_other.accounts()), (vec!["main"], vec!["other"]));
    }
    for scrape in even.iter().chain([&to_main, &to_other]) {
        for secret in ["Zq7", "http:", "127.0.0.1", "/hook", main.as_str(), other.as_str()] {
            assert!(!scrape.text.contains(secret), "{secret} in {}", scrape.text);
        }
    }
    let less = flowtrail.succeed(["token", "create", "--name", "less", "--scopes", "audit:read,integrations:write"]);
    for (token, expected) in [(less.trim(), 403), ("ft_unknown", 401)] {
        let request = reqwest::Client::new().get(format!("{}/metrics", flowtrail.url)).bearer_auth(token);
        assert_eq!(request.send().await.unwrap().status(), expected);
    }

    // It is told from its log that a paused one falls behind; what is deleted has no numbers.
    let path = format!("/api/event-streaming/{id}");
    ask(&flowtrail, &main, ("POST", &format!("{path}/pause")), &json!({})).await;
    publish(&flowtrail, &main, "later", 1).await;
    eventually("it is paused and behind", async || {
        let scrapes = operators(&flowtrail).await;
        let is_behind = |scrape: &Scrape| {
            scrape.number("flowtrail_delivery_state", &with(("state", "paused"))) == Some(1.0)
                && scrape.number("flowtrail_delivery_lag_messages", &ours_are) >= Some(1.0)
        };
        scrapes.iter().any(is_behind).then_some(())
    })
    .await;
    ask(&flowtrail, &main, ("DELETE", &path), &json!({})).await;
    eventually("its numbers are gone", async || {
        let scrapes = operators(&flowtrail).await;
        let named: Vec<&str> = scrapes.iter().flat_map(Scrape::accounts).collect();
        (named == ["other"]).then_some(())
    })
    .await;
}

#[tokio::test]
async fn members_of_reports_over_nats_that_no_field_holds_are_counted_and_named_once() {
    let flowtrail = Flowtrail::start_with(Topology::Split, SETTINGS).await;
    let jetstream = async_nats::jetstream::new(flowtrail.nats().await);
    let report = |id: &str, more: Value| {
        let mut data = json!({ "flow_id": id, "protocol": 6, "user": { "id": "u" } });
        data.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "specversion": "1.0", "id": id, "source": "/gw", "type": "flowtrail.traffic.reported.v1", "data": data })
    };
    let odd = json!({ "protcol": 6, "user": { "id": "u", "mail\n": "m" } });
    // Of a batch the first is looked at.
    let batch = json!([report("f-2", odd.clone()), report("f-3", odd.clone())]);
    for message in [report("f-1", odd), batch] {
        jetstream.publish("flowtrail.v1.traffic.main.gw", message.to_string().into()).await.unwrap().await.unwrap();
    }
    flowtrail.has_traffic(3).await;
    let name = "flowtrail_reports_with_ignored_members_total";
    eventually("both reports are counted", async || {
        let scrapes = operators(&flowtrail).await;
        let counted: Vec<f64> = scrapes.iter().filter_map(|scrape| scrape.number(name, &[])).collect();
        (counted == [2.0]).then_some(())
    })
    .await;
    // The line is written behind the count.
    let told = eventually("both members are named", async || {
        let log = std::fs::read_to_string(flowtrail.logs()).unwrap();
        let told: Vec<String> = log
            .lines()
            .filter(|line| line.contains("a member of traffic reports is ignored"))
            .map(str::to_owned)
            .collect();
        (told.len() >= 2).then_some(told)
    })
    .await;
    assert_eq!(told.len(), 2, "{told:?}");
    for (line, member) in told.iter().zip(["protcol", r"user.mail\n"]) {
        for part in ["account=main", "position=FLOWTRAIL_TRAFFIC:1", member] {
            assert!(line.contains(part), "{part} is not in {line}");
        }
    }
}

#[tokio::test]
async fn numbers_are_what_happened_in_one_process() {
    numbers_are_what_happened(Topology::Together).await;
}

#[tokio::test]
async fn numbers_are_what_happened_with_the_least_rights_on_nats() {
    numbers_are_what_happened(Topology::LeastPrivilege).await;
}
