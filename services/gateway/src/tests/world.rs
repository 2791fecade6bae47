//! A gateway over views that a test fills by itself.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use axum::response::Response;
use bus::{Answering, Bus, Endpoint, Message, Options, Refusal, ServiceInfo};
use bytes::Bytes;
use feed::erasures::Erased;
use http_body_util::BodyExt;
use model::access::{
    AccountCreated, Actor, Event as Access, Recorded, Scope, TokenCreated, TokenHash, UserCreated, user_id,
};
use model::command::{Command, TellSealingKey};
use model::envelope::{self, Part, open_structured};
use model::event::{Event, decode_event, decode_part};
use model::integration::{self, Created, Platform, Value as Setting};
use model::log::{AccountId, LogPosition, Stream, Subject};
use model::search::{self, Definition, Family};
use model::secret::Secret;
use model::time::Timestamp;
use runtime::metrics::Metrics;
use runtime::settings::LimitSettings;
use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::NatsServer;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use vault::TransitKey;
use views::store::{Batch, Checkpoint};
use views::{Logged, Observed, View, Views};

use crate::access::oidc::Provider;
use crate::app::{App, Resources};
use crate::http::cors::{Cors, Origins};
use crate::lists::cursor;
use crate::router::{openapi, router};
use crate::upstream::reader::Reader;
use crate::witness::{Recorder, witness};

pub(super) struct World {
    pub(super) server: NatsServer,
    pub(super) bus: Bus,
    pub(super) views: Views,
    pub(super) router: Router,
    sequences: Mutex<BTreeMap<Stream, u64>>,
    services: JoinSet<()>,
    _directory: TempDir,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) bytes: Bytes,
}

/// The structured events of a message, as JSON.
pub(super) fn events_of(message: &Message) -> Vec<Value> {
    let headers: Vec<(&str, &str)> =
        message.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let packed = envelope::Message { headers: &headers, payload: &message.payload };
    match serde_json::from_slice(&envelope::unpacked(packed).unwrap()).unwrap() {
        Value::Array(events) => events,
        event => vec![event],
    }
}

impl World {
    /// Empty views, and an empty log with all streams.
    pub(super) async fn start() -> Self {
        let server = NatsServer::start().await;
        let options = Options { url: server.url(), access: bus::Access::default(), name: "gateway".to_owned() };
        let bus = Bus::connect(&options).await.unwrap();
        bus.ensure_streams().await.unwrap();
        let directory = tempfile::tempdir().unwrap();
        let views = Views::open(directory.path(), 16 << 20).unwrap();
        let router = gateway(Reader::Local(views.clone()), &bus);
        let world = Self {
            server,
            bus,
            views,
            router,
            sequences: Mutex::default(),
            services: JoinSet::new(),
            _directory: directory,
        };
        for stream in Stream::ALL {
            world.observe(stream, 0);
        }
        world
    }

    /// One that pages of these origins may ask from a browser.
    pub(super) async fn with_origins(origins: &Origins) -> Self {
        let mut world = Self::start().await;
        world.router = gateway_for(Reader::Local(world.views.clone()), &world.bus, origins);
        world
    }

    /// Lets the gateway record who is turned away and, if so wanted, who reads.
    pub(super) fn record(&mut self, reads: bool) {
        let recorder = self.watch(reads);
        self.services.spawn(recorder.run());
    }

    /// A gateway that takes this provider's tokens too.
    pub(super) fn trust(&mut self, provider: Provider) {
        let provider = Some(Arc::new(provider));
        self.router = routed(Resources { provider, ..self.resources(false).0 }, &Origins::Any);
    }

    /// An account, of whose making no audit event is made.
    pub(super) fn account(&self, account: &str) {
        let created = AccountCreated { name: account.to_owned(), by: Actor::system() };
        self.access(account, account, Access::AccountCreated(created));
    }

    /// A gateway that records reads, as soon as the recorder runs.
    pub(super) fn keep_waiting(&mut self) -> Recorder {
        self.watch(true)
    }

    fn watch(&mut self, reads: bool) -> Recorder {
        let (resources, recorder) = self.resources(reads);
        self.router = routed(resources, &Origins::Any);
        recorder
    }

    /// What a gateway over these views is made of.
    pub(super) fn resources(&self, records_reads: bool) -> (Resources, Recorder) {
        resources(Reader::Local(self.views.clone()), &self.bus, records_reads)
    }

    /// Ends the gateway, and waits until everything is recorded.
    pub(super) async fn end_recording(&mut self) {
        self.router = Router::new();
        self.services.join_next().await.unwrap().unwrap();
    }

    /// The data of the audit events that the gateway published in an account.
    pub(super) async fn recorded(&self, account: &str) -> Vec<Value> {
        let messages = self.bus.load(&Subject::audit(&account_id(account), "flowtrail")).await.unwrap();
        messages.iter().flat_map(events_of).map(|mut event| event["data"].take()).collect()
    }

    /// A token of an account, with these scopes.
    pub(super) fn token(&self, account: &str, scopes: &[Scope]) -> String {
        self.token_until(account, scopes, None)
    }

    /// A token of the account `main` that may do everything.
    pub(super) fn admin(&self) -> String {
        self.token("main", &[Scope::Admin])
    }

    pub(super) fn token_until(&self, account: &str, scopes: &[Scope], expires_at: Option<Timestamp>) -> String {
        self.token_in(&View::ALL, account, scopes, expires_at)
    }

    /// A token whose making is no audit event.
    pub(super) fn silent_token(&self, account: &str, scopes: &[Scope]) -> String {
        self.token_in(&[views::access::VIEW], account, scopes, None)
    }

    fn token_in(&self, views: &[View], account: &str, scopes: &[Scope], expires_at: Option<Timestamp>) -> String {
        let count = self.sequences.lock().unwrap().get(&Stream::Access).copied().unwrap_or_default();
        let token = format!("ft_{account}{count}");
        let created = TokenCreated {
            name: format!("token {count}"),
            hash: TokenHash::of(&token),
            scopes: scopes.iter().copied().collect(),
            user_id: None,
            expires_at,
            by: Actor::system(),
        };
        let (id, event_id) = (format!("t{count}"), format!("access-{count}"));
        let recorded = Recorded { event_id, time: at(count), id, event: Access::TokenCreated(created) };
        self.project_into(views, account, Stream::Access, &Event::Access(recorded));
        token
    }

    /// Puts an access event, of which no audit event is made, into the view.
    pub(super) fn access(&self, account: &str, id: &str, event: Access) {
        let recorded = Recorded { event_id: format!("deed-{id}"), time: at(0), id: id.to_owned(), event };
        self.project_into(&[views::access::VIEW], account, Stream::Access, &Event::Access(recorded));
    }

    /// A user with a password; gives their id.
    pub(super) fn user(&self, account: &str, email: &str, password: &str) -> String {
        let password_hash = vault::hash_password(&Secret::new(password.to_owned())).unwrap();
        let (name, by) = ("Name".to_owned(), Actor::system());
        let scopes = Some(Scope::USUAL.into_iter().collect());
        let created = UserCreated { email: email.to_owned(), name, password_hash, scopes, by };
        let (id, event_id) = (user_id(email), format!("user-{email}"));
        let recorded = Recorded { event_id, time: at(0), id: id.clone(), event: Access::UserCreated(created) };
        self.project(account, Stream::Access, &Event::Access(recorded));
        id
    }

    /// A token of a user, as a sign-in makes it; its name is its id too.
    pub(super) fn user_token(&self, account: &str, user_id: &str, token: &str, expires_at: Timestamp) {
        let created = TokenCreated {
            name: "sign-in".to_owned(),
            hash: TokenHash::of(token),
            scopes: [Scope::Admin].into_iter().collect(),
            user_id: Some(user_id.to_owned()),
            expires_at: Some(expires_at),
            by: Actor::system(),
        };
        let (event_id, event) = (format!("user-token-{token}"), Access::TokenCreated(created));
        let recorded = Recorded { event_id, time: at(0), id: token.to_owned(), event };
        self.project(account, Stream::Access, &Event::Access(recorded));
    }

    /// Sets what the directory knows of a user.
    pub(super) fn known(&self, account: &str, id: &str, data: &Value) {
        let subject = Subject::directory(&account_id(account), "user", id);
        self.cloud_event(&subject, "flowtrail.directory.user.v1", (id, 0), data);
    }

    /// Lets the directory know of a peer.
    pub(super) fn peer(&self, account: &str, id: &str, data: &Value) {
        let subject = Subject::directory(&account_id(account), "peer", id);
        self.cloud_event(&subject, "flowtrail.directory.peer.v1", (id, 0), data);
    }

    /// Puts an audit event into the view.
    pub(super) fn audit(&self, account: &str, id: &str, second: u64, data: &Value) {
        let subject = Subject::audit(&account_id(account), "test");
        self.cloud_event(&subject, "flowtrail.audit.recorded.v1", (id, second), data);
    }

    /// Puts a traffic report into the view.
    pub(super) fn traffic(&self, account: &str, id: &str, second: u64, data: &Value) {
        let subject = Subject::traffic(&account_id(account), "test");
        self.cloud_event(&subject, "flowtrail.traffic.reported.v1", (id, second), data);
    }

    /// Puts an audit event, given with its envelope, into the view.
    pub(super) fn event(&self, account: &str, event: &Value) {
        self.event_as_written(account, &event.to_string());
    }

    /// The same for an event as text, whose numbers no value could hold.
    pub(super) fn event_as_written(&self, account: &str, event: &str) {
        let subject = Subject::audit(&account_id(account), "test");
        let event = decode_part(&subject, Part::in_batch(event.as_bytes()), at(0)).event.unwrap();
        self.project(account, Stream::Audit, &event);
    }

    fn cloud_event(&self, subject: &Subject, kind: &str, (id, second): (&str, u64), data: &Value) {
        let event = json!({
            "specversion": "1.0", "id": id, "source": "/test", "type": kind, "time": at(second), "data": data,
        });
        let text = event.to_string();
        let event = decode_event(subject, &open_structured(text.as_bytes()).unwrap(), at(second)).unwrap();
        self.project(subject.account().as_str(), subject.stream(), &event);
    }

    /// Puts an integration into the view.
    pub(super) fn integration(&self, account: &str, id: u64) {
        let created = Created { platform: Platform::Datadog, config: datadog(), enabled: true, by: Actor::system() };
        let (event_id, event) = (format!("integration-{id}"), integration::Event::Created(created));
        let recorded = integration::Recorded { event_id, time: at(id), id, event };
        self.project(account, Stream::Integration, &Event::Integration(recorded));
    }

    /// Puts a saved search of audit events into the view; its name is its id too.
    pub(super) fn search(&self, account: &str, id: &str, owner: &str, shared: bool) {
        let by = Actor { id: owner.to_owned(), name: None, email: None };
        let event = search::Event::Created(search::Created { search: saved(id, shared), by });
        let recorded = search::Recorded { time: at(0), id: id.to_owned(), event };
        self.project(account, Stream::Search, &Event::Search(recorded));
    }

    fn project(&self, account: &str, stream: Stream, event: &Event) {
        self.project_into(&View::ALL, account, stream, event);
    }

    fn project_into(&self, views: &[View], account: &str, stream: Stream, event: &Event) {
        let sequence = {
            let mut sequences = self.sequences.lock().unwrap();
            let last = sequences.entry(stream).or_default();
            *last += 1;
            *last
        };
        let (account, position) = (account_id(account), LogPosition { stream, sequence });
        for view in views.iter().copied().filter(|view| view.reads().any(|read| read == stream)) {
            let mut batch = Batch::new(self.views.slot(view).store());
            view.project(&mut batch, Logged { account: &account, position, event, draft: None }).unwrap();
            let checkpoint = Checkpoint { sequence, fingerprint: String::new(), stream_created: 0 };
            batch.commit(stream, &checkpoint).unwrap();
        }
        self.observe(stream, sequence);
    }

    /// Lets the views of a stream be as far as this, with nothing waiting.
    pub(super) fn observe(&self, stream: Stream, sequence: u64) {
        for view in View::ALL.into_iter().filter(|view| view.reads().any(|read| read == stream)) {
            self.views.slot(view).observe(stream, Observed { sequence, pending: 0 });
        }
    }

    /// Lets `answer` stand in for the service that answers requests to `subject`.
    pub(super) async fn serve(&mut self, subject: &str, answer: fn(Value) -> Result<Value, Refusal>) {
        let endpoint = Endpoint::new(subject, move |request: Bytes| {
            let answer = answer(serde_json::from_slice(&request).unwrap());
            std::future::ready(answer.map(|value| Bytes::from(value.to_string())))
        });
        self.serve_all(vec![endpoint, tells_sealing_key()]).await;
    }

    pub(super) async fn serve_all(&mut self, endpoints: Vec<Endpoint>) {
        let (name, version) = ("stand-in".to_owned(), "1.0.0".to_owned());
        let service = ServiceInfo { name, version, description: String::new() };
        let answering: Answering = self.bus.answer(&service, endpoints).await.unwrap();
        self.services.spawn(answering.run(CancellationToken::new()));
    }

    /// Ends whatever answers on the bus.
    pub(super) fn end_services(&mut self) {
        self.services.abort_all();
    }

    /// Sends a request as it is.
    pub(super) async fn send(&self, request: Request<Body>) -> Answer {
        send(&self.router, request).await
    }

    /// Reads with a token.
    pub(super) async fn get(&self, token: &str, path: &str) -> Answer {
        self.send(request(Method::GET, token, path, Body::empty())).await
    }

    /// Sends JSON with a token.
    pub(super) async fn put(&self, method: Method, token: &str, path: &str, body: &str) -> Answer {
        self.send(request(method, token, path, Body::from(body.to_owned()))).await
    }
}

impl Answer {
    pub(super) async fn of(response: Response) -> Self {
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.unwrap().to_bytes();
        Self { status: parts.status, headers: parts.headers, bytes }
    }

    /// The body, which must be JSON and say so.
    #[track_caller]
    pub(super) fn json(&self) -> Value {
        let content_type = self.header("content-type").unwrap_or_default();
        let known = ["application/json; charset=UTF-8", "application/json", "application/problem+json"];
        assert!(known.contains(&content_type), "{content_type}");
        serde_json::from_slice(&self.bytes).unwrap()
    }

    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// Checks that this is a refusal in NetBird's shape or in vRNI's, and gives its text.
    #[track_caller]
    pub(super) fn refusal(&self, status: u16) -> String {
        let body = self.json();
        assert_eq!((self.status.as_u16(), body["code"].as_u64()), (status, Some(status.into())), "{body}");
        if let Some(details) = body.get("details") {
            assert_eq!(details[0]["code"], status);
        }
        assert_eq!(body.as_object().unwrap().len(), if body.get("details").is_some() { 3 } else { 2 });
        body["message"].as_str().unwrap().to_owned()
    }

    /// The values of one member in a list of rows.
    #[track_caller]
    pub(super) fn all(&self, member: &str) -> Vec<String> {
        assert_eq!(self.status, StatusCode::OK, "{self:?}");
        let body = self.json();
        let rows = body.get("data").or(body.get("items")).unwrap_or(&body).as_array().unwrap();
        rows.iter().map(|row| row[member].as_str().unwrap().to_owned()).collect()
    }

    /// The address of the next page.
    #[track_caller]
    pub(super) fn next(&self) -> Option<String> {
        let link = self.header("link")?;
        Some(link.strip_prefix('<').unwrap().strip_suffix(">; rel=\"next\"").unwrap().to_owned())
    }
}

/// A gateway whose witness nobody listens to.
pub(super) fn gateway(reader: Reader, bus: &Bus) -> Router {
    gateway_for(reader, bus, &Origins::Any)
}

/// One that pages of these origins may ask.
fn gateway_for(reader: Reader, bus: &Bus, origins: &Origins) -> Router {
    routed(resources(reader, bus, false).0, origins)
}

/// What answers requests with these.
pub(super) fn routed(resources: Resources, origins: &Origins) -> Router {
    router(App::new(resources, openapi), Cors::new(origins))
}

fn resources(reader: Reader, bus: &Bus, records_reads: bool) -> (Resources, Recorder) {
    let (witness, recorder) = witness(bus.clone(), records_reads);
    let (bus, cursors, limits) = (bus.clone(), cursor::Key::new([7; 32]), LimitSettings::NONE);
    let metrics = Metrics::default();
    let stop = CancellationToken::new();
    let erased = Erased::default();
    let leaving = stop.clone();
    (Resources { reader, bus, erased, cursors, witness, provider: None, limits, metrics, leaving, stop }, recorder)
}

pub(super) fn request(method: Method, token: &str, path: &str, body: Body) -> Request<Body> {
    let request = Request::builder().method(method).uri(path).header("authorization", format!("Token {token}"));
    request.body(body).unwrap()
}

pub(super) async fn send(router: &Router, request: Request<Body>) -> Answer {
    Answer::of(router.clone().oneshot(request).await.unwrap()).await
}

pub(super) fn account_id(text: &str) -> AccountId {
    AccountId::parse(text).unwrap()
}

/// So many seconds after a whole day in 2024.
pub(super) fn at(second: u64) -> Timestamp {
    Timestamp::from_micros(1_704_067_200_000_000 + i64::try_from(second).unwrap() * 1_000_000).unwrap()
}

pub(super) fn datadog() -> integration::Config {
    let secret = Setting::Sealed(integration::Ciphertext("c2VhbGVk".to_owned()));
    let site = Setting::Text("datadoghq.eu".to_owned());
    [("api_key".to_owned(), secret), ("site".to_owned(), site)].into()
}

/// A search for audit events.
pub(super) fn saved(name: &str, shared: bool) -> Definition {
    let (name, q) = (name.to_owned(), "status:denied".to_owned());
    Definition { name, family: Family::Audit, q, from: None, to: None, columns: None, shared }
}

/// What opens the configurations that stand-ins are sent.
fn transit() -> TransitKey {
    TransitKey::derive(&[7; 32])
}

/// The part of a write side that tells how to seal a configuration.
pub(super) fn tells_sealing_key() -> Endpoint {
    Endpoint::new(format!("flowtrail.command.{}", TellSealingKey::PATH), |_: Bytes| {
        let answer = json!({ "position": null, "done": transit().lock().to_string() });
        std::future::ready(Ok::<_, Refusal>(Bytes::from(answer.to_string())))
    })
}

/// The configuration of a command, which is sealed for `main`.
pub(super) fn opened_config(command: &Value) -> Value {
    let clear = transit().open(&account_id("main"), command["config"].as_str().unwrap()).unwrap();
    serde_json::from_slice(&clear).unwrap()
}
