//! Signatures of JSON Web Tokens, verified by ring: asymmetric algorithms and no others.

use jsonwebtoken::crypto::{CryptoProvider, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{ErrorKind, Result};
use jsonwebtoken::signature::{Error, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind};
use ring::signature as ring;

/// Lets the library use ring in this process.
pub(super) fn install() {
    // Another provider of this process may have installed it before: it is the same.
    let _ = RING.install_default();
}

static RING: CryptoProvider = CryptoProvider {
    signer_factory: |_, _| Err(ErrorKind::UnsupportedAlgorithm.into()),
    verifier_factory: |algorithm, key| Ok(Box::new(ByRing { algorithm: *algorithm, key: key.clone() })),
    // These are for making keys, which is not done here.
    key_utils: KeyUtils {
        rsa_pub_components_from_private_key: |_| unsupported(),
        rsa_pub_components_from_public_key: |_| unsupported(),
        ec_pub_components_from_private_key: |_, _| unsupported(),
        ed_pub_components_from_private_key: |_, _| unsupported(),
        compute_digest: |_, _| unsupported(),
    },
};

fn unsupported<T>() -> Result<T> {
    Err(ErrorKind::UnsupportedAlgorithm.into())
}

struct ByRing {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for ByRing {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for ByRing {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> std::result::Result<(), Error> {
        let verified = match self.algorithm {
            Algorithm::RS256 => self.by_rsa(&ring::RSA_PKCS1_2048_8192_SHA256, message, signature),
            Algorithm::RS384 => self.by_rsa(&ring::RSA_PKCS1_2048_8192_SHA384, message, signature),
            Algorithm::RS512 => self.by_rsa(&ring::RSA_PKCS1_2048_8192_SHA512, message, signature),
            Algorithm::PS256 => self.by_rsa(&ring::RSA_PSS_2048_8192_SHA256, message, signature),
            Algorithm::PS384 => self.by_rsa(&ring::RSA_PSS_2048_8192_SHA384, message, signature),
            Algorithm::PS512 => self.by_rsa(&ring::RSA_PSS_2048_8192_SHA512, message, signature),
            Algorithm::ES256 => self.by_point(&ring::ECDSA_P256_SHA256_FIXED, message, signature),
            Algorithm::ES384 => self.by_point(&ring::ECDSA_P384_SHA384_FIXED, message, signature),
            Algorithm::EdDSA => self.by_point(&ring::ED25519, message, signature),
            // HMAC: anybody who knows a public key could sign with it as if it were a secret.
            _ => None,
        };
        verified.ok_or_else(Error::new)
    }
}

impl ByRing {
    fn by_rsa(&self, how: &'static ring::RsaParameters, message: &[u8], signature: &[u8]) -> Option<()> {
        let DecodingKeyKind::RsaModulusExponent { n, e } = self.key.kind() else { return None };
        ring::RsaPublicKeyComponents { n: significant(n), e: significant(e) }.verify(how, message, signature).ok()
    }

    fn by_point(&self, how: &'static dyn ring::VerificationAlgorithm, message: &[u8], signature: &[u8]) -> Option<()> {
        let DecodingKeyKind::SecretOrDer(point) = self.key.kind() else { return None };
        ring::UnparsedPublicKey::new(how, point).verify(message, signature).ok()
    }
}

/// A number without the zeros that some providers write before it.
fn significant(number: &[u8]) -> &[u8] {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    &number[zeros..]
}
