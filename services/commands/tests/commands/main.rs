//! The write side against a real nats-server.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod searches;

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use bus::{Access, AskError, Bus, Options};
use commands::Bootstrap;
use feed::write::{NewEvent, write};
use model::access::Actor;
use model::command::{
    Accepted, ClearConfig, Command, CreateIntegration, CreateToken, DeleteIntegration, NumberedIntegration, Reason,
    SealedConfig, SteerIntegration, TellSealingKey, UpdateIntegration,
};
use model::delivery::Guarantee;
use model::integration::{Order, Platform, UPDATED, Updated, Value};
use model::log::{AccountId, Stream, Subject};
use model::reach::Reach;
use testkit::NatsServer;
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use vault::{MasterKey, Owner};

const SECRET: &str = "correct-horse-battery-staple";

/// A write side and a client of it.
struct Running {
    bus: Bus,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Running {
    async fn start(server: &NatsServer, directory: &Path) -> Self {
        let options = Options { url: server.url(), access: Access::default(), name: "test".into() };
        let bus = Bus::connect(&options).await.unwrap();
        bus.ensure_streams().await.unwrap();
        let master = master_key(directory);
        let first = Bootstrap { data_dir: directory.to_owned(), token: None, password: None };
        let commands = commands::start(&bus, master, Reach::default(), &first).await.unwrap();
        let stop = CancellationToken::new();
        #[expect(clippy::disallowed_methods, reason = "the test owns the task and ends it")]
        let task = tokio::spawn(commands.run(stop.clone()));
        Self { bus, stop, task }
    }

    async fn stop(self) {
        self.stop.cancel();
        self.task.await.unwrap();
    }

    async fn send<C: Command>(&self, command: C) -> Result<Accepted<C::Done>, (Reason, String)> {
        send(&self.bus, command).await
    }

    async fn create(&self) -> NumberedIntegration {
        let made = self.send(create()).await.unwrap().done;
        assert_eq!(made.guarantee, None, "nobody is contacted for one that is not enabled");
        made.integration
    }
}

async fn send<C: Command>(bus: &Bus, command: C) -> Result<Accepted<C::Done>, (Reason, String)> {
    let request = serde_json::to_vec(&command).unwrap();
    let subject = format!("flowtrail.command.{}", C::PATH);
    match bus.ask(&subject, request.into(), Duration::from_secs(10)).await {
        Ok(answer) => Ok(serde_json::from_slice(&answer).unwrap()),
        Err(AskError::Refused { code, message }) => Err((Reason::from_code(code), message)),
        Err(error) => panic!("{error}"),
    }
}

fn main() -> AccountId {
    AccountId::parse("main").unwrap()
}

fn by() -> Actor {
    Actor { id: "u1".into(), name: None, email: None }
}

/// The one that all write sides here have.
fn master_key(directory: &Path) -> MasterKey {
    let path = directory.join("master.key");
    std::fs::write(&path, format!("{}=", "A".repeat(43))).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    MasterKey::load_or_create(&path).unwrap()
}

/// A configuration as the gateway sends it.
fn config(values: &[(&str, &str)]) -> SealedConfig {
    let clear: BTreeMap<_, _> = values.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    let clear = serde_json::to_vec(&ClearConfig(clear)).unwrap();
    let lock = master_key(tempfile::tempdir().unwrap().path()).transit().lock();
    SealedConfig(lock.seal(&main(), &clear).unwrap())
}

fn create() -> CreateIntegration {
    let config = config(&[("api_key", SECRET), ("site", "datadoghq.com")]);
    CreateIntegration { account: main(), by: by(), platform: Platform::Datadog, config, enabled: false }
}

fn update(id: u64, values: &[(&str, &str)]) -> UpdateIntegration {
    UpdateIntegration { account: main(), by: by(), id, config: config(values), enabled: None }
}

fn delete(id: u64) -> DeleteIntegration {
    DeleteIntegration { account: main(), by: by(), id }
}

/// Whether any file below `directory` holds `text`.
fn is_on_disk(directory: &Path, text: &[u8]) -> bool {
    std::fs::read_dir(directory).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        if path.is_dir() {
            return is_on_disk(&path, text);
        }
        std::fs::read(&path).unwrap().windows(text.len()).any(|part| part == text)
    })
}

#[tokio::test]
async fn numbers_count_up_and_are_never_given_again() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    assert_eq!(running.create().await.id, 1);
    assert_eq!(running.create().await.id, 2);
    running.send(delete(2)).await.unwrap();
    assert_eq!(running.create().await.id, 3);
    running.stop().await;
}

#[tokio::test]
async fn only_what_is_sealed_with_the_key_that_is_told_and_for_the_account_is_read() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let told = running.send(TellSealingKey {}).await.unwrap();
    assert_eq!((told.done, told.position), (master_key(directory.path()).transit().lock().to_string(), None));
    let other = AccountId::parse("other").unwrap();
    for command in [
        CreateIntegration { config: SealedConfig("AAAA".to_owned()), ..create() },
        CreateIntegration { account: other, ..create() },
    ] {
        assert_eq!(running.send(command).await.unwrap_err(), (Reason::Internal, "internal error".to_owned()));
    }
    let lock = master_key(directory.path()).transit().lock();
    let sealed = lock.seal(&main(), format!("[\"{SECRET}\"]").as_bytes()).unwrap();
    let refused = running.send(CreateIntegration { config: SealedConfig(sealed), ..create() }).await.unwrap_err();
    assert_eq!(refused, (Reason::Invalid, "config: must be an object of strings".to_owned()));
    running.stop().await;
}

#[tokio::test]
async fn many_creators_at_once_get_numbers_of_their_own() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let mut creators = JoinSet::new();
    for _ in 0..6 {
        let bus = running.bus.clone();
        creators.spawn(async move { send(&bus, create()).await.unwrap().done.integration.id });
    }
    let mut ids = creators.join_all().await;
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 6);
    running.stop().await;
}

#[tokio::test]
async fn of_two_writers_at_once_neither_change_is_lost() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let id = running.create().await.id;
    let mut writers = JoinSet::new();
    for key in ["region", "api_url"] {
        let bus = running.bus.clone();
        writers.spawn(async move {
            for round in 0..10 {
                let value = format!("https://example.com/{round}");
                // Both are applied one after the other, or the later is told of the conflict and tries again.
                while let Err((refusal, _)) = send(&bus, update(id, &[(key, &value)])).await {
                    assert_eq!(refusal, Reason::Conflict);
                }
            }
        });
    }
    writers.join_all().await;
    let last = running.send(update(id, &[("events", "audit")])).await.unwrap().done.current;
    let text = |key: &str| last.config[key].clone();
    assert_eq!(text("region"), Value::Text("https://example.com/9".into()));
    assert_eq!(text("api_url"), Value::Text("https://example.com/9".into()));
    assert_eq!(running.bus.load(&Subject::integration(&main(), id)).await.unwrap().len(), 22);
    running.stop().await;
}

/// As it may have grown before configurations had a bound: more than the server holds back for a client.
#[tokio::test]
async fn an_integration_with_a_huge_history_is_changed_paused_and_deleted() {
    const MEGABYTES: usize = 260;
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let NumberedIntegration { id, current } = running.create().await;
    let mut data =
        Updated { platform: current.platform, config: current.config, enabled: false, changed: vec![], by: by() };
    data.config.insert("region".to_owned(), Value::Text("x".repeat(1 << 20)));
    for number in 0..MEGABYTES {
        let (subject, id) = (Subject::integration(&main(), id), format!("grown-{number}"));
        let event =
            NewEvent { subject, id: &id, source: "test", event_type: UPDATED, time: current.updated_at, data: &data };
        running.bus.publish(write(event).unwrap()).await.unwrap();
    }
    let text = |value: &str| Value::Text(value.to_owned());
    for region in ["eu", "us"] {
        let changed = running.send(update(id, &[("region", region)])).await.unwrap().done.current;
        assert_eq!(changed.config["region"], text(region));
    }
    let steer = |order| SteerIntegration { account: main(), by: by(), id, order };
    assert!(running.send(steer(Order::Pause)).await.unwrap().done.current.paused);
    assert!(!running.send(steer(Order::Resume)).await.unwrap().done.current.paused);
    running.stop().await;
    // Started again, it knows nothing of it yet.
    let running = Running::start(&server, directory.path()).await;
    running.send(delete(id)).await.unwrap();
    assert_eq!(running.send(delete(id)).await.unwrap_err().0, Reason::NotFound);
    running.stop().await;
}

#[tokio::test]
async fn a_receiver_that_may_not_be_reached_is_refused_when_it_is_named() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let id = running.create().await.id;
    for url in ["https://127.0.0.1/", "http://example.com/", "https://localhost/", "https://[::ffff:10.0.0.1]/"] {
        let (refusal, text) = running.send(update(id, &[("api_url", url)])).await.unwrap_err();
        assert_eq!(refusal, Reason::Invalid);
        assert!(text.starts_with("config.api_url: "), "{url}: {text}");
    }
    let nothing_changed = running.bus.load(&Subject::integration(&main(), id)).await.unwrap();
    assert_eq!(nothing_changed.len(), 1);
    running.stop().await;
}

#[tokio::test]
async fn a_secret_is_sealed_in_the_log_and_after_delete_nobody_can_open_it() {
    let mut server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let integration = running.create().await;
    let Value::Sealed(sealed) = integration.current.config["api_key"].clone() else { panic!("it is sealed") };
    let owner_account = main();
    let owner = Owner { account: &owner_account, id: integration.id };
    let master = MasterKey::load_or_create(&directory.path().join("master.key")).unwrap();
    let name = format!("integration-main-{}", integration.id);
    let wrapped = running.bus.keys().get(&name).await.unwrap().expect("its key is there");
    let opened = master.unwrap(&wrapped, owner).unwrap().open(owner, "api_key", &sealed).unwrap();
    assert_eq!(opened.reveal(), SECRET);
    running.send(delete(integration.id)).await.unwrap();
    assert_eq!(running.bus.keys().get(&name).await.unwrap(), None);
    running.stop().await;
    server.stop().await;
    assert!(!is_on_disk(&server.store(), SECRET.as_bytes()), "the secret in clear");
    assert!(!is_on_disk(&server.store(), &wrapped), "the wrapped key");
    assert!(is_on_disk(&server.store(), sealed.0.as_bytes()), "the ciphertext stays, and the search does find things");
}

#[tokio::test]
async fn a_mask_keeps_the_secret_that_is_stored() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let before = running.create().await;
    let after = running.send(update(before.id, &[("api_key", "****"), ("region", "eu")])).await.unwrap().done;
    assert_eq!(after.current.config["api_key"], before.current.config["api_key"]);
    let unchanged = running.send(update(before.id, &[("api_key", "****")])).await.unwrap();
    assert_eq!(unchanged.position, None);
    running.stop().await;
}

#[tokio::test]
async fn nothing_of_a_refused_command_is_kept() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let refused = running.send(CreateIntegration { config: config(&[("site", "datadoghq.eu")]), ..create() }).await;
    let (refusal, message) = refused.unwrap_err();
    assert_eq!((refusal, message.as_str()), (Reason::Invalid, "config.api_key: is required for datadog"));
    assert_eq!(running.send(update(1, &[])).await.unwrap_err().0, Reason::NotFound);
    assert_eq!(running.send(delete(1)).await.unwrap_err().0, Reason::NotFound);
    assert_eq!(running.bus.state(Stream::Integration).await.unwrap().messages, 0);
    assert_eq!(running.bus.keys().get("integration-main-1").await.unwrap(), None);
    running.stop().await;
}

#[tokio::test]
async fn the_first_account_is_made_once_and_its_token_is_in_a_file_only() {
    let mut server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    Running::start(&server, directory.path()).await.stop().await;
    let token = std::fs::read_to_string(directory.path().join("admin.token")).unwrap();
    let running = Running::start(&server, directory.path()).await;
    assert_eq!(running.bus.state(Stream::Access).await.unwrap().messages, 3);
    running.stop().await;
    assert_eq!(std::fs::read_to_string(directory.path().join("admin.token")).unwrap(), token);
    server.stop().await;
    let password = std::fs::read_to_string(directory.path().join("admin.password")).unwrap();
    assert!(!is_on_disk(&server.store(), token.trim().as_bytes()));
    assert!(!is_on_disk(&server.store(), password.trim().as_bytes()));
    #[cfg(unix)]
    for file in ["admin.token", "admin.password", "master.key"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(directory.path().join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

#[tokio::test]
async fn a_token_needs_an_account_and_a_user_that_exist() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let create = CreateToken {
        account: AccountId::parse("nobody").unwrap(),
        name: "ci".into(),
        hash: model::access::TokenHash::of("t"),
        scopes: [model::access::Scope::AuditRead].into_iter().collect(),
        user_id: None,
        expires_at: None,
        by: by(),
    };
    let (refusal, message) = running.send(create.clone()).await.unwrap_err();
    assert_eq!(refusal, Reason::NotFound);
    assert!(message.contains("flowtrail account create nobody"), "{message}");
    let of_nobody = CreateToken { account: main(), user_id: Some(model::access::user_id("nobody@local")), ..create };
    let (refusal, message) = running.send(of_nobody).await.unwrap_err();
    assert_eq!((refusal, message.as_str()), (Reason::NotFound, "there is no such user in the account main"));
    running.stop().await;
}

/// Lets someone stand in for the streamer, who ends every test of a receiver in this way.
async fn tests_end(running: &Running, answer: &'static str) -> JoinSet<()> {
    let endpoint = bus::Endpoint::new("flowtrail.streamer.test", move |_| async move { Ok(answer.into()) });
    let (name, version) = ("stand-in".to_owned(), "1.0.0".to_owned());
    let service = bus::ServiceInfo { name, version, description: String::new() };
    let answering = running.bus.answer(&service, vec![endpoint]).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(answering.run(running.stop.clone()));
    tasks
}

#[tokio::test]
async fn an_enabled_integration_is_made_only_when_its_receiver_takes_a_test_event() {
    let server = NatsServer::start().await;
    let directory = tempfile::tempdir().unwrap();
    let running = Running::start(&server, directory.path()).await;
    let enabled = || CreateIntegration { enabled: true, ..create() };
    let refused = running.send(enabled()).await.unwrap_err();
    assert_eq!(refused.0, Reason::NobodyDelivers, "nobody is there to try it");
    let answer = r#"{"refused":{"time":"2026-01-31T12:00:00Z","status":403,"reason":"the receiver answered 403"}}"#;
    let streamer = tests_end(&running, answer).await;
    let (refusal, message) = running.send(enabled()).await.unwrap_err();
    assert_eq!(refusal, Reason::ReceiverRefuses);
    assert!(message.contains("the receiver answered 403"), "{message}");
    assert_eq!(running.bus.state(Stream::Integration).await.unwrap().messages, 0, "nothing is stored");
    assert_eq!(running.bus.keys().get("integration-main-1").await.unwrap(), None, "nor a key");
    assert_eq!(running.create().await.id, 1, "one that is not enabled is not tried");
    drop(streamer);
    let _streamer = tests_end(&running, r#"{"delivered":"exactly once"}"#).await;
    let made = testkit::eventually("the other stand-in is gone", async || running.send(enabled()).await.ok()).await;
    assert!(made.done.integration.current.enabled);
    assert_eq!(made.done.guarantee, Some(Guarantee::ExactlyOnce));
    running.stop().await;
}
