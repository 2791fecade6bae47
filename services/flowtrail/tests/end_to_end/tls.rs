//! TLS on the API, as an operator renews a certificate.

use std::path::{Path, PathBuf};

use reqwest::Certificate;
use rustix::process::{Pid, Signal, kill_process};
use testkit::eventually;

use crate::flowtrail::{Flowtrail, Topology};

/// Where a certificate and its key are.
struct Files {
    certificate: PathBuf,
    key: PathBuf,
}

impl Files {
    fn below(directory: &Path) -> Self {
        Self { certificate: directory.join("certificate.pem"), key: directory.join("key.pem") }
    }

    /// Makes a new certificate and its key.
    fn renew(&self) -> Certificate {
        let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
        std::fs::write(&self.certificate, made.cert.pem()).unwrap();
        std::fs::write(&self.key, made.signing_key.serialize_pem()).unwrap();
        Certificate::from_pem(made.cert.pem().as_bytes()).unwrap()
    }
}

/// Whether a client that trusts this certificate alone is answered.
async fn answers(flowtrail: &Flowtrail, trusted: &Certificate) -> bool {
    let client = reqwest::Client::builder().tls_certs_only([trusted.clone()]).build().unwrap();
    client.get(format!("{}/healthz", flowtrail.url)).send().await.is_ok_and(|answer| answer.status() == 200)
}

#[tokio::test]
async fn a_renewed_certificate_is_shown_after_sighup_and_a_broken_one_never() {
    // The client's library has TLS without a provider of cryptography.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let directory = tempfile::tempdir().unwrap();
    let files = Files::below(directory.path());
    let first = files.renew();
    let settings = [
        ("FLOWTRAIL_TLS_CERTIFICATE", files.certificate.to_str().unwrap()),
        ("FLOWTRAIL_TLS_KEY", files.key.to_str().unwrap()),
    ];
    let mut flowtrail = Flowtrail::start_with(Topology::Together, &settings).await;
    assert!(flowtrail.url.starts_with("https://"), "{}", flowtrail.url);
    assert!(answers(&flowtrail, &first).await);
    let hang_up = || {
        let pid = Pid::from_raw(flowtrail.id().cast_signed()).unwrap();
        kill_process(pid, Signal::HUP).unwrap();
    };

    let second = files.renew();
    assert!(!answers(&flowtrail, &second).await);
    hang_up();
    eventually("the new certificate is shown", async || answers(&flowtrail, &second).await.then_some(())).await;
    assert!(!answers(&flowtrail, &first).await);

    std::fs::write(&files.key, "half").unwrap();
    hang_up();
    eventually("it is told", async || {
        let logs = std::fs::read_to_string(flowtrail.logs()).unwrap();
        let line = logs.lines().find(|line| line.contains("the certificate stays the one from before"))?;
        (line.contains("ERROR") && line.contains("key.pem holds no private key in PEM")).then_some(())
    })
    .await;
    assert!(answers(&flowtrail, &second).await);
    flowtrail.stop();
}
