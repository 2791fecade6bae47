//! S3: each event is in exactly one object, and objects are named by sequence.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use testkit::Moto;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::{PREFIX, all_ids, has_delivered, integrate, kills_and_events, s3};
use crate::drill::{publish_under_fire, random_below};
use crate::flowtrail::{Flowtrail, Topology};

/// A way to a receiver that is long on the way back, so that what is stored is not known to be for a while, and kills
/// come in between.
struct Far {
    url: String,
    _relay: JoinSet<()>,
}

impl Far {
    async fn start(url: &str) -> Self {
        let to = url.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut relay = JoinSet::new();
        relay.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (client, _) = listener.accept().await.unwrap();
                let server = TcpStream::connect(&to).await.unwrap();
                connections.spawn(relayed(client, server));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { url, _relay: relay }
    }
}

async fn relayed(client: TcpStream, server: TcpStream) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let back = async {
        let mut answer = vec![0; 1 << 16];
        while let Ok(count @ 1..) = from_server.read(&mut answer).await {
            tokio::time::sleep(Duration::from_millis(random_below(1500))).await;
            if to_client.write_all(&answer[..count]).await.is_err() {
                break;
            }
        }
    };
    tokio::select! {
        // A client that has gone away needs no answer.
        _ = tokio::io::copy(&mut from_client, &mut to_server) => {}
        () = back => {}
    }
}

/// An object of a batch: what its name and its lines say.
struct Object {
    stream: String,
    /// The day and hour that its name says.
    hour: String,
    first: u64,
    last: u64,
    /// Sequence, place in the message and id of each event.
    events: Vec<(u64, u64, String)>,
}

impl Object {
    /// `.../event_kind=audit/dt=2024-01-31/hr=12/<first>-<last>-<digest>.ndjson.gz`
    fn read(object: &Value) -> Self {
        let key = object["key"].as_str().unwrap();
        let (partition, name) = key.rsplit_once('/').unwrap();
        let hour = partition.split_once("/dt=").unwrap().1.replace("/hr=", "T");
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
        assert!(lines.iter().all(|line| line["timestamp"].as_str().unwrap().starts_with(&hour)), "{key}");
        Self { stream, hour, first: first.parse().unwrap(), last: last.parse().unwrap(), events }
    }
}

#[tokio::test]
async fn killed_at_any_moment_every_event_is_in_exactly_one_object_of_s3() {
    let [kills, count] = kills_and_events();
    let moto = Moto::start().await;
    let mut flowtrail = Flowtrail::start(Topology::Together).await;
    let far = Far::start(&moto.url).await;
    let integration = integrate(&flowtrail, &s3(&far.url, &moto.writer)).await;
    publish_under_fire(&mut flowtrail, PREFIX, [kills, count], async || {}).await;
    has_delivered(&flowtrail, &integration).await;
    assert_eq!(flowtrail.get(&format!("{integration}/status")).await["guarantee"], "exactly once");
    flowtrail.stop();

    let objects = moto.objects("logs").await;
    let of_tests =
        objects.iter().filter(|object| object["key"].as_str().unwrap().contains("/event_kind=test/")).count();
    assert!(of_tests >= 2, "it was tried when it was made, and when delivery began");
    let objects = objects.iter().filter(|object| !object["key"].as_str().unwrap().contains("/event_kind=test/"));
    let objects: Vec<Object> = objects.map(Object::read).collect();
    let mut times = BTreeMap::<&str, usize>::new();
    for (_, _, id) in objects.iter().flat_map(|object| &object.events) {
        *times.entry(id).or_default() += 1;
    }
    let doubled: Vec<_> = times.iter().filter(|(_, times)| **times > 1).collect();
    assert!(doubled.is_empty(), "in more than one object: {doubled:?}");
    let found: BTreeSet<String> = times.keys().filter(|id| id.starts_with(PREFIX)).map(|id| (*id).to_owned()).collect();
    assert!(found == all_ids(count), "{} of {count} are there", found.len());

    // Named by sequence: no two objects of an hour share a place in the log.
    let mut ends = BTreeMap::<(&str, &str), Vec<_>>::new();
    for object in &objects {
        let places: Vec<(u64, u64)> = object.events.iter().map(|(sequence, index, _)| (*sequence, *index)).collect();
        assert!(places.is_sorted_by(|one, next| one < next), "in the order of the log");
        assert_eq!((object.first, object.last), (places[0].0, places[places.len() - 1].0));
        ends.entry((&object.stream, &object.hour)).or_default().push((places[0], places[places.len() - 1]));
    }
    for ends in ends.values_mut() {
        ends.sort_unstable();
        assert!(ends.is_sorted_by(|one, next| one.1 < next.0), "objects overlap: {ends:?}");
    }
    let found_there = moto.log().lines().filter(|line| line.contains("PUT /logs/") && line.contains(" 412 ")).count();
    println!(
        "{kills} kills, {count} events, each in exactly one of {} objects; {found_there} times an object was there \
         already when it was sent again",
        objects.len()
    );
}
