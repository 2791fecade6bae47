//! What it takes to reach the NATS server of the settings, beyond its URL.

use anyhow::anyhow;
use bus::Access;
use runtime::settings::Settings;

use crate::bad_setting::BadSetting;

/// What the settings say. The own nats-server wants nothing but the password in its URL.
///
/// # Errors
/// When they contradict one another.
pub(crate) fn of(settings: &Settings) -> anyhow::Result<Access> {
    if settings.nats_url.is_none() {
        return Ok(Access::default());
    }
    let certificate = match (&settings.nats_certificate, &settings.nats_key) {
        (Some(certificate), Some(key)) => Some((certificate.clone(), key.clone())),
        (None, None) => None,
        (Some(_), None) => return Err(lonely("FLOWTRAIL_NATS_CERTIFICATE", "FLOWTRAIL_NATS_KEY")),
        (None, Some(_)) => return Err(lonely("FLOWTRAIL_NATS_KEY", "FLOWTRAIL_NATS_CERTIFICATE")),
    };
    if settings.nats_creds.is_some() && settings.nats_nkey.is_some() {
        let both = anyhow!("FLOWTRAIL_NATS_CREDS is set too, and says who the user is");
        return Err(both.context(BadSetting::of("FLOWTRAIL_NATS_NKEY")));
    }
    let domain = settings.nats_domain.clone();
    // It is a part of subjects.
    let is_token = |domain: &String| {
        !domain.is_empty() && domain.bytes().all(|byte| byte.is_ascii_graphic() && !b".*>".contains(&byte))
    };
    if domain.as_ref().is_some_and(|domain| !is_token(domain)) {
        let bad = anyhow!("a domain has no dots, spaces or wildcards");
        return Err(bad.context(BadSetting::of("FLOWTRAIL_NATS_DOMAIN")));
    }
    let (credentials, nkey) = (settings.nats_creds.clone(), settings.nats_nkey.clone());
    Ok(Access { credentials, nkey, authority: settings.nats_ca.clone(), certificate, domain })
}

fn lonely(setting: &str, missing: &str) -> anyhow::Error {
    anyhow!("{missing} is not set, and both are needed").context(BadSetting::of(setting))
}
