//! 1,000 random payloads, published over NATS and over HTTP: what comes back over the API, in a list and at a receiver of
//! each platform is what was published, by value and by the text of each number.

mod any_value;
mod receivers;

use std::collections::BTreeMap;

use model::json::{Json, as_text};
use serde::Deserialize;
use serde_json::value::RawValue;
use testkit::eventually;
use testkit::json::{Sample, samples};

use self::receivers::Receivers;
use crate::flowtrail::{Flowtrail, Topology, UNLIMITED};

const PAYLOADS: usize = 1000;

type Samples = BTreeMap<String, (Sample, String)>;

/// The fields of an audit event.
fn fields((sample, number): &(Sample, String)) -> String {
    let Sample { written, .. } = sample;
    format!(
        r#""event_type":"truth.told","event_payload":{{"v":{written}}},"latency_ms":{number},"meta":{{"v":{written}}},"of_no_field":[{written}]"#
    )
}

/// Publishes every other event over NATS, with an envelope of its own, and the rest as lines over HTTP.
async fn publish(flowtrail: &Flowtrail, samples: &Samples) {
    let jetstream = async_nats::jetstream::new(flowtrail.nats().await);
    let (mut sent, mut lines) = (Vec::new(), String::new());
    for (number, (id, sample)) in samples.iter().enumerate() {
        let fields = fields(sample);
        if number % 2 == 1 {
            lines.push_str(&format!("{{\"id\":\"{id}\",{}}}\n", fields.replace('\n', " ")));
            continue;
        }
        let event = format!(
            r#"{{"specversion":"1.0","id":"{id}","source":"/t","type":"flowtrail.audit.recorded.v1","data":{{{fields}}}}}"#
        );
        sent.push(jetstream.publish("flowtrail.v1.audit.main.truth", event.into()).await.unwrap());
    }
    for acknowledged in sent {
        acknowledged.await.unwrap();
    }
    let request = flowtrail.request("POST", "/api/events/audit").header("content-type", "application/x-ndjson");
    let answer = request.body(lines).send().await.unwrap();
    assert_eq!(answer.status(), 202, "{}", answer.text().await.unwrap());
}

#[derive(Deserialize)]
struct Shown {
    event_payload: Box<RawValue>,
    latency_ms: Box<RawValue>,
}

async fn comes_back_over_the_api(flowtrail: &Flowtrail, samples: &Samples) {
    for (id, (sample, number)) in samples {
        let text = eventually("it is in the view", async || {
            let answer = flowtrail.request("GET", &format!("/v1/audit/events/{id}")).send().await.unwrap();
            (answer.status() == 200).then_some(answer.text().await.unwrap())
        })
        .await;
        let shown: Shown = serde_json::from_str(&text).unwrap();
        assert_eq!(shown.event_payload.get(), format!("{{\"v\":{}}}", sample.expected), "{id}");
        assert_eq!(shown.latency_ms.get(), number, "{id}");
    }
}

#[derive(Deserialize)]
struct Listed {
    id: String,
    meta: BTreeMap<String, String>,
}

/// NetBird's list, which is what can be had of a log as a whole.
async fn comes_back_in_the_list(flowtrail: &Flowtrail, samples: &Samples) {
    let answer = flowtrail.request("GET", "/api/events/audit?activity_code=truth.told").send().await.unwrap();
    let rows: Vec<Listed> = answer.json().await.unwrap();
    assert_eq!(rows.len(), samples.len());
    for Listed { id, meta } in rows {
        let (Sample { expected, .. }, _) = &samples[&id];
        assert_eq!((&*meta["v"], &*meta["of_no_field"]), (&*as_text(expected), &*format!("[{expected}]")), "{id}");
    }
}

#[tokio::test]
async fn a_thousand_payloads_come_back_everywhere_as_they_were_written() {
    let flowtrail = Flowtrail::start_with(Topology::Together, UNLIMITED).await;
    let receivers = Receivers::start().await;
    receivers.integrate(&flowtrail).await;
    let samples: Samples =
        samples(PAYLOADS).into_iter().enumerate().map(|(number, sample)| (format!("t{number}"), sample)).collect();
    publish(&flowtrail, &samples).await;
    comes_back_over_the_api(&flowtrail, &samples).await;
    comes_back_in_the_list(&flowtrail, &samples).await;
    for platform in receivers::PLATFORMS {
        let got = eventually(platform, async || {
            let got = receivers.events(platform);
            (got.len() >= samples.len()).then_some(got)
        })
        .await;
        assert_eq!(got.len(), samples.len(), "{platform}");
        for (id, came) in got {
            let (Sample { expected, .. }, number) = &samples[&id];
            let meta = format!("{{\"of_no_field\":[{expected}],\"v\":{expected}}}");
            came.is(&format!("{{\"v\":{expected}}}"), number, &meta)
                .unwrap_or_else(|wrong| panic!("{platform}: {id}: {wrong}"));
        }
    }
}

/// The same JSON in its one form: escapes that need not be are none, and members are in order.
fn in_one_form(text: &str) -> String {
    Json::parse(text).map_or_else(|| format!("no JSON: {text}"), |json| json.as_str().to_owned())
}
