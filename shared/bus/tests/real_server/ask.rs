use std::time::{Duration, Instant};

use bus::{AskError, Bus, Endpoint, Refusal, ServiceInfo};
use bytes::Bytes;
use model::log::Stream;
use testkit::{NatsServer, eventually};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::connected;

const SUBJECT: &str = "flowtrail.query.test.it";
const PATIENCE: Duration = Duration::from_secs(10);

async fn server() -> (NatsServer, Bus) {
    let server = NatsServer::start().await;
    let bus = connected(&server.url(), "asking").await;
    (server, bus)
}

/// Runs a service with one endpoint, on a connection of its own.
async fn serve(server: &NatsServer, endpoint: Endpoint) -> (CancellationToken, JoinSet<()>) {
    let bus = connected(&server.url(), "answering").await;
    let info = ServiceInfo {
        name: "flowtrail-test".to_owned(),
        version: "1.2.3".to_owned(),
        description: "answers tests".to_owned(),
    };
    let answering = bus.answer(&info, vec![endpoint]).await.expect("start the service");
    // A round trip on the same connection: after it, the server knows the subscriptions.
    let _ = bus.state(Stream::Audit).await;
    let stop = CancellationToken::new();
    let mut running = JoinSet::new();
    running.spawn(answering.run(stop.clone()));
    (stop, running)
}

#[tokio::test]
async fn a_question_gets_its_answer() {
    let (server, bus) = server().await;
    let doubled = |request: Bytes| async move { Ok([request.as_ref(), request.as_ref()].concat().into()) };
    let (_stop, _running) = serve(&server, Endpoint::new(SUBJECT, doubled)).await;
    let answer = bus.ask(SUBJECT, "ab".into(), PATIENCE).await.unwrap();
    assert_eq!(answer, "abab");
}

#[tokio::test]
async fn a_question_nobody_answers_fails_at_once() {
    let (_server, bus) = server().await;
    let asked = Instant::now();
    let failed = bus.ask(SUBJECT, Bytes::new(), PATIENCE).await;
    assert!(matches!(failed, Err(AskError::NobodyAnswers { .. })), "{failed:?}");
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
}

#[tokio::test]
async fn an_answer_of_20_megabytes_arrives_whole() {
    let (server, bus) = server().await;
    let large: Bytes = (0..20_000_000_u32).map(|index| index.to_le_bytes()[0]).collect();
    let answer = large.clone();
    let endpoint = Endpoint::new(SUBJECT, move |_| std::future::ready(Ok(answer.clone())));
    let (_stop, _running) = serve(&server, endpoint).await;
    assert!(bus.ask(SUBJECT, Bytes::new(), PATIENCE).await.unwrap() == large, "the answer changed on its way");
}

#[tokio::test]
async fn a_refusal_keeps_its_code_and_text() {
    let (server, bus) = server().await;
    let refuse = |_| async { Err(Refusal { code: 404, message: "no such\nview".to_owned() }) };
    let (_stop, _running) = serve(&server, Endpoint::new(SUBJECT, refuse)).await;
    let refused = bus.ask(SUBJECT, Bytes::new(), PATIENCE).await;
    let Err(AskError::Refused { code, message }) = refused else { panic!("{refused:?}") };
    assert_eq!((code, message.as_str()), (404, "no such view"));
}

#[tokio::test]
async fn a_handler_that_panics_answers_500_and_the_next_is_answered() {
    let (server, bus) = server().await;
    let touchy = |request: Bytes| async move {
        assert!(request != "bad", "a test wants this");
        Ok(request)
    };
    let (_stop, _running) = serve(&server, Endpoint::new(SUBJECT, touchy)).await;
    let refused = bus.ask(SUBJECT, "bad".into(), PATIENCE).await;
    assert!(matches!(refused, Err(AskError::Refused { code: 500, .. })), "{refused:?}");
    assert_eq!(bus.ask(SUBJECT, "good".into(), PATIENCE).await.unwrap(), "good");
}

#[tokio::test]
async fn a_slow_answer_times_out() {
    let (server, bus) = server().await;
    let (_stop, _running) = serve(&server, Endpoint::new(SUBJECT, |_| std::future::pending())).await;
    let failed = bus.ask(SUBJECT, Bytes::new(), Duration::from_millis(100)).await;
    assert!(matches!(failed, Err(AskError::TimedOut { .. })), "{failed:?}");
}

#[tokio::test]
async fn losing_the_server_ends_a_question() {
    let (mut server, bus) = server().await;
    let (_stop, _running) = serve(&server, Endpoint::new(SUBJECT, |_| std::future::pending())).await;
    let asking = bus.ask(SUBJECT, Bytes::new(), Duration::from_secs(60));
    let (failed, ()) = tokio::join!(tokio::time::timeout(PATIENCE, asking), server.kill());
    let failed = failed.unwrap();
    assert!(matches!(failed, Err(AskError::Disconnected)), "{failed:?}");
}

#[tokio::test]
async fn a_service_that_stops_answers_what_it_has_taken_in() {
    let (server, bus) = server().await;
    let (begun, begins) = tokio::sync::watch::channel(false);
    let (release, released) = tokio::sync::watch::channel(false);
    let held = move |request: Bytes| {
        let (begun, mut released) = (begun.clone(), released.clone());
        async move {
            begun.send_replace(true);
            released.wait_for(|released| *released).await.map_err(|_| gone())?;
            Ok(request)
        }
    };
    let (stop, mut running) = serve(&server, Endpoint::new(SUBJECT, held)).await;
    let asking = bus.ask(SUBJECT, "held".into(), PATIENCE);
    let stopping = async {
        begins.clone().wait_for(|begun| *begun).await.unwrap();
        stop.cancel();
        eventually("the service takes in no more", async || {
            let asked = bus.ask(SUBJECT, "late".into(), Duration::from_millis(50)).await;
            matches!(asked, Err(AskError::NobodyAnswers { .. })).then_some(())
        })
        .await;
        release.send_replace(true);
    };
    let (answer, ()) = tokio::join!(asking, stopping);
    assert_eq!(answer.unwrap(), "held");
    running.join_next().await.unwrap().unwrap();
}

fn gone() -> Refusal {
    Refusal { code: 500, message: "the test is over".to_owned() }
}

#[tokio::test]
async fn a_service_can_be_found_by_the_usual_tools() {
    let (server, bus) = server().await;
    let (_stop, _running) = serve(&server, Endpoint::new(SUBJECT, |request| async { Ok(request) })).await;
    let info = bus.ask("$SRV.INFO.flowtrail-test", Bytes::new(), PATIENCE).await.unwrap();
    let info = String::from_utf8_lossy(&info);
    assert!(info.contains(SUBJECT) && info.contains("1.2.3") && info.contains("answers tests"), "{info}");
}

#[tokio::test]
async fn two_instances_share_the_requests() {
    let (server, bus) = server().await;
    let (_stop, _running) = serve(&server, Endpoint::new(SUBJECT, |_| async { Ok("first".into()) })).await;
    let (_stop_two, _running_two) = serve(&server, Endpoint::new(SUBJECT, |_| async { Ok("second".into()) })).await;
    for wanted in ["first", "second"] {
        eventually("each instance answers", async || {
            (bus.ask(SUBJECT, Bytes::new(), PATIENCE).await.ok()? == wanted).then_some(())
        })
        .await;
    }
}
