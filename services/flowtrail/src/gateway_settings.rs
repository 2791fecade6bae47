//! What the settings say of the gateway. They are read before anything is started, so that a mistake is told at once.

use anyhow::{Context, anyhow};
use gateway::{Adjustable, Tls, TlsError, oidc};
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
        origins: server.cors_origins.parse().context(BadSetting("FLOWTRAIL_CORS_ORIGINS"))?,
        proxies: server.trusted_proxies.parse().context(BadSetting("FLOWTRAIL_TRUSTED_PROXIES"))?,
    })
}

/// The certificate that clients are shown.
async fn tls(server: &ServerSettings) -> anyhow::Result<Option<Tls>> {
    let (certificate, key) = match (&server.tls_certificate, &server.tls_key) {
        (None, None) => return Ok(None),
        (Some(certificate), Some(key)) => (certificate, key),
        (Some(_), None) => return Err(anyhow!("{KEY} is not set").context(BadSetting(CERTIFICATE))),
        (None, Some(_)) => return Err(anyhow!("{CERTIFICATE} is not set").context(BadSetting(KEY))),
    };
    match Tls::load(certificate.clone(), key.clone()).await {
        Ok(tls) => Ok(Some(tls)),
        Err(error) => {
            let setting = match error {
                TlsError::Certificate { .. } => CERTIFICATE,
                TlsError::Key { .. } => KEY,
            };
            Err(error).context(BadSetting(setting))
        }
    }
}

/// The OpenID provider whose tokens are accepted.
fn provider(server: &ServerSettings) -> anyhow::Result<Option<oidc::Settings>> {
    let Some(issuer) = server.oidc_issuer.clone() else { return Ok(None) };
    // Clap sees to it for flags and the environment, and not for a file.
    if server.oidc_audience.is_empty() {
        return Err(anyhow!("FLOWTRAIL_OIDC_AUDIENCE is not set").context(BadSetting("FLOWTRAIL_OIDC_ISSUER")));
    }
    let keys = match (&server.oidc_jwks_url, &server.oidc_jwks_file) {
        (Some(url), _) => oidc::KeySource::Url(url.clone()),
        (None, Some(file)) => oidc::KeySource::File(file.clone()),
        (None, None) => {
            let missing = anyhow!("neither FLOWTRAIL_OIDC_JWKS_URL nor FLOWTRAIL_OIDC_JWKS_FILE is set");
            return Err(missing.context(BadSetting("FLOWTRAIL_OIDC_ISSUER")));
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
