//! A gateway that is told to end leaves in good order: busy clients are answered or refused, and nobody is cut off.

use std::error::Error;
use std::io::ErrorKind;

use serde_json::json;
use tokio::task::JoinSet;

use crate::flowtrail::{Flowtrail, Topology, UNLIMITED, http_client};

const CLIENTS: usize = 20;
const RESTARTS: usize = 3;

/// Whether a request never reached anybody: nobody listens.
fn is_refused(error: &reqwest::Error) -> bool {
    let mut cause = error.source();
    while let Some(error) = cause {
        if error.downcast_ref::<std::io::Error>().is_some_and(|error| error.kind() == ErrorKind::ConnectionRefused) {
            return true;
        }
        cause = error.source();
    }
    false
}

/// Asks without a pause until nobody listens, and gives how many requests were answered, and what went wrong.
async fn busy(url: String, token: String, client: usize) -> (usize, Vec<String>) {
    let (http, mut answered, mut wrong) = (http_client(), 0, Vec::new());
    loop {
        let id = format!("c{client}-{answered}");
        let event = json!({ "id": id, "event_type": "door.open" });
        let request = match answered % 2 {
            0 => http.get(format!("{url}/api/events/audit?limit=10")),
            _ => http.post(format!("{url}/api/events/audit")).json(&event),
        };
        let answer = match request.header("x-api-key", &token).send().await {
            Ok(answer) => answer,
            Err(error) if is_refused(&error) => return (answered, wrong),
            Err(error) => {
                wrong.push(format!("{error:?}"));
                continue;
            }
        };
        let status = answer.status();
        match answer.bytes().await {
            Ok(_) if status.is_success() => answered += 1,
            Ok(body) => wrong.push(format!("{status} {}", String::from_utf8_lossy(&body))),
            Err(error) => wrong.push(format!("{error:?}")),
        }
    }
}

#[tokio::test]
async fn busy_clients_are_answered_or_refused_and_never_cut_off() {
    let settings = [UNLIMITED, &[("FLOWTRAIL_LEAVES_FOR", "300ms")]].concat();
    let mut flowtrail = Flowtrail::start_with(Topology::Together, &settings).await;
    for _ in 0..RESTARTS {
        let mut clients = JoinSet::new();
        for client in 0..CLIENTS {
            clients.spawn(busy(flowtrail.url.clone(), flowtrail.token.clone(), client));
        }
        testkit::eventually("they are busy", async || {
            let count = flowtrail.request("GET", "/api/events/audit?limit=1").send().await.unwrap();
            let total: usize = count.headers()["x-total-count"].to_str().unwrap().parse().unwrap();
            (total > CLIENTS).then_some(())
        })
        .await;
        let mut stopping = flowtrail;
        flowtrail = tokio::task::spawn_blocking(move || {
            stopping.stop();
            stopping
        })
        .await
        .unwrap();
        let ended = clients.join_all().await;
        let wrong: Vec<&String> = ended.iter().flat_map(|(_, wrong)| wrong).collect();
        assert!(wrong.is_empty(), "{} went wrong: {}", wrong.len(), wrong[0]);
        assert!(ended.iter().all(|(answered, _)| *answered > 0), "{ended:?}");
        flowtrail.start_processes();
    }
}
