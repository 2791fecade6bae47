//! The master key of this process, held against the one that the log's secrets are sealed with.
//!
//! Invariant: no role runs with another key than the log's. It would seal what the others cannot open, and take everything
//! that it cannot open itself for broken.

use anyhow::{Context, anyhow, bail};
use bus::{Bus, KeyError, Keys};
use runtime::settings::Settings;
use vault::{MasterKey, Owner};

use crate::bad_setting::BadSetting;

/// The name, among the keys of integrations, of what tells one master key from another.
const FINGERPRINT: &str = "master-fingerprint";
const SETTING: &str = "FLOWTRAIL_MASTER_KEY_FILE";

/// Reads the key, and makes one where the log knows none yet.
///
/// # Errors
/// When the key is missing, or another one than the log's.
pub(crate) async fn load(settings: &Settings, bus: &Bus) -> anyhow::Result<MasterKey> {
    let (path, keys) = (settings.master_key_file(), bus.keys());
    let known = keys.get(FINGERPRINT).await.context("look which master key the log knows")?;
    // An older version left no fingerprint, but has sealed keys.
    let sealed = match known {
        Some(_) => Vec::new(),
        None => sealed(&keys).await.context("look whether the log holds secrets")?,
    };
    if !path.exists() && (known.is_some() || !sealed.is_empty()) {
        bail!(
            "the master key {} is missing, and the secrets of integrations in the log can be opened by it alone: put it back \
             from where it is kept, or name its file by {SETTING}",
            path.display()
        );
    }
    let master = MasterKey::load_or_create(&path).context(BadSetting(SETTING))?;
    let is_the_logs = match known {
        Some(known) => known == fingerprint(&master).as_bytes(),
        None => sealed.is_empty() || sealed.iter().any(|one| one.opens_with(&master)),
    };
    if is_the_logs { Ok(master) } else { Err(another(settings)) }
}

/// Leaves the fingerprint of the key in the log, for all that come after.
///
/// # Errors
/// When another one was faster, with another key.
pub(crate) async fn make_known(settings: &Settings, master: &MasterKey, bus: &Bus) -> anyhow::Result<()> {
    match bus.keys().create(FINGERPRINT, fingerprint(master).into()).await {
        Ok(()) => Ok(()),
        Err(KeyError::Exists { .. }) => Err(another(settings)),
        Err(error) => Err(error).context("leave the fingerprint of the master key in the log"),
    }
}

/// What tells the master key that the log's secrets are sealed with from others; none: no key was made known to it yet.
///
/// # Errors
/// When the log cannot be asked.
pub(crate) async fn known_to(bus: &Bus) -> anyhow::Result<Option<String>> {
    let known = bus.keys().get(FINGERPRINT).await.context("look which master key the log knows")?;
    Ok(known.map(|known| String::from_utf8_lossy(&known).into_owned()))
}

/// Why a log whose master key is `known` does not go on with the key that is here; none: it does.
///
/// # Errors
/// When the file is there and holds no key.
pub(crate) fn unfit_for(settings: &Settings, known: &str) -> anyhow::Result<Option<String>> {
    let path = settings.master_key_file();
    if !path.exists() {
        return Ok(Some(format!("{} is not there", path.display())));
    }
    let master = MasterKey::load_or_create(&path).context(BadSetting(SETTING))?;
    Ok((fingerprint(&master) != known).then(|| format!("{} is another one", path.display())))
}

/// What others seal by for the holder of the key: it is told to everybody, and differs with the key.
fn fingerprint(master: &MasterKey) -> String {
    master.transit().lock().to_string()
}

fn another(settings: &Settings) -> anyhow::Error {
    let path = settings.master_key_file();
    let problem =
        format!("{} is another master key than the one that secrets in the log are sealed with", path.display());
    anyhow!(problem).context(BadSetting(SETTING))
}

/// The key of an integration, as it is kept.
struct Sealed {
    name: String,
    wrapped: bytes::Bytes,
}

/// Those of all integrations.
async fn sealed(keys: &Keys) -> Result<Vec<Sealed>, KeyError> {
    let mut sealed = Vec::new();
    for name in keys.names().await? {
        if Owner::in_key_name(&name).is_some()
            && let Some(wrapped) = keys.get(&name).await?
        {
            sealed.push(Sealed { name, wrapped });
        }
    }
    Ok(sealed)
}

impl Sealed {
    fn opens_with(&self, master: &MasterKey) -> bool {
        let owner = Owner::in_key_name(&self.name);
        owner.is_some_and(|(account, id)| master.unwrap(&self.wrapped, Owner { account: &account, id }).is_ok())
    }
}
