//! The client that other services' APIs are asked with.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use reqwest::{Client, redirect};
use rustls::{ClientConfig, RootCertStore};

/// A client that gives up on an answer after `patience`, follows no redirect, as it carries a token, and trusts the
/// machine's certificates.
///
/// # Errors
/// When TLS cannot be set up.
pub(crate) fn new(patience: Duration) -> anyhow::Result<Client> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let tls = tls.context("set up TLS")?.with_root_certificates(roots).with_no_client_auth();
    let builder = Client::builder().tls_backend_preconfigured(tls).redirect(redirect::Policy::none());
    builder.read_timeout(patience).build().context("make an HTTP client")
}
