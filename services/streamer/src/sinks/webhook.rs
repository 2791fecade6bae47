//! Standard Webhooks 1.0.0: the headers by which a receiver knows who sent a request, and that it is no replay.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use model::log::token;
use model::secret::Secret;
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::opened::{ConfigError, Opened};

/// The secrets that requests are signed with: while one is being replaced there are two.
pub(super) struct Signer {
    keys: Vec<Zeroizing<Vec<u8>>>,
}

const CURRENT: &str = "signing_secret";
const PREVIOUS: &str = "signing_secret_previous";

impl Signer {
    /// None when the configuration has no signing secret.
    pub(super) fn new(config: &Opened) -> Result<Option<Self>, ConfigError> {
        let read = |key| config.secret(key).map(|secret| read_key(key, secret)).transpose();
        let keys: Vec<_> = [read(CURRENT)?, read(PREVIOUS)?].into_iter().flatten().collect();
        Ok(Some(Self { keys }).filter(|signer| !signer.keys.is_empty()))
    }

    /// The value of `webhook-signature`: one signature for each key.
    pub(super) fn sign(&self, id: &str, seconds: i64, body: &[u8]) -> String {
        let signatures: Vec<String> = self.keys.iter().filter_map(|key| signature(key, id, seconds, body)).collect();
        signatures.join(" ")
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Signer")
    }
}

fn signature(key: &[u8], id: &str, seconds: i64, body: &[u8]) -> Option<String> {
    // HMAC takes keys of any length, so this always succeeds.
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

/// `whsec_` and base64 of 24 to 64 bytes.
fn read_key(key: &str, secret: &Secret) -> Result<Zeroizing<Vec<u8>>, ConfigError> {
    let encoded = secret.reveal().strip_prefix("whsec_").unwrap_or(secret.reveal());
    let bytes = STANDARD.decode(encoded).map(Zeroizing::new).ok().filter(|bytes| (24..=64).contains(&bytes.len()));
    bytes.ok_or_else(|| ConfigError::new(key, "must be whsec_ and the base64 of 24 to 64 random bytes"))
}

/// An id as `webhook-id` carries it. A dot would let a signature be read in two ways, as dots separate what is
/// signed; an id with one, or with what no header may hold, is escaped as in subjects.
pub(super) fn webhook_id(id: &str) -> String {
    token(id)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::integration::{Ciphertext, Config, Value};

    use super::*;

    fn signer(secrets: &[(&str, &str)]) -> Result<Option<Signer>, ConfigError> {
        let sealed =
            |(key, secret): &(&str, &str)| ((*key).to_owned(), Value::Sealed(Ciphertext((*secret).to_owned())));
        let config: Config = secrets.iter().map(sealed).collect::<BTreeMap<_, _>>();
        let open = |_: &str, sealed: &Ciphertext| Ok::<_, ()>(Secret::new(sealed.0.clone()));
        Signer::new(&Opened::open(&config, open).unwrap())
    }

    #[test]
    fn the_known_answer_of_the_specification_holds() {
        let signer = signer(&[(CURRENT, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]).unwrap().unwrap();
        let signed = signer.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, br#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_secret_that_is_being_replaced_signs_too() {
        let (new, old) = ("whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let signed = signer(&[(CURRENT, new), (PREVIOUS, old)]).unwrap().unwrap().sign("a", 1, b"x");
        let alone = |secret| signer(&[(CURRENT, secret)]).unwrap().unwrap().sign("a", 1, b"x");
        assert_eq!(signed, format!("{} {}", alone(new), alone(old)));
    }

    #[test]
    fn a_secret_of_the_wrong_form_is_named() {
        for secret in ["whsec_", "whsec_AAAA", "not base64!", "whsk_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
            assert_eq!(signer(&[(CURRENT, secret)]).unwrap_err().key, CURRENT, "{secret}");
        }
        assert!(signer(&[]).unwrap().is_none());
    }

    #[test]
    fn an_id_holds_no_dot_and_nothing_that_a_header_may_not_hold() {
        assert_eq!(webhook_id("01HZX-a_b"), "01HZX-a_b");
        assert_ne!(webhook_id("a.1"), webhook_id("a_1"));
        for id in ["a.1614265330.{}", "a\r\nb", "é", &"x".repeat(300)] {
            assert!(webhook_id(id).bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        }
    }
}
