//! Alerts and the dashboard: Prometheus' own tool reads them, and what they name is in a real scrape.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::Command;

use reqwest::header::{ACCEPT, CONTENT_TYPE};
use serde_json::{Value, json};
use testkit::eventually;

use super::{documents, list, printed, promtool, python, reader, root, run, text};
use crate::flowtrail::{Flowtrail, Topology, not_run};
use crate::metrics::{SETTINGS, Scrape, integrate, publish};
use crate::receiver::Receiver;

const RULES: &str = "deploy/prometheus/rules.yml";
const DASHBOARD: &str = "deploy/grafana/flowtrail.json";
/// Prometheus gives these to all that it scrapes.
const OF_EVERY_TARGET: [&str; 2] = ["instance", "job"];

#[test]
fn promtool_takes_the_rules_and_they_pass_their_tests() {
    for arguments in [
        ["check", "rules", "rules.yml"].as_slice(),
        &["check", "config", "prometheus.yml"],
        &["test", "rules", "rules_test.yml"],
    ] {
        let Some(mut promtool) = promtool() else { return };
        let told = printed(promtool.args(arguments), "");
        assert!(told.contains("SUCCESS") && !told.contains("FAILED"), "{told}");
    }
}

#[test]
fn every_alert_is_tried_both_ways_and_has_its_entry_in_the_runbook() {
    let Some(python) = python() else { return };
    let alerts = alerts(&python);
    assert_eq!(alerts.len(), 15);
    let page = text("docs/operations.md");
    let tests = documents(&python, &["deploy/prometheus/rules_test.yml"]);
    let tests: Vec<&Value> = list(&tests[0]["tests"]).iter().flat_map(|test| list(&test["alert_rule_test"])).collect();
    for alert in &alerts {
        let name = alert["alert"].as_str().unwrap();
        assert!(["critical", "warning"].contains(&alert["labels"]["severity"].as_str().unwrap()), "{name}");
        for annotation in ["summary", "description"] {
            assert!(alert["annotations"][annotation].as_str().is_some_and(|text| !text.is_empty()), "{name}");
        }
        let tried: Vec<bool> = tests
            .iter()
            .filter(|test| test["alertname"] == name)
            .map(|test| !list(&test["exp_alerts"]).is_empty())
            .collect();
        assert!(tried.contains(&true) && tried.contains(&false), "{name} is tried as {tried:?}");
        // As GitHub makes an anchor of a heading.
        assert_eq!(alert["annotations"]["runbook"], format!("docs/operations.md#{}", name.to_lowercase()));
        let entry = page.split("\n### ").find(|entry| entry.lines().next() == Some(name));
        let entry = entry.unwrap_or_else(|| panic!("docs/operations.md has no entry for {name}"));
        for part in ["**It means**", "**Look**", "**Do**"] {
            assert!(entry.contains(part), "the entry for {name} has no {part}");
        }
    }
    let names: BTreeSet<&str> = alerts.iter().filter_map(|alert| alert["alert"].as_str()).collect();
    let entries =
        page.lines().filter_map(|line| line.strip_prefix("### ")).filter(|name| name.starts_with("Flowtrail"));
    assert_eq!(entries.collect::<BTreeSet<_>>(), names, "every entry is of an alert");
}

/// `just dashboard` draws it again.
#[test]
fn the_dashboard_is_drawn_from_its_text() {
    let Some(python) = python() else { return };
    if !run(Command::new(&python).args(["-c", "import grafana_foundation_sdk"]), "").status.success() {
        return not_run("Grafana's SDK wants Python 3.11");
    }
    let drawn = printed(Command::new(python).arg(root("deploy/grafana/draw.py")), "");
    assert!(drawn == text(DASHBOARD), "{DASHBOARD}: run just dashboard");
    let dashboard: Value = serde_json::from_str(&drawn).unwrap();
    let rows = list(&dashboard["panels"]).iter().filter(|panel| panel["type"] == "row").map(|row| &row["title"]);
    let rows: Vec<&Value> = rows.collect();
    assert_eq!(rows, ["Traffic in", "Views' lag", "Questions", "Delivery", "Streams and disk", "Process"]);
}

#[test]
fn promtool_takes_every_expression_of_the_dashboard() {
    let Some(mut promtool) = promtool() else { return };
    let asked = asked_by_the_dashboard();
    let rules: Vec<Value> = (0..)
        .zip(&asked)
        .map(|(number, asked)| json!({ "record": format!("asked:{number}"), "expr": asked.expression }))
        .collect();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("asked.yml");
    // JSON is YAML.
    std::fs::write(&path, json!({ "groups": [{ "name": "asked", "rules": rules }] }).to_string()).unwrap();
    let told = printed(promtool.args(["check", "rules"]).arg(path), "");
    assert!(told.contains(&format!("SUCCESS: {} rules found", asked.len())), "{told}");
}

#[tokio::test]
async fn what_alerts_and_the_dashboard_name_is_in_a_real_scrape() {
    let Some(python) = python() else { return };
    let (flowtrail, _receiver) = busy().await;
    let scrape = Scrape::read(scraped(&flowtrail, "application/openmetrics-text").await).await;
    let asked: Vec<Asked> = asked_by_alerts(&python).into_iter().chain(asked_by_the_dashboard()).collect();
    assert!(asked.len() > 50, "{}", asked.len());
    let expressions: Vec<&str> = asked.iter().map(|asked| asked.expression.as_str()).collect();
    let named = printed(&mut reader(&python, &["names"]), &json!(expressions).to_string());
    let named: Vec<Named> = serde_json::from_str(&named).unwrap();
    let missing: Vec<String> =
        asked.iter().zip(&named).flat_map(|(asked, named)| asked.missing(named, &scrape)).collect();
    assert!(missing.is_empty(), "not in a scrape:\n{}\n{}", missing.join("\n"), scrape.text);
}

#[tokio::test]
async fn promtool_finds_nothing_wrong_with_a_real_scrape_and_both_texts_tell_the_same() {
    let Some(mut promtool) = promtool() else { return };
    let (flowtrail, _receiver) = busy().await;
    let older = scraped(&flowtrail, "text/plain").await;
    let told = run(promtool.args(["check", "metrics"]), &older);
    let complaints = format!("{}{}", String::from_utf8_lossy(&told.stdout), String::from_utf8_lossy(&told.stderr));
    assert!(told.status.success() && complaints.is_empty(), "{complaints}\n{older}");
    let (older, newer) = (Scrape::read_older(older).await, scraped(&flowtrail, "*/*").await);
    assert_eq!(older.names(), Scrape::read(newer).await.names());
}

#[tokio::test]
async fn a_process_without_an_api_says_that_it_lives() {
    let flowtrail = Flowtrail::start_with(Topology::LeastPrivilege, SETTINGS).await;
    let urls: Vec<String> = flowtrail.metrics_urls().map(|url| url.replace("/metrics", "/healthz")).collect();
    assert_eq!(urls.len(), 4);
    for url in urls {
        let answer = reqwest::get(url).await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.text().await.unwrap(), r#"{"status":"alive"}"#);
    }
}

/// A Flowtrail that has done something of everything that is counted.
async fn busy() -> (Flowtrail, Receiver) {
    let flowtrail = Flowtrail::start_with(Topology::Together, SETTINGS).await;
    flowtrail.succeed(["retention", "audit", "--bytes", "1GiB", "--yes"]);
    let receiver = Receiver::start().await;
    integrate(&flowtrail, &flowtrail.token, &receiver).await;
    publish(&flowtrail, &flowtrail.token, "e", 1).await;
    let report = json!({ "id": "r", "reporter_id": "gw", "flow_id": "f", "type": "TYPE_START" });
    let answer = flowtrail.request("POST", "/api/events/network-traffic").json(&report).send().await.unwrap();
    assert_eq!(answer.status(), 202);
    flowtrail.has_traffic(1).await;
    // How far behind something is is looked for now and then.
    eventually("everything is counted", async || {
        let scrape = scraped(&flowtrail, "*/*").await;
        let late = [
            "flowtrail_delivery_last_success",
            "flowtrail_delivery_lag_seconds{",
            "flowtrail_view_lag_messages{",
            "flowtrail_troubles{",
        ];
        late.iter().all(|name| scrape.contains(name)).then_some(())
    })
    .await;
    (flowtrail, receiver)
}

/// What the operator's listener tells in this text.
async fn scraped(flowtrail: &Flowtrail, accept: &str) -> String {
    let request = reqwest::Client::new().get(flowtrail.metrics_urls().next().unwrap()).header(ACCEPT, accept);
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let media_type = answer.headers()[CONTENT_TYPE].to_str().unwrap().to_owned();
    let expected = if accept == "text/plain" { "text/plain; version=0.0.4" } else { "application/openmetrics-text" };
    assert!(media_type.starts_with(expected), "{media_type}");
    answer.text().await.unwrap()
}

/// The metrics that an expression names, each with the labels that it has to have.
type Named = BTreeMap<String, BTreeSet<String>>;

/// What Prometheus is asked.
struct Asked {
    /// Which alert or panel asks.
    place: String,
    expression: String,
    /// Labels that the texts next to it show.
    shown: BTreeSet<String>,
}

impl Asked {
    /// What it names and a scrape does not have.
    fn missing(&self, named: &Named, scrape: &Scrape) -> Vec<String> {
        let mut missing = Vec::new();
        let mut there: BTreeSet<&str> = OF_EVERY_TARGET.into();
        // Prometheus itself says of a target whether it is up.
        for (metric, wanted) in named.iter().filter(|(metric, _)| *metric != "up") {
            let labels = scrape.labels(metric);
            if labels.is_none() {
                missing.push(format!("{}: {metric}", self.place));
            }
            let labels = labels.unwrap_or_default();
            let lacks =
                |label: &&String| !labels.contains(label.as_str()) && !OF_EVERY_TARGET.contains(&label.as_str());
            missing.extend(wanted.iter().filter(lacks).map(|label| format!("{}: {metric} by {label}", self.place)));
            there.extend(labels);
        }
        let lacking = self.shown.iter().filter(|label| !there.contains(label.as_str()));
        missing.extend(lacking.map(|label| format!("{}: shows {label}", self.place)));
        missing
    }
}

fn alerts(python: &Path) -> Vec<Value> {
    let rules = documents(python, &[RULES]);
    list(&rules[0]["groups"]).iter().flat_map(|group| list(&group["rules"]).to_vec()).collect()
}

fn asked_by_alerts(python: &Path) -> Vec<Asked> {
    let asked = |alert: Value| {
        let texts = alert["annotations"].to_string();
        let is_of_a_name = |letter: char| letter.is_alphanumeric() || letter == '_';
        let shown =
            texts.split("$labels.").skip(1).map(|rest| rest.split(|letter| !is_of_a_name(letter)).next().unwrap());
        Asked {
            place: alert["alert"].as_str().unwrap().to_owned(),
            expression: alert["expr"].as_str().unwrap().to_owned(),
            shown: shown.map(str::to_owned).collect(),
        }
    };
    alerts(python).into_iter().map(asked).collect()
}

/// What its panels and choices ask.
fn asked_by_the_dashboard() -> Vec<Asked> {
    let dashboard: Value = serde_json::from_str(&text(DASHBOARD)).unwrap();
    let panels = list(&dashboard["panels"]).iter().filter(|panel| panel["type"] != "row");
    let mut asked = Vec::new();
    for panel in panels {
        for target in list(&panel["targets"]) {
            let legend = target["legendFormat"].as_str().unwrap();
            let shown = legend.split("{{").skip(1).map(|rest| rest.split("}}").next().unwrap().to_owned());
            asked.push(Asked {
                place: format!("the panel {}", panel["title"]),
                // Grafana puts its own into the place.
                expression: target["expr"].as_str().unwrap().replace("$__rate_interval", "5m"),
                shown: shown.collect(),
            });
        }
    }
    let choices = list(&dashboard["templating"]["list"]).iter().filter(|choice| choice["type"] == "query");
    asked.extend(choices.map(|choice| {
        let query = choice["query"].as_str().unwrap();
        let query = query.strip_prefix("label_values(").and_then(|query| query.strip_suffix(')')).unwrap();
        let (expression, label) = query.rsplit_once(", ").unwrap();
        let (place, expression) = (format!("the choice {}", choice["name"]), expression.to_owned());
        Asked { place, expression, shown: [label.to_owned()].into() }
    }));
    asked
}
