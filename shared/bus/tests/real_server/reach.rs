//! Ways to a server: TLS with certificates of both sides, an nkey, a JetStream domain behind a leaf node.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
use std::path::{Path, PathBuf};
use std::time::Duration;

use bus::{Access, Bus, ConnectError, Options};
use model::log::Stream;
use nkeys::KeyPair;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair as TlsKey};
use tempfile::TempDir;
use testkit::{NatsServer, free_port};

use super::{audit, message, texts};

/// An authority, and what it has issued.
struct Certificates {
    directory: TempDir,
    issuer: Issuer<'static, TlsKey>,
}

impl Certificates {
    fn new() -> Self {
        // The library has TLS without a provider of cryptography.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let directory = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = TlsKey::generate().unwrap();
        std::fs::write(directory.path().join("ca.pem"), params.self_signed(&key).unwrap().pem()).unwrap();
        Self { directory, issuer: Issuer::new(params, key) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Issues a certificate for loopback, and gives the paths to it and its key.
    fn issue(&self, name: &str) -> (PathBuf, PathBuf) {
        let key = TlsKey::generate().unwrap();
        let params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        let (certificate_path, key_path) = (self.path(&format!("{name}.pem")), self.path(&format!("{name}.key")));
        std::fs::write(&certificate_path, certificate.pem()).unwrap();
        std::fs::write(&key_path, key.serialize_pem()).unwrap();
        (certificate_path, key_path)
    }
}

/// A server with the shipped configuration and more.
async fn server(directory: &Path, name: &str, more: &str) -> NatsServer {
    let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../nats/server.conf");
    let path = directory.join(format!("{name}.conf"));
    std::fs::write(&path, std::fs::read_to_string(shipped).unwrap() + more).unwrap();
    NatsServer::start_with(&path).await
}

async fn connect(url: &str, access: &Access) -> Result<Bus, ConnectError> {
    Bus::connect(&Options { url: url.to_owned(), access: access.clone(), name: "test".to_owned() }).await
}

/// Publishes a message and reads it in each of the ways that there are.
async fn works(bus: &Bus) {
    bus.ensure_streams().await.unwrap();
    bus.publish(message(audit(), "a")).await.unwrap();
    let read = bus.consume(Stream::Audit, 0).next_batch(10, usize::MAX, Duration::from_secs(5)).await.unwrap();
    assert_eq!(texts(&read), ["a"]);
    assert_eq!(texts(&bus.load(&audit()).await.unwrap()), ["a"]);
    assert_eq!(bus.last_on(&audit()).await.unwrap().unwrap().payload, "a");
    assert_eq!(bus.count_from(Stream::Audit, ">", 1).await.unwrap(), 1);
    assert!(bus.damage(Stream::Audit, &[]).await.unwrap().is_none());
    bus.keys().create("k", "secret".into()).await.unwrap();
    assert_eq!(bus.keys().names().await.unwrap(), ["k"]);
    let mut snapshot = bus.snapshot(Stream::Audit.name()).await.unwrap();
    let mut bytes = 0;
    while let Some(chunk) = snapshot.next().await.unwrap() {
        bytes += chunk.len();
    }
    assert!(bytes > 0);
}

#[tokio::test]
async fn a_server_that_wants_a_certificate_and_an_nkey_is_reached_with_both_alone() {
    let certificates = Certificates::new();
    let (user, stranger) = (KeyPair::new_user(), KeyPair::new_user());
    let (certificate, key) = certificates.issue("server");
    let authority = certificates.path("ca.pem");
    let more = format!(
        "tls {{ cert_file: {certificate:?}, key_file: {key:?}, ca_file: {authority:?}, verify: true }}\n\
         authorization {{ users: [ {{ nkey: {} }} ] }}\n",
        user.public_key()
    );
    let server = server(certificates.directory.path(), "guarded", &more).await;
    let seed = |pair: &KeyPair, name: &str| {
        let path = certificates.path(name);
        std::fs::write(&path, format!("{}\n", pair.seed().unwrap())).unwrap();
        path
    };
    let access = Access {
        nkey: Some(seed(&user, "user.nk")),
        authority: Some(authority),
        certificate: Some(certificates.issue("client")),
        ..Access::default()
    };
    works(&connect(&server.url(), &access).await.unwrap()).await;

    let other = Certificates::new();
    let refused = [
        ("without a certificate", Access { certificate: None, ..access.clone() }),
        ("with one of another authority", Access { certificate: Some(other.issue("client")), ..access.clone() }),
        ("trusting another authority", Access { authority: Some(other.path("ca.pem")), ..access.clone() }),
        ("without a user", Access { nkey: None, ..access.clone() }),
        ("as somebody else", Access { nkey: Some(seed(&stranger, "stranger.nk")), ..access.clone() }),
    ];
    for (how, access) in refused {
        let refused = connect(&server.url(), &access).await;
        assert!(matches!(refused, Err(ConnectError::Unreachable { .. })), "{how}: {refused:?}");
    }
    // What cannot be read is named.
    let absent = certificates.path("absent");
    let unreadable = [
        Access { nkey: Some(absent.clone()), ..access.clone() },
        Access { nkey: access.authority.clone(), ..access.clone() },
        Access { authority: Some(absent.clone()), ..access.clone() },
        Access {
            certificate: access.certificate.clone().map(|(certificate, _)| (certificate, absent.clone())),
            ..access.clone()
        },
        Access { credentials: Some(absent.clone()), nkey: None, ..access.clone() },
    ];
    for access in unreadable {
        let unread = connect(&server.url(), &access).await;
        assert!(matches!(unread, Err(ConnectError::File { .. })), "{access:?}: {unread:?}");
    }
}

#[tokio::test]
async fn behind_a_leaf_node_the_log_is_in_the_domain_that_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let port = free_port();
    let in_domain = |name: &str| format!("server_name: {name}\njetstream {{ domain: {name} }}\n");
    let hub = format!("{}leafnodes {{ listen: \"127.0.0.1:{port}\" }}\n", in_domain("hub"));
    let hub = server(directory.path(), "hub", &hub).await;
    let leaf = format!("{}leafnodes {{ remotes: [ {{ url: \"nats://127.0.0.1:{port}\" }} ] }}\n", in_domain("leaf"));
    let leaf = server(directory.path(), "leaf", &leaf).await;
    let of_hub = Access { domain: Some("hub".to_owned()), ..Access::default() };
    // The leaf finds its way to the hub a moment after it is there.
    let bus = testkit::eventually("the hub answers behind the leaf", async || {
        let bus = connect(&leaf.url(), &of_hub).await.unwrap();
        bus.compare_streams().await.is_ok().then_some(bus)
    })
    .await;
    works(&bus).await;
    let (in_hub, in_leaf) =
        (connect(&hub.url(), &Access::default()).await, connect(&leaf.url(), &Access::default()).await);
    assert_eq!(in_hub.unwrap().state(Stream::Audit).await.unwrap().messages, 1);
    assert!(in_leaf.unwrap().state(Stream::Audit).await.is_err(), "the leaf has streams of its own");
}
