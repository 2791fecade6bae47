//! A log, a receiver, a streamer and a clock for one test.

use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use bus::{Access, Bus, Options, Outgoing};
use model::access::Actor;
use model::delivery::{DeadLetters, Question, StatusOf};
use model::envelope::{BATCH, Envelope, STRUCTURED};
use model::integration::{Created, Event, Platform, Value as Setting};
use model::log::{AccountId, Stream, Subject};
use model::secret::Secret;
use model::time::Timestamp;
use runtime::clock::{Clock, Simulated, new_ulid, now_micros};
use runtime::metrics::Metrics;
use serde_json::{Value, json};
use streamer::guard::Guard;
use tempfile::TempDir;
use testkit::{HttpServer, NatsServer, eventually};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use vault::{DataKey, MasterKey, Owner};

#[derive(Default)]
struct Received {
    status: u16,
    /// Ids that were taken.
    taken: Vec<String>,
    /// Requests that were not.
    refused: usize,
}

pub(crate) struct World {
    bus: Bus,
    pub(crate) clock: Clock,
    pub(crate) simulated: Simulated,
    receiver: HttpServer,
    received: Arc<Mutex<Received>>,
    stop: CancellationToken,
    streamer: JoinSet<()>,
    directory: TempDir,
    server: NatsServer,
}

fn main() -> AccountId {
    AccountId::parse("main").unwrap()
}

impl World {
    pub(crate) async fn start() -> Self {
        let server = NatsServer::start().await;
        let options = Options { url: server.url(), access: Access::default(), name: "test".to_owned() };
        let bus = Bus::connect(&options).await.unwrap();
        bus.ensure_streams().await.unwrap();
        let received = Arc::new(Mutex::new(Received { status: 200, ..Received::default() }));
        let receiver = HttpServer::start(Router::new().fallback(take).with_state(received.clone())).await;
        let simulated = Simulated::at(now_micros());
        Self {
            bus,
            clock: Clock::Simulated(simulated.clone()),
            simulated,
            receiver,
            received,
            stop: CancellationToken::new(),
            streamer: JoinSet::new(),
            directory: tempfile::tempdir().unwrap(),
            server,
        }
    }

    fn master(&self) -> MasterKey {
        MasterKey::load_or_create(&self.directory.path().join("master.key")).unwrap()
    }

    /// Puts the master key away, so that the next streamer makes another one.
    pub(crate) fn put_master_key_away(&self) {
        let key = self.directory.path().join("master.key");
        std::fs::rename(&key, key.with_extension("kept")).unwrap();
    }

    /// Puts the master key back.
    pub(crate) fn put_master_key_back(&self) {
        let key = self.directory.path().join("master.key");
        std::fs::rename(key.with_extension("kept"), &key).unwrap();
    }

    /// Starts a streamer, again after [`Self::stop`].
    pub(crate) async fn stream(&mut self, suspend_after: Duration) {
        let guard = Guard::new("127.0.0.0/8".parse().unwrap()).unwrap();
        let settings = streamer::Settings { suspend_after, metrics: Metrics::default() };
        let started = streamer::start(&self.bus, self.master(), guard, self.clock.clone(), settings).await.unwrap();
        self.stop = CancellationToken::new();
        self.streamer.spawn(started.run(self.stop.clone()));
    }

    pub(crate) async fn stop(&mut self) {
        self.stop.cancel();
        while let Some(ended) = self.streamer.join_next().await {
            ended.unwrap();
        }
    }

    /// Makes an integration that delivers this family of events to the receiver.
    pub(crate) async fn integrate(&self, id: u64, events: &str) {
        self.integrate_with(id, Platform::GenericHttp, &[("url", &self.receiver.url("/")), ("events", events)], &[])
            .await;
    }

    /// Makes an integration that delivers what a filter wants of all families to the receiver.
    pub(crate) async fn integrate_filtered(&self, id: u64, filter: &str) {
        let texts = [("url", self.receiver.url("/")), ("filter", filter.to_owned())];
        let texts: Vec<_> = texts.iter().map(|(key, text)| (*key, text.as_str())).collect();
        self.integrate_with(id, Platform::GenericHttp, &texts, &[]).await;
    }

    /// Makes an integration of any platform.
    pub(crate) async fn integrate_with(
        &self,
        id: u64,
        platform: Platform,
        texts: &[(&str, &str)],
        secrets: &[(&str, &str)],
    ) {
        let owner = main();
        let owner = Owner { account: &owner, id };
        let key = DataKey::generate().unwrap();
        let wrapped = self.master().wrap(&key, owner).unwrap();
        self.bus.keys().create(&owner.key_name(), wrapped.into()).await.unwrap();
        let text = |(name, text): &(&str, &str)| ((*name).to_owned(), Setting::Text((*text).to_owned()));
        let secret = |(name, secret): &(&str, &str)| {
            let sealed = key.seal(owner, name, &Secret::new((*secret).to_owned())).unwrap();
            ((*name).to_owned(), Setting::Sealed(sealed))
        };
        let config = texts.iter().map(text).chain(secrets.iter().map(secret)).collect();
        let (enabled, by) = (true, Actor::system());
        self.happen(id, &Event::Created(Created { platform, config, enabled, by })).await;
    }

    /// Lets something happen to an integration.
    pub(crate) async fn happen(&self, id: u64, event: &Event) {
        self.put(Subject::integration(&main(), id), event.event_type(), &new_ulid().unwrap().to_string(), event).await;
    }

    /// Publishes audit events with the ids `<prefix><number>`.
    pub(crate) async fn publish(&self, prefix: &str, numbers: Range<usize>) {
        for number in numbers {
            let data = json!({ "event_type": "door.open" });
            let subject = Subject::audit(&main(), "test");
            self.put(subject, "flowtrail.audit.recorded.v1", &format!("{prefix}{number}"), &data).await;
        }
    }

    /// Publishes traffic reports with the ids `<prefix><number>`.
    pub(crate) async fn report(&self, prefix: &str, numbers: Range<usize>) {
        for number in numbers {
            let data = json!({ "flow_id": "f", "type": "TYPE_START" });
            let subject = Subject::traffic(&main(), "test");
            self.put(subject, "flowtrail.traffic.reported.v1", &format!("{prefix}{number}"), &data).await;
        }
    }

    /// Publishes a traffic report.
    pub(crate) async fn report_one(&self, id: &str, data: &Value) {
        self.put(Subject::traffic(&main(), "test"), "flowtrail.traffic.reported.v1", id, data).await;
    }

    /// Publishes audit events that happen now, in one message.
    pub(crate) async fn publish_together(&self, events: &[(String, Value)]) {
        let time = Timestamp::from_micros(now_micros()).unwrap();
        let events: Vec<_> = events.iter().map(|(id, data)| (id.clone(), time.to_string(), data.clone())).collect();
        self.publish_at(&events).await;
    }

    /// Publishes audit events, each with its id, time and data, in one message.
    pub(crate) async fn publish_at(&self, events: &[(String, String, Value)]) {
        let seal = |(id, time, data): &(String, String, Value)| {
            let time = Timestamp::parse(time).unwrap();
            serde_json::to_value(Envelope::new(id, "/test", "flowtrail.audit.recorded.v1", time, data)).unwrap()
        };
        let payload: Value = events.iter().map(seal).collect();
        let message = Outgoing {
            subject: Subject::audit(&main(), "test"),
            message_id: events.first().map(|(id, ..)| id.clone()),
            headers: vec![("Content-Type".to_owned(), BATCH.to_owned())],
            payload: payload.to_string().into(),
            expected_last: None,
        };
        self.bus.publish(message).await.unwrap();
    }

    async fn put<D: serde::Serialize>(&self, subject: Subject, kind: &str, id: &str, data: &D) {
        let time = Timestamp::from_micros(now_micros()).unwrap();
        let payload = serde_json::to_vec(&Envelope::new(id, "/test", kind, time, data)).unwrap();
        let headers = vec![("Content-Type".to_owned(), STRUCTURED.to_owned())];
        let message = Outgoing {
            subject,
            message_id: Some(id.to_owned()),
            headers,
            payload: payload.into(),
            expected_last: None,
        };
        self.bus.publish(message).await.unwrap();
    }

    /// Removes a stream.
    pub(crate) async fn remove_stream(&self, name: &str) {
        let context = async_nats::jetstream::new(async_nats::connect(self.server.url()).await.unwrap());
        context.delete_stream(name).await.unwrap();
    }

    /// Removes all messages of a stream, as an operator may.
    pub(crate) async fn purge(&self, stream: Stream) {
        let context = async_nats::jetstream::new(async_nats::connect(self.server.url()).await.unwrap());
        context.get_stream(stream.name()).await.unwrap().purge().await.unwrap();
    }

    /// Makes the streams again that are gone.
    pub(crate) async fn make_streams(&self) {
        self.bus.ensure_streams().await.unwrap();
    }

    /// Removes the messages of a stream before a sequence, as retention does.
    pub(crate) async fn forget(&self, stream: Stream, before: u64) {
        let client = async_nats::connect(self.server.url()).await.unwrap();
        let context = async_nats::jetstream::new(client);
        let stream = context.get_stream(stream.name()).await.unwrap();
        stream.purge().sequence(before).await.unwrap();
    }

    /// The dead letters that the streamer tells, newest first.
    pub(crate) async fn dead_letters(&self, id: u64) -> Value {
        let request = serde_json::to_vec(&DeadLetters { account: main(), id, limit: 100 }).unwrap();
        let subject = format!("flowtrail.streamer.{}", DeadLetters::PATH);
        let answer = self.bus.ask(&subject, request.into(), Duration::from_secs(5)).await.unwrap();
        serde_json::from_slice(&answer).unwrap()
    }

    pub(crate) fn answer(&self, status: u16) {
        self.received.lock().unwrap().status = status;
    }

    /// The ids that begin with a text and were taken, in order.
    pub(crate) fn taken(&self, prefix: &str) -> Vec<String> {
        let received = self.received.lock().unwrap();
        received.taken.iter().filter(|id| id.starts_with(prefix)).cloned().collect()
    }

    /// How many requests were not taken.
    pub(crate) fn requests(&self) -> usize {
        self.received.lock().unwrap().refused
    }

    /// Waits until so many events have come, each once and in order.
    pub(crate) async fn receives(&self, prefix: &str, count: usize) {
        let wanted: Vec<String> = (0..count).map(|number| format!("{prefix}{number}")).collect();
        eventually("they have arrived", async || (self.taken(prefix) == wanted).then_some(())).await;
    }

    /// The status that the streamer tells.
    pub(crate) async fn status(&self, id: u64) -> Value {
        let request = serde_json::to_vec(&StatusOf { account: main(), id }).unwrap();
        let subject = format!("flowtrail.streamer.{}", StatusOf::PATH);
        let answer = self.bus.ask(&subject, request.into(), Duration::from_secs(5)).await.unwrap();
        serde_json::from_slice(&answer).unwrap()
    }
}

async fn take(State(received): State<Arc<Mutex<Received>>>, body: Bytes) -> StatusCode {
    let body: Value = serde_json::from_slice(&body).unwrap();
    let id = body["ID"].as_str().unwrap().to_owned();
    let mut received = received.lock().unwrap();
    let status = received.status;
    if status == 200 {
        received.taken.push(id);
    } else {
        received.refused += 1;
    }
    StatusCode::from_u16(status).unwrap()
}
