use axum::http::StatusCode;
use bus::{Endpoint, Refusal};
use bytes::Bytes;
use serde_json::json;
use views::{Ask, Question, Views, access, audit, integrations, status, traffic};

use super::world::{World, gateway, request, send};
use crate::Reader;

/// Answers a question over the bus from these views, as a projector does.
pub(super) fn endpoint<Q: Question>(views: &Views) -> Endpoint {
    let views = views.clone();
    Endpoint::new(format!("flowtrail.query.{}", Q::PATH), move |request: Bytes| {
        let views = views.clone();
        async move {
            let ask: Ask<Q> = serde_json::from_slice(&request).unwrap();
            let reply = views.ask(ask).await.map_err(|_| Refusal { code: 500, message: "failed".to_owned() })?;
            Ok(Bytes::from(serde_json::to_vec(&reply).unwrap()))
        }
    })
}

#[tokio::test]
async fn views_of_another_process_give_the_same_answers() {
    let mut world = World::start().await;
    let token = world.admin();
    for second in 0..50 {
        let data = json!({ "event_type": "a.b", "user_id": 7, "meta": { "n": second }, "latency_ms": 0.1, "event_payload": [1.0, null] });
        world.audit("main", &format!("e{second}"), second, &data);
        let report =
            json!({ "flow_id": format!("f{second}"), "reporter_id": "r", "rx_bytes": u64::MAX, "icmp": { "type": 8 } });
        world.traffic("main", &format!("r{second}"), second, &report);
    }
    world.integration("main", 1);
    let views = world.views.clone();
    let endpoints = vec![
        endpoint::<access::ByToken>(&views),
        endpoint::<access::AccountById>(&views),
        endpoint::<audit::List>(&views),
        endpoint::<audit::ById>(&views),
        endpoint::<audit::Catalog>(&views),
        endpoint::<audit::Facets>(&views),
        endpoint::<traffic::List>(&views),
        endpoint::<traffic::ById>(&views),
        endpoint::<integrations::List>(&views),
        endpoint::<integrations::ById>(&views),
        endpoint::<status::Status>(&views),
    ];
    world.serve_all(endpoints).await;
    let remote = gateway(Reader::Remote(world.bus.clone()), &world.bus);
    let newest = world.get(&token, "/flowtrail/v1/traffic?limit=1").await;
    for path in [
        "/api/events?limit=7",
        "/api/events/audit?search=A.B",
        "/api/events/network-traffic?page_size=3&page=2",
        "/api/event-streaming",
        "/api/event-streaming/1",
        "/api/event-streaming/2",
        "/v1/audit/events?limit=3&event_group=a&user_id=7",
        &format!("/v1/audit/events?user_id={}", "9".repeat(100)),
        "/v1/audit/events/e7",
        "/v1/audit/events/none",
        "/v1/audit/catalog",
        "/api/events/audit?q=type:a.b%20meta.n:%3E40&limit=3",
        "/flowtrail/v1/audit?q=type:a.*%20time:%3Enow-100000d&limit=3",
        "/flowtrail/v1/audit/e7",
        "/flowtrail/v1/audit/facets?field=event_type,user_id",
        "/flowtrail/v1/audit/values?field=event_type&prefix=A.",
        "/flowtrail/v1/audit/fields",
        "/flowtrail/v1/traffic?q=flow:f4*&limit=3",
        "/flowtrail/v1/traffic/none",
        &format!("/flowtrail/v1/traffic/{}", newest.all("id")[0]),
        "/readyz",
    ] {
        let here = world.get(&token, path).await;
        let there = send(&remote, request(axum::http::Method::GET, &token, path, Default::default())).await;
        assert_eq!((here.status, &here.bytes), (there.status, &there.bytes), "{path}");
        for name in ["flowtrail-as-of", "x-total-count", "link", "flowtrail-scanned"] {
            assert_eq!(here.header(name), there.header(name), "{name} of {path}");
        }
    }
}

#[tokio::test]
async fn without_a_projector_a_read_is_a_503_to_be_tried_again() {
    let world = World::start().await;
    let remote = gateway(Reader::Remote(world.bus.clone()), &world.bus);
    let answer = send(&remote, request(axum::http::Method::GET, "ft_x", "/api/events", Default::default())).await;
    assert_eq!(answer.refusal(503), "the views cannot be reached, try again");
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, Some("1")));
}
