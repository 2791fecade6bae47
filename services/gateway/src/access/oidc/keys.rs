//! The provider's public keys (RFC 7517): read from a file or fetched, and again when a token names a new one.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use http_body_util::{BodyExt, Limited};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyOperations, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey, Header};
use reqwest::{Client, redirect};
use runtime::telemetry::chain;
use rustls::{ClientConfig, RootCertStore};
use serde::Deserialize;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::sync::Mutex;
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{info, warn};

/// How much the keys may measure, and how many there may be.
const MAX_SET_BYTES: usize = 512 << 10;
const MAX_KEYS: usize = 100;
/// How long one attempt to get them may take.
const FETCHED_WITHIN: Duration = Duration::from_secs(5);
/// Keys that the provider has taken back are forgotten after so long.
const RENEWED_EVERY: Duration = Duration::from_secs(300);

/// Where the keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// A file, read again when the keys are looked for.
    File(PathBuf),
    /// An HTTP address; redirects are not followed.
    Url(String),
}

/// How often keys are looked for because a token names one that is not known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pauses {
    /// The least time between two attempts when the first one succeeded.
    pub after_success: Duration,
    /// The same when it failed.
    pub after_failure: Duration,
}

impl Default for Pauses {
    fn default() -> Self {
        Self { after_success: Duration::from_secs(10), after_failure: Duration::from_secs(1) }
    }
}

/// Why there are no keys.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The file cannot be read.
    #[error("read the provider's keys from {path}")]
    File {
        /// As it was configured.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: std::io::Error,
    },
    /// The address does not answer as it should.
    #[error("get the provider's keys")]
    Fetch(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What is there holds no keys.
    #[error("the provider's keys are no set of public keys for signatures (RFC 7517)")]
    NoKeys,
    /// TLS cannot be set up.
    #[error("set up TLS")]
    Tls(#[from] rustls::Error),
}

/// The keys as they were last seen.
#[derive(Debug)]
pub(super) struct Keys {
    source: KeySource,
    pauses: Pauses,
    client: Client,
    known: ArcSwapOption<Vec<Key>>,
    next_attempt: Mutex<Option<Instant>>,
}

/// A public key, and what it may be used with.
#[derive(Debug)]
pub(super) struct Key {
    id: Option<String>,
    algorithms: Vec<Algorithm>,
    pub(super) key: DecodingKey,
}

impl Key {
    /// Whether it may have made the signature of a token with this header.
    pub(super) fn fits(&self, header: &Header) -> bool {
        let is_meant = header.kid.is_none() || header.kid == self.id;
        is_meant && self.algorithms.contains(&header.alg)
    }

    fn read(value: Value) -> Option<Self> {
        let jwk: Jwk = serde_json::from_value(value).ok()?;
        let (of_kind, common) = (algorithms(&jwk.algorithm), &jwk.common);
        let is_for_signatures = matches!(common.public_key_use, None | Some(PublicKeyUse::Signature));
        let may_verify = common.key_operations.as_ref().is_none_or(|uses| uses.contains(&KeyOperations::Verify));
        let algorithms: Vec<Algorithm> = match common.key_algorithm {
            Some(only) => {
                let only = Algorithm::try_from(only).ok()?;
                of_kind.iter().copied().filter(|algorithm| *algorithm == only).collect()
            }
            None => of_kind.to_vec(),
        };
        if algorithms.is_empty() || !is_for_signatures || !may_verify {
            return None;
        }
        Some(Self { id: common.key_id.clone(), algorithms, key: DecodingKey::from_jwk(&jwk).ok()? })
    }
}

/// What keys of a kind may be used with. Secrets are no keys of a provider.
fn algorithms(of: &AlgorithmParameters) -> &'static [Algorithm] {
    use Algorithm::{ES256, ES384, EdDSA, PS256, PS384, PS512, RS256, RS384, RS512};
    match of {
        AlgorithmParameters::RSA(_) => &[RS256, RS384, RS512, PS256, PS384, PS512],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => &[ES256],
        AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P384 => &[ES384],
        AlgorithmParameters::OctetKeyPair(key) if key.curve == EllipticCurve::Ed25519 => &[EdDSA],
        _ => &[],
    }
}

impl Keys {
    /// Keys that are not known yet.
    pub(super) fn new(source: KeySource, pauses: Pauses) -> Result<Self, KeysError> {
        let mut roots = RootCertStore::empty();
        if matches!(source, KeySource::Url(_)) {
            roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
        let client = Client::builder()
            .tls_backend_preconfigured(tls.with_root_certificates(roots).with_no_client_auth())
            // The address is trusted, what it would redirect to is not.
            .redirect(redirect::Policy::none())
            .referer(false)
            .timeout(FETCHED_WITHIN)
            .user_agent(concat!("flowtrail/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|failure| KeysError::Fetch(failure.into()))?;
        Ok(Self { source, pauses, client, known: ArcSwapOption::empty(), next_attempt: Mutex::default() })
    }

    /// The keys that are known now; none: there never were any.
    pub(super) fn known(&self) -> Option<Arc<Vec<Key>>> {
        self.known.load_full()
    }

    /// Looks for new keys, unless that was done a moment ago. Requests that come while one is made wait for it.
    pub(super) async fn look_again(&self) {
        let mut next_attempt = self.next_attempt.lock().await;
        if next_attempt.is_some_and(|earliest| Instant::now() < earliest) {
            return;
        }
        let has_succeeded = self.renew().await.inspect_err(|failure| {
            warn!(error = %chain(failure), "the provider's keys cannot be renewed");
        });
        let pause = if has_succeeded.is_ok() { self.pauses.after_success } else { self.pauses.after_failure };
        *next_attempt = Some(Instant::now() + pause);
    }

    /// Gets the keys every five minutes and does not return. The first time is at once.
    pub(super) async fn keep_fresh(&self) {
        let mut ticks = interval(RENEWED_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.look_again().await;
        }
    }

    /// Gets the keys. Those that were known stay when it fails.
    pub(super) async fn renew(&self) -> Result<(), KeysError> {
        let text = match &self.source {
            KeySource::File(path) => read(path).await?,
            KeySource::Url(url) => self.fetch(url).await?,
        };
        let keys = keys(&text).ok_or(KeysError::NoKeys)?;
        let count = keys.len();
        if self.known.swap(Some(Arc::new(keys))).is_none() {
            info!(count, "the provider's keys are known");
        }
        Ok(())
    }

    async fn fetch(&self, url: &str) -> Result<Vec<u8>, KeysError> {
        // An address may hold credentials, and this is logged.
        let failed = |failure: reqwest::Error| KeysError::Fetch(failure.without_url().into());
        let answer = self.client.get(url).send().await.map_err(failed)?.error_for_status().map_err(failed)?;
        let body = Limited::new(reqwest::Body::from(answer), MAX_SET_BYTES).collect().await;
        Ok(body.map_err(KeysError::Fetch)?.to_bytes().to_vec())
    }
}

async fn read(path: &PathBuf) -> Result<Vec<u8>, KeysError> {
    let failed = |cause| KeysError::File { path: path.clone(), cause };
    let mut text = Vec::new();
    let file = tokio::fs::File::open(path).await.map_err(failed)?;
    file.take(MAX_SET_BYTES as u64).read_to_end(&mut text).await.map_err(failed)?;
    Ok(text)
}

/// The keys of a set that can be used; those of other kinds do no harm.
fn keys(text: &[u8]) -> Option<Vec<Key>> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let set: Set = serde_json::from_slice(text).ok()?;
    let keys: Vec<Key> = set.keys.into_iter().take(MAX_KEYS).filter_map(Key::read).collect();
    (!keys.is_empty()).then_some(keys)
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;
    use tokio::task::JoinSet;

    use super::*;

    const KEY: &str =
        r#"{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

    #[test]
    fn only_public_keys_for_signatures_are_taken_from_a_set() {
        let ec = json!({"kty": "EC", "crv": "P-256", "x": "AQ", "y": "AQ", "kid": "ec"});
        let with = |name: &str, value: Value| {
            let mut key = ec.clone();
            key[name] = value;
            json!({ "keys": [key] }).to_string()
        };
        assert!(keys(with("use", json!("sig")).as_bytes()).is_some());
        assert!(keys(with("alg", json!("ES256")).as_bytes()).is_some());
        assert!(keys(with("key_ops", json!(["verify"])).as_bytes()).is_some());
        for (name, value) in [
            ("use", json!("enc")),
            ("alg", json!("ES384")),
            ("alg", json!("HS256")),
            ("key_ops", json!(["deriveKey"])),
            ("crv", json!("P-521")),
            ("kty", json!("oct")),
        ] {
            assert!(keys(with(name, value.clone()).as_bytes()).is_none(), "{name}: {value}");
        }
        for none in ["", "[]", r#"{"keys":{}}"#, r#"{"keys":[]}"#, r#"{"keys":[7,null,{}]}"#] {
            assert!(keys(none.as_bytes()).is_none(), "{none}");
        }
    }

    #[tokio::test]
    async fn keys_that_are_too_large_broken_or_elsewhere_change_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/jwks.json", listener.local_addr().unwrap());
        let large = format!("{KEY}{}", " ".repeat(MAX_SET_BYTES));
        let ok = |body: &str| {
            format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}", body.len())
        };
        let answers = [
            ok(KEY),
            ok(&large),
            ok("not keys"),
            format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{large}"),
            format!("HTTP/1.1 302 Found\r\nlocation: {url}\r\ncontent-length: 0\r\n\r\n"),
            "HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n".to_owned(),
        ];
        let count = answers.len();
        let mut server = JoinSet::new();
        server.spawn(async move {
            for answer in answers {
                let (mut stream, _) = listener.accept().await.unwrap();
                let _ = stream.read(&mut [0; 4096]).await.unwrap();
                // The client may hang up when it has seen enough.
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        });
        let keys = Keys::new(KeySource::Url(url), Pauses::default()).unwrap();
        assert!(keys.known().is_none());
        keys.renew().await.unwrap();
        let first = keys.known().unwrap();
        for attempt in 1..count {
            assert!(keys.renew().await.is_err(), "answer {attempt} is taken");
            assert!(Arc::ptr_eq(&keys.known().unwrap(), &first));
        }
        assert!(keys.renew().await.is_err(), "nobody is there");
    }

    #[tokio::test]
    async fn a_file_is_read_again_when_it_may_have_changed_but_not_all_the_time() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("jwks.json");
        let pauses = Pauses { after_success: Duration::from_secs(3600), after_failure: Duration::ZERO };
        let keys = Keys::new(KeySource::File(file.clone()), pauses).unwrap();
        keys.look_again().await;
        assert!(keys.known().is_none());
        std::fs::write(&file, KEY).unwrap();
        keys.look_again().await;
        let first = keys.known().unwrap();
        keys.look_again().await;
        assert!(Arc::ptr_eq(&keys.known().unwrap(), &first));
    }
}
