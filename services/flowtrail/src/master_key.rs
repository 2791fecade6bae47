//! The master key of this process, held against the one that the log's secrets are sealed with.
//!
//! Invariant: no role runs with another key than the log's. It would seal what the others cannot open, and take everything
//! that it cannot open itself for broken.

use anyhow::{Context, anyhow, bail, ensure};
use bus::{Bus, KeyError, Keys};
use runtime::settings::Settings;
use vault::{MasterKey, Owner};

use crate::bad_setting::BadSetting;

/// The name, among the keys of integrations, of what tells one master key from another.
const FINGERPRINT: &str = "master-fingerprint";
/// The name of what tells to which master key the keys are being wrapped again, while they are.
const ROTATION: &str = "master-rotation";
pub(crate) const SETTING: &str = "FLOWTRAIL_MASTER_KEY_FILE";

/// Reads the key, and makes one where the log knows none yet.
///
/// # Errors
/// When the key is missing, or another one than the log's.
pub(crate) async fn load(settings: &Settings, bus: &Bus) -> anyhow::Result<MasterKey> {
    let (path, keys) = (settings.master_key_file(), bus.keys());
    let known = keys.get(FINGERPRINT).await.context("look which master key the log knows")?;
    if keys.get(ROTATION).await.context("look whether the master key is being rotated")?.is_some() {
        bail!(
            "the master key is being rotated: run `flowtrail rotate-master-key` with both keys again, until it is done"
        );
    }
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
    let master = MasterKey::load_or_create(&path).context(BadSetting::of(SETTING))?;
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
    let master = MasterKey::load_or_create(&path).context(BadSetting::of(SETTING))?;
    Ok((fingerprint(&master) != known).then(|| format!("{} is another one", path.display())))
}

/// Notes that the keys are being wrapped by another master key, so that no role starts.
///
/// # Errors
/// When the log knows neither of the two, or another rotation has begun.
pub(crate) async fn begin_rotation(keys: &Keys, old: &MasterKey, new: &MasterKey) -> anyhow::Result<()> {
    let known = keys.get(FINGERPRINT).await.context("look which master key the log knows")?;
    let is_one = |known: &bytes::Bytes| [old, new].iter().any(|one| *known == fingerprint(one).as_bytes());
    ensure!(known.as_ref().is_none_or(is_one), "the log knows neither of the two master keys");
    match keys.create(ROTATION, fingerprint(new).into()).await {
        Ok(()) => Ok(()),
        Err(KeyError::Exists { .. }) => bail!("a rotation to another master key has begun: go on with that one"),
        Err(error) => Err(error).context("note that the master key is being rotated"),
    }
}

/// Lets the log know the new master key, and roles start again.
///
/// # Errors
/// When the log cannot be written.
pub(crate) async fn end_rotation(keys: &Keys, new: &MasterKey) -> anyhow::Result<()> {
    let failed = "leave the fingerprint of the master key in the log";
    keys.replace(FINGERPRINT, fingerprint(new).into()).await.context(failed)?;
    keys.erase(ROTATION).await.context("note that the master key was rotated")
}

/// What others seal by for the holder of the key: it is told to everybody, and differs with the key.
fn fingerprint(master: &MasterKey) -> String {
    master.transit().lock().to_string()
}

fn another(settings: &Settings) -> anyhow::Error {
    let path = settings.master_key_file();
    let problem =
        format!("{} is another master key than the one that secrets in the log are sealed with", path.display());
    anyhow!(problem).context(BadSetting::of(SETTING))
}

/// The key of an integration, as it is kept.
pub(crate) struct Sealed {
    pub(crate) name: String,
    wrapped: bytes::Bytes,
}

/// Those of all integrations.
pub(crate) async fn sealed(keys: &Keys) -> Result<Vec<Sealed>, KeyError> {
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
    pub(crate) fn opens_with(&self, master: &MasterKey) -> bool {
        let owner = Owner::in_key_name(&self.name);
        owner.is_some_and(|(account, id)| master.unwrap(&self.wrapped, Owner { account: &account, id }).is_ok())
    }

    /// The same key, wrapped by another master key; none where it does not open by the first.
    pub(crate) fn wrapped_again(&self, old: &MasterKey, new: &MasterKey) -> anyhow::Result<Option<Vec<u8>>> {
        let Some((account, id)) = Owner::in_key_name(&self.name) else { return Ok(None) };
        let owner = Owner { account: &account, id };
        let Ok(key) = old.unwrap(&self.wrapped, owner) else { return Ok(None) };
        Ok(Some(new.wrap(&key, owner)?))
    }
}
