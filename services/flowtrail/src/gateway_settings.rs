//! What the settings say of the gateway. They are read before anything is started, so that a mistake is told at once.

use std::net::IpAddr;

use anyhow::{Context, anyhow, bail};
use gateway::{Adjustable, Tls, TlsError, oidc};
use reqwest::Url;
use runtime::metrics::Metrics;
use runtime::settings::ServerSettings;
use tokio::sync::watch;

use crate::bad_setting::BadSetting;

const CERTIFICATE: &str = "FLOWTRAIL_TLS_CERTIFICATE";
const KEY: &str = "FLOWTRAIL_TLS_KEY";

/// Reads them, and the files that they name.
///
/// # Errors
/// With the name of the setting that cannot be used.
pub(crate) async fn read(
    server: &ServerSettings,
    metrics: Metrics,
    adjustable: watch::Receiver<Adjustable>,
) -> anyhow::Result<gateway::Settings> {
    Ok(gateway::Settings {
        records_reads: server.audit_reads,
        provider: provider(server)?,
        tls: tls(server).await?,
        metrics,
        leaves_for: server.leaves_for,
        adjustable,
    })
}

/// What of them may change while it answers.
///
/// # Errors
/// With the name of the setting that cannot be used.
pub(crate) fn adjustable(server: &ServerSettings) -> anyhow::Result<Adjustable> {
    Ok(Adjustable {
        limits: server.limits,
        origins: server.cors_origins.parse().context(BadSetting::of("FLOWTRAIL_CORS_ORIGINS"))?,
        proxies: server.trusted_proxies.parse().context(BadSetting::of("FLOWTRAIL_TRUSTED_PROXIES"))?,
    })
}

/// The certificate that clients are shown.
async fn tls(server: &ServerSettings) -> anyhow::Result<Option<Tls>> {
    let (certificate, key) = match (&server.tls_certificate, &server.tls_key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(_), None) => return Err(anyhow!("{KEY} is not set").context(BadSetting::of(CERTIFICATE))),
        (None, Some(_)) => return Err(anyhow!("{CERTIFICATE} is not set").context(BadSetting::of(KEY))),
    };
    match Tls::load(certificate.clone(), key.clone()).await {
        Ok(tls) => Ok(Some(tls)),
        Err(error) => {
            let setting = match error {
                TlsError::Certificate { .. } => CERTIFICATE,
                TlsError::Key { .. } => KEY,
            };
            Err(error).context(BadSetting::of(setting))
        }
    }
}

/// The address of keys, where nobody on the way can put in others: who signs tokens is let in.
fn secure(url: &str) -> anyhow::Result<String> {
    let parsed = Url::parse(url).context("it is no URL")?;
    let host = parsed.host_str().unwrap_or_default().trim_matches(['[', ']']);
    let is_loopback = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    match parsed.scheme() {
        "https" => Ok(url.to_owned()),
        "http" if is_loopback => Ok(url.to_owned()),
        _ => bail!("it must begin with https://, or be on this machine"),
    }
}

/// The OpenID provider whose tokens are accepted.
fn provider(server: &ServerSettings) -> anyhow::Result<Option<oidc::Settings>> {
    let Some(issuer) = server.oidc_issuer.clone() else { return Ok(None) };
    if server.oidc_audience.is_empty() {
        return Err(anyhow!("FLOWTRAIL_OIDC_AUDIENCE is not set").context(BadSetting::of("FLOWTRAIL_OIDC_ISSUER")));
    }
    let keys = match (&server.oidc_jwks_url, &server.oidc_jwks_file) {
        (Some(_), Some(_)) => {
            let both = anyhow!("FLOWTRAIL_OIDC_JWKS_FILE is set too, and one of them is enough");
            return Err(both.context(BadSetting::of("FLOWTRAIL_OIDC_JWKS_URL")));
        }
        (Some(url), None) => oidc::KeySource::Url(secure(url).context(BadSetting::of("FLOWTRAIL_OIDC_JWKS_URL"))?),
        (None, Some(file)) => oidc::KeySource::File(file.clone()),
        (None, None) => {
            let missing = anyhow!("neither FLOWTRAIL_OIDC_JWKS_URL nor FLOWTRAIL_OIDC_JWKS_FILE is set");
            return Err(missing.context(BadSetting::of("FLOWTRAIL_OIDC_ISSUER")));
        }
    };
    Ok(Some(oidc::Settings {
        issuer,
        audiences: server.oidc_audience.clone(),
        keys,
        pauses: oidc::Pauses::default(),
        account_claim: server.oidc_account_claim.clone(),
        scope_claim: server.oidc_scope_claim.clone(),
        leeway: server.oidc_leeway_seconds,
    }))
}
