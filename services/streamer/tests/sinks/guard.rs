//! Nothing that resolves to where nobody may go is ever connected to.

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex};

use model::integration::Platform;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use streamer::guard::Guard;
use streamer::sink::{Failure, Outcome};
use streamer::sinks::Sink;

use crate::support::{Receiver, audits, opened};

/// A resolver that gives these answers, one after the other, and the last one for ever.
struct Answers(Mutex<VecDeque<Vec<IpAddr>>>);

impl Answers {
    fn new(answers: &[&[&str]]) -> Arc<Self> {
        let parse = |answer: &&[&str]| answer.iter().map(|address| address.parse().unwrap()).collect();
        Arc::new(Self(Mutex::new(answers.iter().map(parse).collect())))
    }
}

impl Resolve for Answers {
    fn resolve(&self, _: Name) -> Resolving {
        let mut answers = self.0.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        let addresses = answer.unwrap_or_default().into_iter().map(|address| SocketAddr::new(address, 0));
        let addresses: Addrs = Box::new(addresses.collect::<Vec<_>>().into_iter());
        Box::pin(std::future::ready(Ok(addresses)))
    }
}

async fn deliver(guard: &Guard, url: &str) -> Outcome {
    let sink = Sink::connect(Platform::GenericHttp, &opened(Platform::GenericHttp, &[("url", url)]), guard).unwrap();
    let items = audits(1..2);
    sink.deliver(&items).await
}

fn is_stop(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Partly(failures) if matches!(failures[0].1, Failure::Stop { status: None, .. }))
}

#[tokio::test]
async fn a_name_that_resolves_to_where_nobody_may_go_is_not_connected_to() {
    let canary = Receiver::start().await;
    let port = canary.server.address.port();
    for answer in [
        &["127.0.0.1"][..],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["64:ff9b::7f00:1"],
        &["2002:7f00:1::1"],
        &["10.0.0.1"],
        &["169.254.169.254"],
        &["fd00:ec2::254"],
        &["0.0.0.0"],
        &["8.8.8.8", "127.0.0.1"],
        &["127.0.0.1", "8.8.8.8"],
    ] {
        let guard = Guard::new("".parse().unwrap()).unwrap().asking(Answers::new(&[answer]));
        let outcome = deliver(&guard, &format!("https://receiver.example:{port}/")).await;
        assert!(is_stop(&outcome), "{answer:?}: {outcome:?}");
    }
    assert!(canary.requests().is_empty());
}

#[tokio::test]
async fn a_name_that_changes_its_answer_never_leads_to_the_canary() {
    let canary = Receiver::start().await;
    // TCP port 9 of an address that is allowed and where nothing listens, then the canary's.
    let guard = Guard::new("127.9.9.9".parse().unwrap()).unwrap();
    let guard = guard.asking(Answers::new(&[&["127.9.9.9"], &["127.0.0.1"], &["127.9.9.9"], &["127.0.0.1"]]));
    let url = format!("http://receiver.example:{}/", canary.server.address.port());
    for attempt in 0..4 {
        let outcome = deliver(&guard, &url).await;
        assert_eq!(is_stop(&outcome), attempt % 2 == 1, "{outcome:?}");
        assert!(matches!(outcome, Outcome::Partly(_)), "{outcome:?}");
    }
    assert!(canary.requests().is_empty());
}

#[tokio::test]
async fn a_name_that_resolves_to_what_the_operator_allows_is_reached() {
    let receiver = Receiver::start().await;
    let guard = Guard::new("127.0.0.0/8".parse().unwrap()).unwrap().asking(Answers::new(&[&["127.0.0.1"]]));
    let url = format!("http://receiver.example:{}/", receiver.server.address.port());
    assert_eq!(deliver(&guard, &url).await, Outcome::Delivered);
    assert!(receiver.requests()[0].header("host").starts_with("receiver.example:"));
}

#[tokio::test]
async fn a_name_without_tls_is_reached_only_where_the_operator_allows_the_address() {
    let guard = Guard::new("127.0.0.0/8".parse().unwrap()).unwrap().asking(Answers::new(&[&["8.8.8.8"]]));
    let outcome = deliver(&guard, "http://receiver.example/").await;
    assert!(is_stop(&outcome), "{outcome:?}");
}

#[test]
fn a_configuration_whose_receiver_may_not_be_reached_does_not_connect() {
    let guard = Guard::new("".parse().unwrap()).unwrap();
    let config = opened(Platform::GenericHttp, &[("url", "https://127.0.0.1/")]);
    assert_eq!(Sink::connect(Platform::GenericHttp, &config, &guard).unwrap_err().key, "url");
}
