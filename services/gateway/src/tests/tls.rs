use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Version};
use bytes::Bytes;
use futures_util::stream;
use http_body_util::BodyExt;
use hyper::client::conn::http2;
use hyper_util::rt::TokioIo;
use rcgen::{CertifiedKey, KeyPair};
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion, version};
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::server::{Serving, read, serving_with, settings};
use crate::{Settings, Tls};

const BOTH: &[&SupportedProtocolVersion] = &[&version::TLS12, &version::TLS13];
/// What is cut off after seconds is cut off by then.
const PATIENCE: Duration = Duration::from_secs(60);
const ALIVE: &[u8] = b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// A certificate in a folder of its own.
struct Files {
    directory: tempfile::TempDir,
    certificate: CertificateDer<'static>,
}

impl Files {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let certificate = write(directory.path());
        Self { directory, certificate }
    }

    fn certificate(&self) -> PathBuf {
        self.directory.path().join("certificate.pem")
    }

    fn key(&self) -> PathBuf {
        self.directory.path().join("key.pem")
    }

    async fn tls(&self) -> Tls {
        Tls::load(self.certificate(), self.key()).await.unwrap()
    }
}

fn made() -> CertifiedKey<KeyPair> {
    rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap()
}

/// Writes a new certificate and its key.
fn write(directory: &Path) -> CertificateDer<'static> {
    let made = made();
    std::fs::write(directory.join("certificate.pem"), made.cert.pem()).unwrap();
    std::fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
    made.cert.der().clone()
}

async fn serving_tls(files: &Files) -> Serving {
    serving_with(Settings { tls: Some(files.tls().await), ..settings() }).await
}

/// A connection of a client that trusts one certificate and speaks these protocols.
async fn connect(
    address: &str,
    trusted: &CertificateDer<'static>,
    versions: &[&'static SupportedProtocolVersion],
    protocols: &[&[u8]],
) -> std::io::Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()));
    let config = config.with_protocol_versions(versions).unwrap().with_root_certificates(roots);
    let mut config = config.with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
    let stream = TcpStream::connect(address).await.unwrap();
    TlsConnector::from(Arc::new(config)).connect(ServerName::try_from("localhost").unwrap(), stream).await
}

/// What the tasks of a client run on.
#[derive(Clone)]
struct Tasks;

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Tasks {
    fn execute(&self, task: F) {
        #[expect(clippy::disallowed_methods, reason = "it ends with the connection")]
        tokio::spawn(task);
    }
}

/// A connection of HTTP/2; its task ends when the connection does.
async fn http_2(serving: &Serving, files: &Files) -> (http2::SendRequest<Body>, JoinSet<()>) {
    let stream = connect(&serving.address, &files.certificate, BOTH, &[b"h2"]).await.unwrap();
    let mut http = http2::Builder::new(Tasks);
    // As small as they can be: what a client has not read it has no room for.
    http.initial_stream_window_size(65_535).initial_connection_window_size(65_535);
    let (requests, connection) = http.handshake(TokioIo::new(stream)).await.unwrap();
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        // Cut off or ended in good order, it is over.
        let _ = connection.await;
    });
    (requests, tasks)
}

fn get(path: &str) -> Request<Body> {
    Request::get(format!("https://localhost{path}")).body(Body::empty()).unwrap()
}

async fn has_ended(mut connection: JoinSet<()>) {
    timeout(PATIENCE, connection.join_next()).await.unwrap().unwrap().unwrap();
}

#[tokio::test]
async fn both_versions_of_http_are_spoken_over_both_versions_of_tls() {
    let files = Files::new();
    let serving = serving_tls(&files).await;
    for versions in [&BOTH[..1], &BOTH[1..]] {
        for protocols in [&[][..], &[b"http/1.1".as_slice()], &[b"http/1.1", b"spdy"]] {
            let mut stream = connect(&serving.address, &files.certificate, versions, protocols).await.unwrap();
            stream.write_all(ALIVE).await.unwrap();
            assert!(read(&mut stream, "alive").await.starts_with("HTTP/1.1 200 OK\r\n"));
        }
        let stream = connect(&serving.address, &files.certificate, versions, &[b"http/1.1", b"h2"]).await.unwrap();
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(b"h2".as_slice()), "it is the better one");
    }
    let (mut requests, _connection) = http_2(&serving, &files).await;
    let answers = (0..3).map(|_| requests.send_request(get("/healthz")));
    for answer in futures_util::future::join_all(answers).await {
        let answer = answer.unwrap();
        assert_eq!((answer.status().as_u16(), answer.version()), (200, Version::HTTP_2));
        assert!(answer.headers().contains_key("x-request-id"));
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        assert!(String::from_utf8_lossy(&body).contains("alive"));
    }
}

#[tokio::test]
async fn without_tls_a_request_is_not_answered_there() {
    let files = Files::new();
    let serving = serving_tls(&files).await;
    let mut stream = TcpStream::connect(&serving.address).await.unwrap();
    stream.write_all(ALIVE).await.unwrap();
    let mut answer = Vec::new();
    let _ = timeout(PATIENCE, stream.read_to_end(&mut answer)).await.unwrap();
    assert!(!String::from_utf8_lossy(&answer).contains("HTTP"), "{answer:?}");
}

#[tokio::test]
async fn a_new_certificate_is_shown_once_it_is_read_and_a_broken_one_never() {
    let files = Files::new();
    let tls = files.tls().await;
    let serving = serving_with(Settings { tls: Some(tls.clone()), ..settings() }).await;
    let is_shown = async |trusted: &CertificateDer<'static>| {
        connect(&serving.address, trusted, BOTH, &[])
            .await
            .is_ok_and(|stream| stream.get_ref().1.peer_certificates().is_some())
    };
    let first = files.certificate.clone();
    let mut before = connect(&serving.address, &first, BOTH, &[]).await.unwrap();
    let second = write(files.directory.path());
    assert!(is_shown(&first).await && !is_shown(&second).await);
    tls.reload().await.unwrap();
    assert!(!is_shown(&first).await && is_shown(&second).await);
    // Half a change: the key is another one.
    std::fs::write(files.key(), made().signing_key.serialize_pem()).unwrap();
    assert!(tls.reload().await.is_err());
    std::fs::remove_file(files.certificate()).unwrap();
    assert!(tls.reload().await.is_err());
    assert!(is_shown(&second).await);
    // Who is connected stays so.
    before.write_all(ALIVE).await.unwrap();
    assert!(read(&mut before, "alive").await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn what_is_wrong_with_the_files_is_one_line_that_names_the_one() {
    let files = Files::new();
    let pem = std::fs::read_to_string(files.certificate()).unwrap();
    let key = std::fs::read_to_string(files.key()).unwrap();
    let other = made().signing_key.serialize_pem();
    let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    for (certificate, key, name, problem) in [
        ("", key.as_str(), "certificate.pem", "holds no certificate in PEM"),
        (&key, &key, "certificate.pem", "holds no certificate in PEM"),
        (broken, &key, "certificate.pem", "cannot be used: invalid peer certificate"),
        (&pem, "", "key.pem", "holds no private key in PEM"),
        (&pem, &pem, "key.pem", "holds no private key in PEM"),
        (&pem, &other, "key.pem", "cannot be used: keys may not be consistent"),
    ] {
        std::fs::write(files.certificate(), certificate).unwrap();
        std::fs::write(files.key(), key).unwrap();
        let error = Tls::load(files.certificate(), files.key()).await.unwrap_err().to_string();
        assert!(error.contains(&format!("{name} {problem}")) && !error.contains('\n'), "{error}");
    }
    let nowhere = files.directory.path().join("nowhere.pem");
    let error = Tls::load(nowhere, files.key()).await.unwrap_err().to_string();
    assert!(error.contains("nowhere.pem cannot be read: No such file"), "{error}");
}

#[tokio::test]
async fn a_client_that_does_not_agree_on_a_cipher_is_cut_off() {
    let files = Files::new();
    let serving = serving_tls(&files).await;
    let mut stream = TcpStream::connect(&serving.address).await.unwrap();
    // The beginning of a client's hello, and no more of it.
    stream.write_all(&[22, 3, 1, 0, 200, 1]).await.unwrap();
    let read = timeout(PATIENCE, stream.read(&mut [0; 1])).await.unwrap();
    assert!(matches!(read, Ok(0) | Err(_)), "{read:?}");
}

#[tokio::test]
async fn a_connection_of_http_2_without_requests_ends() {
    let files = Files::new();
    let serving = serving_tls(&files).await;
    let (mut requests, connection) = http_2(&serving, &files).await;
    let answer = requests.send_request(get("/healthz")).await.unwrap();
    assert_eq!(answer.status(), 200);
    drop(answer);
    has_ended(connection).await;
}

#[tokio::test]
async fn a_client_of_http_2_that_leaves_an_answer_lying_is_cut_off() {
    let files = Files::new();
    let serving = serving_tls(&files).await;
    let text = "x".repeat(100_000);
    for number in 0..10 {
        serving.world.audit("main", &format!("e{number}"), number, &json!({"event_type": "a", "actor_id": text}));
    }
    let (mut requests, connection) = http_2(&serving, &files).await;
    let mut request = get("/api/events/audit");
    request.headers_mut().insert("x-api-key", serving.world.admin().parse().unwrap());
    let answer = requests.send_request(request).await.unwrap();
    assert_eq!(answer.status(), 200);
    // It is kept, and not read.
    has_ended(connection).await;
    assert!(answer.into_body().collect().await.is_err());
}

#[tokio::test]
async fn an_answer_that_is_taken_slowly_over_http_2_comes_whole() {
    let files = Files::new();
    let serving = serving_tls(&files).await;
    let text = "x".repeat(100_000);
    for number in 0..10 {
        serving.world.audit("main", &format!("e{number}"), number, &json!({"event_type": "a", "actor_id": text}));
    }
    let (mut requests, _connection) = http_2(&serving, &files).await;
    let mut request = get("/api/events/audit");
    request.headers_mut().insert("x-api-key", serving.world.admin().parse().unwrap());
    let mut body = requests.send_request(request).await.unwrap().into_body();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        length += frame.unwrap().into_data().unwrap().len();
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(length > 1_000_000, "{length}");
}

#[tokio::test]
async fn a_request_under_way_over_http_2_is_answered_while_the_server_stops() {
    let files = Files::new();
    let mut serving = serving_tls(&files).await;
    let (mut requests, connection) = http_2(&serving, &files).await;
    let (send, sent) = oneshot::channel::<Bytes>();
    let body = Body::from_stream(stream::once(sent));
    let mut request = Request::post("https://localhost/api/event-streaming").body(body).unwrap();
    request.headers_mut().insert("x-api-key", serving.world.admin().parse().unwrap());
    let answering = requests.send_request(request);
    // What comes after it on the connection is answered, so it has begun.
    assert_eq!(requests.send_request(get("/healthz")).await.unwrap().status(), 200);
    serving.stop.cancel();
    send.send("{}".into()).unwrap();
    let answer = answering.await.unwrap();
    assert_eq!(answer.status(), 400);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    assert!(String::from_utf8_lossy(&body).contains("platform: is required"));
    serving.tasks.join_next().await.unwrap().unwrap().unwrap();
    has_ended(connection).await;
}
