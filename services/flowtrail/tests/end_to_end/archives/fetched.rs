//! `import netbird` follows the pages of both lists to their ends, and takes its token nowhere else.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, LINK};
use axum::http::{HeaderMap, Uri};
use axum::response::{AppendHeaders, IntoResponse, Response};
use serde_json::{Value, json};
use testkit::{HttpServer, eventually};

use crate::flowtrail::{Flowtrail, Topology};

/// What a service was asked for, each with the token.
type Asked = Arc<Mutex<Vec<(String, String)>>>;

/// A NetBird whose lists have several pages.
#[derive(Clone)]
struct Service {
    asked: Asked,
    /// Where the list of audit events goes on.
    next: String,
}

impl Service {
    async fn start(next: String) -> (HttpServer, Asked) {
        let service = Self { asked: Asked::default(), next };
        let asked = Arc::clone(&service.asked);
        (HttpServer::start(Router::new().fallback(answer).with_state(service)).await, asked)
    }
}

async fn answer(State(service): State<Service>, uri: Uri, headers: HeaderMap) -> Response {
    let token = headers.get(AUTHORIZATION).and_then(|token| token.to_str().ok()).unwrap_or_default();
    service.asked.lock().unwrap().push((uri.to_string(), token.to_owned()));
    match uri.query() {
        None => {
            let link = format!("<{}>; rel=\"next\"", service.next);
            (AppendHeaders([(LINK, link)]), json!([event(3), event(2)]).to_string()).into_response()
        }
        Some("cursor=two") => json!([event(1)]).to_string().into_response(),
        Some(query) => {
            let page = query.trim_start_matches("page=").split('&').next().and_then(|page| page.parse().ok());
            records(page.unwrap()).to_string().into_response()
        }
    }
}

fn event(number: u32) -> Value {
    json!({
        "id": number.to_string(), "timestamp": "2024-01-31T12:00:00Z", "activity": "Route created",
        "activity_code": "route.add", "initiator_id": "paged", "target_id": "r", "meta": {},
    })
}

/// One of three pages, with one record.
fn records(page: u32) -> Value {
    let record = json!({
        "id": format!("r-{page}"), "flow_id": format!("f-{page}"), "reporter_id": "gw", "protocol": 6.0,
        "events": [{ "type": "TYPE_START", "timestamp": "2024-01-31T12:00:00Z" }],
    });
    json!({ "data": [record], "page": page, "page_size": 1, "total_records": 3, "total_pages": 3 })
}

// The program is waited for on one thread, and its requests answered on another.
#[tokio::test(flavor = "multi_thread")]
async fn every_page_of_both_lists_is_asked_for_once() {
    let (service, asked) = Service::start("/api/events/audit?cursor=two".to_owned()).await;
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let fetched = flowtrail.run(["import", "netbird", "--url", &service.url(""), "--token", "t"]);
    let errors = String::from_utf8(fetched.stderr).unwrap();
    assert_eq!((fetched.status.code(), errors.as_str()), (Some(0), ""));
    let pages = [
        "/api/events/audit",
        "/api/events/audit?cursor=two",
        "/api/events/network-traffic?page=1&page_size=10000",
        "/api/events/network-traffic?page=2&page_size=10000",
        "/api/events/network-traffic?page=3&page_size=10000",
    ];
    assert_eq!(*asked.lock().unwrap(), pages.map(|page| (page.to_owned(), "Token t".to_owned())));
    flowtrail.has_traffic(3).await;
    eventually("the events of both pages are in the view", async || {
        let list = flowtrail.get("/api/events/audit?user_id=paged").await;
        let mut ids: Vec<_> = list.as_array()?.iter().map(|event| event["id"].as_str().unwrap().to_owned()).collect();
        ids.sort_unstable();
        (ids == ["1", "2", "3"]).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_host_is_not_asked_for() {
    let (other, asked_of_other) = Service::start(String::new()).await;
    let (service, _) = Service::start(other.url("/api/events/audit?cursor=two")).await;
    let flowtrail = Flowtrail::start(Topology::Together).await;
    let refused = flowtrail.run(["import", "netbird", "--url", &service.url(""), "--token", "t"]);
    let errors = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(1));
    let expected = format!("{} is not of {}", other.url("/api/events/audit?cursor=two"), service.url("/"));
    assert!(errors.contains(&expected), "{errors}");
    assert!(asked_of_other.lock().unwrap().is_empty());
}
