//! Events as they arrive, and all of them at once, over real connections.

use serde_json::{Value, json};
use testkit::{Chance, eventually};

use crate::flowtrail::{Flowtrail, Topology, UNLIMITED};

/// A tail that is read event by event.
struct Tail {
    answer: reqwest::Response,
    text: String,
    /// The last id.
    id: Option<String>,
}

impl Tail {
    async fn open(flowtrail: &Flowtrail, last: Option<&str>) -> Self {
        let request = flowtrail.request("GET", "/flowtrail/v1/audit/tail?q=type:door.open");
        let request = match last {
            Some(last) => request.header("Last-Event-ID", last),
            None => request,
        };
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        Self { answer, text: String::new(), id: last.map(str::to_owned) }
    }

    /// The events that the next piece brings; none at the end.
    async fn next(&mut self) -> Option<Vec<Value>> {
        let piece = self.answer.chunk().await.unwrap()?;
        self.text.push_str(std::str::from_utf8(&piece).unwrap());
        let mut events = Vec::new();
        let whole = self.text.rfind("\n\n").map_or(0, |end| end + 2);
        for line in self.text.drain(..whole).collect::<String>().lines() {
            match line.split_once(": ") {
                Some(("id", id)) => self.id = Some(id.to_owned()),
                Some(("data", data)) => events.push(serde_json::from_str(data).unwrap()),
                Some(_) | None => {}
            }
        }
        Some(events)
    }
}

async fn post(flowtrail: &Flowtrail, ids: &[String]) {
    let events: Vec<Value> = ids.iter().map(|id| json!({ "id": id, "event_type": "door.open" })).collect();
    let answer = flowtrail.request("POST", "/api/events/audit").json(&events).send().await.unwrap();
    assert_eq!(answer.status(), 202);
}

/// Publishes while a reader is cut off again and again: each event is told once, in order.
async fn follow(topology: Topology, events: usize) {
    let flowtrail = Flowtrail::start_with(topology, UNLIMITED).await;
    let ids: Vec<String> = (0..events).map(|number| format!("e{number:06}")).collect();
    let mut tail = Tail::open(&flowtrail, None).await;
    // Where to come back to is told at once.
    tail.next().await.unwrap();
    let publishing = async {
        for ids in ids.chunks(500) {
            post(&flowtrail, ids).await;
        }
    };
    let reading = async {
        let (mut chance, mut seen, mut breaks) = (Chance::new(7), Vec::new(), 0);
        while seen.len() < events {
            for event in tail.next().await.expect("it goes on") {
                seen.push(event["id"].as_str().unwrap().to_owned());
            }
            if breaks < 20 && seen.len() > breaks * events / 40 && chance.below(3) == 0 {
                breaks += 1;
                let last = tail.id.take();
                drop(tail);
                tail = Tail::open(&flowtrail, last.as_deref()).await;
            }
        }
        (seen, breaks)
    };
    let ((), (seen, breaks)) = tokio::join!(publishing, reading);
    assert_eq!(breaks, 20);
    assert!(seen == ids, "{} events of {events}", seen.len());
}

#[tokio::test]
async fn a_reader_that_is_cut_off_twenty_times_is_told_each_event_once_in_order() {
    follow(Topology::Together, 100_000).await;
}

#[tokio::test]
async fn a_gateway_apart_follows_with_the_least_rights_on_nats() {
    follow(Topology::LeastPrivilege, 5_000).await;
}

#[tokio::test]
async fn an_export_is_of_one_moment_while_reports_come_in() {
    let flowtrail = Flowtrail::start_with(Topology::Split, UNLIMITED).await;
    let report = |number: usize| json!({ "flow_id": format!("f{number}"), "reporter_id": "r", "rx_bytes": 1 });
    let post = async |numbers: std::ops::Range<usize>| {
        let reports: Vec<Value> = numbers.map(report).collect();
        let answer = flowtrail.request("POST", "/api/events/network-traffic").json(&reports).send().await.unwrap();
        assert_eq!(answer.status(), 202);
    };
    for first in (0..20_000).step_by(5000) {
        post(first..first + 5000).await;
    }
    flowtrail.has_traffic(20_000).await;
    let writing = async {
        for first in (20_000..40_000).step_by(1000) {
            post(first..first + 1000).await;
        }
    };
    let exporting = async {
        let (mut counts, mut last) = (Vec::new(), 0);
        for _ in 0..5 {
            let answer = flowtrail.request("GET", "/flowtrail/v1/traffic/export").send().await.unwrap();
            let as_of = answer.headers()["flowtrail-as-of"].to_str().unwrap().to_owned();
            let text = answer.text().await.unwrap();
            let mut flows: Vec<&str> = text.lines().collect();
            let end: Value = serde_json::from_str(flows.pop().unwrap()).unwrap();
            assert_eq!((&end["flowtrail"]["complete"], &end["flowtrail"]["as_of"]), (&json!(true), &json!(as_of)));
            let count = flows.len();
            assert_eq!(end["flowtrail"]["count"], count);
            flows.sort_unstable();
            flows.dedup();
            assert_eq!(flows.len(), count, "a record is there once");
            // Batches of reports are projected whole.
            assert!(count >= last && count.is_multiple_of(500), "{count} after {last}");
            last = count;
            counts.push(count);
        }
        counts
    };
    let ((), counts) = tokio::join!(writing, exporting);
    assert!(counts[0] >= 20_000, "{counts:?}");
    eventually("the last export has all of them", async || {
        let text =
            flowtrail.request("GET", "/flowtrail/v1/traffic/export?format=csv").send().await.unwrap().text().await;
        (text.unwrap().lines().count() == 40_001).then_some(())
    })
    .await;
}
