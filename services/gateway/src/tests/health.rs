use axum::body::Body;
use axum::http::{Request, StatusCode};
use model::log::Stream;
use testkit::eventually;
use views::Observed;

use super::world::{Answer, World, gateway};
use crate::Reader;

async fn ask(world: &World, path: &str) -> Answer {
    world.send(Request::get(path).body(Body::empty()).unwrap()).await
}

#[tokio::test]
async fn a_process_with_its_views_and_its_log_is_alive_and_ready() {
    let world = World::start().await;
    assert_eq!(ask(&world, "/healthz").await.status, StatusCode::OK);
    assert_eq!(ask(&world, "/readyz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_process_is_ready_once_every_view_has_caught_up_and_stays_so() {
    let world = World::start().await;
    let audit = world.views.slot(views::audit::VIEW);
    audit.observe(Stream::Audit, Observed { sequence: 1, pending: 5 });
    let waiting = ask(&world, "/readyz").await;
    assert_eq!(waiting.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(waiting.json()["detail"], "the views have not caught up with the log yet");
    assert_eq!(waiting.header("retry-after"), Some("1"));
    audit.observe(Stream::Audit, Observed { sequence: 6, pending: 0 });
    assert_eq!(ask(&world, "/readyz").await.status, StatusCode::OK);
    audit.observe(Stream::Audit, Observed { sequence: 7, pending: 100 });
    assert_eq!(ask(&world, "/readyz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn without_nats_a_process_is_alive_but_not_ready() {
    let mut world = World::start().await;
    world.server.stop().await;
    let detail = eventually("the loss of nats is noticed", async || {
        let answer = ask(&world, "/readyz").await;
        (answer.status == StatusCode::SERVICE_UNAVAILABLE).then(|| answer.json()["detail"].clone())
    });
    assert_eq!(detail.await, "not connected to nats");
    assert_eq!(ask(&world, "/healthz").await.status, StatusCode::OK);
}

#[tokio::test]
async fn without_a_projector_a_gateway_of_its_own_is_not_ready() {
    let mut world = World::start().await;
    world.router = gateway(Reader::Remote(world.bus.clone()), &world.bus);
    let answer = ask(&world, "/readyz").await;
    assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(answer.json()["detail"], "the views cannot be reached, try again");
}
