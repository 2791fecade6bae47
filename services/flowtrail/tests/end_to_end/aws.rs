//! S3 and Firehose, as moto stands in for them with signatures and policies checked, while everything is killed.
//!
//! `just drill-s3` and `just drill-firehose` do the same with more kills and events.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use testkit::{Moto, StandIn, User, within};

use crate::drill::{number, publish_under_fire, random_below};
use crate::flowtrail::{Flowtrail, Topology};

/// The ids of published events begin with it, and no other id does.
const PREFIX: &str = "drill-";
/// How long the last batches may take after everything is published.
const PATIENCE: Duration = Duration::from_secs(300);

fn kills_and_events() -> [usize; 2] {
    [number("FLOWTRAIL_DRILL_KILLS", 2), number("FLOWTRAIL_DRILL_EVENTS", 1500)]
}

fn s3(moto: &Moto, user: &User) -> Value {
    let config = json!({
        "bucket_name": "logs", "region": "eu-central-1", "endpoint": moto.url, "access_key": user.access_key,
        "secret_key": user.secret_key, "batch_seconds": "1", "events": "audit",
    });
    json!({ "platform": "s3", "enabled": true, "config": config })
}

fn firehose(endpoint: &str, user: &User) -> Value {
    let config = json!({
        "stream_name": "events", "region": "eu-central-1", "endpoint": endpoint, "access_key_id": user.access_key,
        "secret_access_key": user.secret_key, "events": "audit",
    });
    json!({ "platform": "firehose", "enabled": true, "config": config })
}

/// Creates an integration; gives the status and the answer.
async fn create(flowtrail: &Flowtrail, path: &str, body: &Value) -> (u16, Value) {
    let answer = flowtrail.request("POST", path).json(body).send().await.unwrap();
    (answer.status().as_u16(), serde_json::from_str(&answer.text().await.unwrap()).unwrap())
}

async fn integrate(flowtrail: &Flowtrail, body: &Value) -> String {
    let (status, made) = create(flowtrail, "/api/event-streaming", body).await;
    assert_eq!(status, 200, "{made}");
    format!("/api/event-streaming/{}", made["id"])
}

/// Waits until everything in the log is delivered.
async fn has_delivered(flowtrail: &Flowtrail, integration: &str) {
    within(PATIENCE, "everything is delivered", async || {
        let status = flowtrail.get(&format!("{integration}/status")).await;
        assert!(status["dead_lettered"] == 0 && status["state"] != "suspended", "{status}");
        (status["state"] == "active" && status["lag_events"] == 0).then_some(())
    })
    .await;
}

fn all_ids(count: usize) -> BTreeSet<String> {
    (0..count).map(|number| format!("{PREFIX}{number}")).collect()
}

/// An object of a batch: what its name and its lines say.
struct Object {
    stream: String,
    first: u64,
    last: u64,
    /// Sequence, place in the message and id of each event.
    events: Vec<(u64, u64, String)>,
}

impl Object {
    /// `.../kind=audit/dt=2024-01-31/hr=12/<first>-<last>-<digest>.ndjson.gz`
    fn read(object: &Value) -> Self {
        let name = object["key"].as_str().unwrap().rsplit('/').next().unwrap();
        let [first, last, digest] = name.split('-').collect::<Vec<_>>().try_into().unwrap();
        assert!((first.len(), last.len()) == (20, 20) && digest.ends_with(".ndjson.gz"), "{name}");
        let lines = object["text"].as_str().unwrap().lines().map(|line| serde_json::from_str(line).unwrap());
        let lines: Vec<Value> = lines.collect();
        let read = |line: &Value| {
            let (stream, sequence) = line["position"].as_str().unwrap().split_once(':').unwrap();
            let place = (sequence.parse().unwrap(), line["index"].as_u64().unwrap());
            (stream.to_owned(), (place.0, place.1, line["id"].as_str().unwrap().to_owned()))
        };
        let (streams, events): (BTreeSet<String>, Vec<_>) = lines.iter().map(read).unzip();
        let [stream] = streams.into_iter().collect::<Vec<_>>().try_into().unwrap();
        Self { stream, first: first.parse().unwrap(), last: last.parse().unwrap(), events }
    }
}

#[tokio::test]
async fn killed_at_any_moment_every_event_is_in_exactly_one_object_of_s3() {
    let [kills, count] = kills_and_events();
    let moto = Moto::start().await;
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    let integration = integrate(&flowtrail, &s3(&moto, &moto.writer)).await;
    publish_under_fire(&mut flowtrail, PREFIX, [kills, count], async || {}).await;
    has_delivered(&flowtrail, &integration).await;
    flowtrail.stop();

    let objects = moto.objects("logs").await;
    let of_tests = objects.iter().filter(|object| object["key"].as_str().unwrap().contains("/kind=test/")).count();
    assert_eq!(of_tests, 1, "it was tried once, when it was made");
    let objects = objects.iter().filter(|object| !object["key"].as_str().unwrap().contains("/kind=test/"));
    let objects: Vec<Object> = objects.map(Object::read).collect();
    let mut times = BTreeMap::<&str, usize>::new();
    for (_, _, id) in objects.iter().flat_map(|object| &object.events) {
        *times.entry(id).or_default() += 1;
    }
    let doubled: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    assert!(doubled.is_empty(), "in more than one object: {doubled:?}");
    let found: BTreeSet<String> = times.keys().filter(|id| id.starts_with(PREFIX)).map(|id| (*id).to_owned()).collect();
    assert!(found == all_ids(count), "{} of {count} are there", found.len());

    // Named by sequence: a name says which events are in it, and no two objects share a place in the log.
    let mut ends = BTreeMap::<&str, Vec<_>>::new();
    for object in &objects {
        let places: Vec<(u64, u64)> = object.events.iter().map(|(sequence, index, _)| (*sequence, *index)).collect();
        assert!(places.is_sorted_by(|one, next| one < next), "in the order of the log");
        assert_eq!((object.first, object.last), (places[0].0, places[places.len() - 1].0));
        ends.entry(&object.stream).or_default().push((places[0], places[places.len() - 1]));
    }
    for ends in ends.values_mut() {
        ends.sort_unstable();
        assert!(ends.is_sorted_by(|one, next| one.1 < next.0), "objects overlap: {ends:?}");
    }
    let found_there = moto.log().lines().filter(|line| line.contains("\"PUT ") && line.contains(" 412 ")).count();
    println!(
        "{kills} kills, {count} events, each in exactly one of {} objects; {found_there} times an object was there \
         already when it was sent again",
        objects.len()
    );
}

/// What the proxy says of a request, or that everything was killed.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Line {
    Mark { mark: String },
    Request(Request),
}

#[derive(Debug, Deserialize)]
struct Request {
    fault: String,
    ids: Vec<String>,
    stored: Vec<String>,
    told: Vec<String>,
    broken: Option<String>,
}

async fn start_proxy(moto: &Moto, journal: &Path, seed: u64) -> StandIn {
    let journal = journal.to_str().unwrap().to_owned();
    let User { access_key, secret_key } = moto.proxy.clone();
    let url = moto.url.clone();
    StandIn::start_program("firehose_proxy.py", |port| {
        vec![port.to_string(), url, journal, seed.to_string(), access_key, secret_key]
    })
    .await
}

fn read_journal(journal: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(journal).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// How often each id is in the bucket that the delivery stream writes into.
async fn in_the_bucket(moto: &Moto) -> BTreeMap<String, usize> {
    let mut times = BTreeMap::new();
    for object in moto.objects("records").await {
        for line in object["text"].as_str().unwrap().lines() {
            let record: Value = serde_json::from_str(line).unwrap();
            *times.entry(record["id"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    times
}

/// Which records may be there twice. A record that was stored and told to be stored is sent again only when everything
/// was killed since, and only as a part of the batch that was being sent then.
#[derive(Default)]
struct Rules<'a> {
    /// Stored, and for all the sender knows.
    known: BTreeSet<&'a str>,
    /// The request before, in this life.
    last: Option<&'a Request>,
    /// After a kill, until something of before it comes again: the last request of that life.
    before_kill: Option<&'a Request>,
    /// How many that were told to be stored came again.
    again: usize,
}

impl<'a> Rules<'a> {
    fn hold_for(&mut self, request: &'a Request) {
        assert_eq!(request.broken, None, "a limit is broken");
        let again = request.ids.iter().filter(|id| self.known.contains(id.as_str())).count();
        if again > 0 {
            let unfinished = self.before_kill.expect("what was told to be stored comes again only after a kill");
            let is_the_same_batch = unfinished.ids.iter().all(|id| request.ids.contains(id));
            assert!(is_the_same_batch, "only the batch that was being sent comes again");
            self.again += again;
        }
        // The first batch of a life is the unfinished one, of which this life knows nothing yet.
        self.before_kill = None;
        for id in &request.ids {
            self.known.remove(id.as_str());
        }
        self.known.extend(request.told.iter().map(String::as_str));
        self.last = Some(request);
    }
}

#[tokio::test]
async fn killed_at_any_moment_every_record_reaches_firehose_and_only_those_that_may_have_been_sent_come_again() {
    let [kills, count] = kills_and_events();
    let moto = Moto::start().await;
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    let journal = flowtrail.directory.path().join("firehose");
    let seed = random_below(u64::MAX);
    println!("seed {seed}");
    let proxy = start_proxy(&moto, &journal, seed).await;
    let integration = integrate(&flowtrail, &firehose(&proxy.url(), &moto.writer)).await;
    let mark = format!("{}/mark?killed", proxy.url());
    let http = reqwest::Client::new();
    publish_under_fire(&mut flowtrail, PREFIX, [kills, count], async || {
        // Answered when nothing of the life that ended is under way any more.
        assert_eq!(http.post(&mark).send().await.unwrap().status(), 200);
    })
    .await;
    has_delivered(&flowtrail, &integration).await;
    flowtrail.stop();

    let lines = read_journal(&journal);
    let mut times = BTreeMap::<String, usize>::new();
    let (mut rules, mut faults) = (Rules::default(), BTreeMap::<&str, usize>::new());
    for line in &lines {
        match line {
            Line::Mark { mark } => {
                assert_eq!(mark, "killed");
                rules.before_kill = rules.last.take().or(rules.before_kill);
            }
            Line::Request(request) => {
                rules.hold_for(request);
                *faults.entry(&request.fault).or_default() += 1;
                for id in &request.stored {
                    *times.entry(id.clone()).or_default() += 1;
                }
            }
        }
    }
    let found = times.keys().filter(|id| id.starts_with(PREFIX)).cloned().collect::<BTreeSet<_>>();
    assert!(found == all_ids(count), "{} of {count} are there", found.len());
    assert_eq!(in_the_bucket(&moto).await, times, "the bucket has what the proxy let through");
    let copies: usize = times.values().sum();
    println!(
        "{kills} kills, {count} events; {} copies besides, as answers were lost; {} of them had been told to be stored \
         and came again after a kill; requests: {faults:?}",
        copies - times.len(),
        rules.again
    );
}

#[tokio::test]
async fn a_wrong_secret_is_refused_when_an_integration_is_made_and_nothing_is_stored() {
    let moto = Moto::start().await;
    let flowtrail = Flowtrail::start(Topology::Together).await;
    integrate(&flowtrail, &s3(&moto, &moto.writer)).await;
    let before = flowtrail.get("/api/event-streaming").await;
    let objects = moto.objects("logs").await.len();
    let wrong = User { secret_key: "wrong-secret-key".to_owned(), ..moto.writer.clone() };
    let problem = |user: &User| {
        if user.secret_key == wrong.secret_key {
            "the secret key does not belong to the access key"
        } else {
            "the policy of the access key does not allow it"
        }
    };
    for path in ["/api/event-streaming", "/api/integrations/event-streaming"] {
        for user in [&wrong, &moto.stranger] {
            for body in [s3(&moto, user), firehose(&moto.url, user)] {
                let (status, answer) = create(&flowtrail, path, &body).await;
                assert_eq!((status, &answer["code"]), (412, &json!(412)), "{answer}");
                let message = answer["message"].as_str().unwrap();
                assert!(message.contains(problem(user)) && !message.contains(&user.secret_key), "{message}");
                assert_eq!(flowtrail.get(path).await, before);
            }
        }
    }
    assert_eq!(moto.objects("logs").await.len(), objects);
    assert!(moto.objects("records").await.is_empty());
    let made = flowtrail.get("/api/events/audit?activity_code=integration.create").await;
    assert_eq!(made.as_array().unwrap().len(), 1, "there is no trace of those that were refused");
    // It was the secret: the right one is taken, and no number was used up.
    let (status, made) =
        create(&flowtrail, "/api/integrations/event-streaming", &firehose(&moto.url, &moto.writer)).await;
    assert_eq!((status, &made["id"]), (200, &json!(2)), "{made}");
    assert_eq!(moto.objects("records").await.len(), 1);
}
