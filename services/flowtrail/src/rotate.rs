//! `flowtrail rotate-master-key`: another master key takes the place of the one that the log knows.
//!
//! Invariants: the keys of integrations are wrapped again, and no secret is opened; until all of them are, no role starts. What
//! breaks off is done again with the same two keys, and goes on.

use std::io::{Write, stdout};
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use bus::Bus;
use runtime::settings::Settings;
use vault::MasterKey;

use crate::bad_setting::BadSetting;
use crate::{master_key, own_log};

/// What the help shows.
pub(crate) const EXAMPLES: &str = "Example:
  systemctl stop flowtrail
  flowtrail rotate-master-key /var/lib/flowtrail/master.key.new
  mv /var/lib/flowtrail/master.key.new /var/lib/flowtrail/master.key
  systemctl start flowtrail";

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The file of the new key; it is made where it is not there
    file: PathBuf,
}

/// Wraps all keys by the new master key.
///
/// # Errors
/// When roles run, a key opens by neither master key, or the log cannot be used.
pub(crate) async fn run(settings: &Settings, args: &Args) -> anyhow::Result<()> {
    let old_file = settings.master_key_file();
    ensure!(old_file.exists(), "the master key {} is not there: nothing can be opened without it", old_file.display());
    ensure!(old_file != args.file, "the new key needs a file of its own, beside {}", old_file.display());
    let old = MasterKey::load_or_create(&old_file).context(BadSetting::of(master_key::SETTING))?;
    let new = MasterKey::load_or_create(&args.file).context("make the new master key")?;
    let keys = own_log::alone(settings, async |bus: &Bus| rotate(bus, &old, &new).await).await?;
    let (old, new) = (old_file.display(), args.file.display());
    writeln!(
        stdout(),
        "The keys of {keys} integrations are wrapped by {new} now. Put it in the place of {old}, or name it by {}, for every \
         process that has one, before the next start. Keep the old one for as long as you keep backups from before.",
        master_key::SETTING
    )
    .context("print the answer")
}

/// Gives how many keys there are.
async fn rotate(bus: &Bus, old: &MasterKey, new: &MasterKey) -> anyhow::Result<usize> {
    let keys = bus.keys();
    master_key::begin_rotation(&keys, old, new).await?;
    let sealed = master_key::sealed(&keys).await.context("read the keys of integrations")?;
    for one in &sealed {
        if one.opens_with(new) {
            // An attempt before this one has come so far.
            continue;
        }
        let Some(wrapped) = one.wrapped_again(old, new)? else {
            bail!("the key {} opens by neither master key; nothing was lost, and what is changed stays so", one.name);
        };
        keys.replace(&one.name, wrapped.into()).await.context("store a key of an integration")?;
    }
    master_key::end_rotation(&keys, new).await?;
    Ok(sealed.len())
}
