//! TLS on the listener: a certificate and its key, from files that are read again when the operator says so.
//!
//! Invariant: once there is a certificate there always is one: new files that cannot be used change nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::ring;
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::fs;
use tokio_rustls::TlsAcceptor;

/// HTTP/2 in ALPN.
pub(crate) const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

/// A certificate to show, and the files that it comes from. Cheap to clone; clones show the same one.
#[derive(Clone, Debug)]
pub struct Tls {
    files: Arc<Files>,
    inner: Arc<ArcSwap<ServerConfig>>,
}

#[derive(Debug)]
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

/// Why files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// The file of the certificate.
    #[error("{} {problem}", file.display())]
    Certificate {
        /// Its path.
        file: PathBuf,
        /// What is wrong with it.
        problem: FileProblem,
    },
    /// The file of the key.
    #[error("{} {problem}", file.display())]
    Key {
        /// Its path.
        file: PathBuf,
        /// What is wrong with it.
        problem: FileProblem,
    },
}

/// What is wrong with a file.
#[derive(Debug, thiserror::Error)]
pub enum FileProblem {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Unreadable(io::Error),
    /// It holds something else.
    #[error("holds no {0} in PEM")]
    Malformed(&'static str),
    /// It holds one that cannot be used, or not with the other file.
    #[error("cannot be used: {0}")]
    Unfit(rustls::Error),
}

impl Tls {
    /// Reads a certificate, with those of its issuers behind it, and its private key, both in PEM.
    ///
    /// # Errors
    /// [`TlsError`].
    pub async fn load(certificate: PathBuf, key: PathBuf) -> Result<Self, TlsError> {
        let files = Files { certificate, key };
        let inner = Arc::new(ArcSwap::from(files.read().await?));
        Ok(Self { files: Arc::new(files), inner })
    }

    /// Reads the files again. Connections from now on are shown what they hold.
    ///
    /// # Errors
    /// [`TlsError`]; what was shown before stays.
    pub async fn reload(&self) -> Result<(), TlsError> {
        self.inner.store(self.files.read().await?);
        Ok(())
    }

    /// What takes the next connection in.
    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(self.inner.load_full())
    }
}

impl Files {
    async fn read(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let of_certificate = |problem| TlsError::Certificate { file: self.certificate.clone(), problem };
        let of_key = |problem| TlsError::Key { file: self.key.clone(), problem };
        let text = read(&self.certificate).await.map_err(of_certificate)?;
        let chain: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&text).collect();
        let chain = chain.ok().filter(|chain| !chain.is_empty());
        let chain = chain.ok_or_else(|| of_certificate(FileProblem::Malformed("certificate")))?;
        let text = read(&self.key).await.map_err(of_key)?;
        let key = PrivateKeyDer::from_pem_slice(&text);
        let key = key.map_err(|_| of_key(FileProblem::Malformed("private key")))?;
        // TLS 1.2 and 1.3, which is all that the library has.
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let config = config.with_safe_default_protocol_versions().map_err(|error| of_key(FileProblem::Unfit(error)))?;
        let config = config.with_no_client_auth().with_single_cert(chain, key);
        let mut config = config.map_err(|error| match error {
            rustls::Error::InvalidCertificate(_) => of_certificate(FileProblem::Unfit(error)),
            error => of_key(FileProblem::Unfit(error)),
        })?;
        config.alpn_protocols = vec![HTTP_2.to_vec(), HTTP_1.to_vec()];
        Ok(Arc::new(config))
    }
}

async fn read(file: &Path) -> Result<Vec<u8>, FileProblem> {
    fs::read(file).await.map_err(FileProblem::Unreadable)
}
