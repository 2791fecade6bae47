//! The data folder: nobody else's to read, and one process's at a time.

use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::path::Path;

use anyhow::{Context, bail};
use tracing::info;

use crate::bad_setting::BadSetting;

/// What the folder's owner may do, and nobody else: views hold events and password hashes.
const OWNERS_ALONE: u32 = 0o700;
const LOCK: &str = "lock";

/// A data folder that no other `flowtrail up` uses until this is dropped, however its process ends.
#[derive(Debug)]
pub(crate) struct Locked(#[expect(dead_code, reason = "held for its lock")] File);

/// Makes the folder where it is missing, and takes from others what rights they have on it.
///
/// # Errors
/// When it can be neither made nor changed.
pub(crate) fn prepare(folder: &Path) -> anyhow::Result<()> {
    let failed = || format!("make {}", folder.display());
    let made = fs::DirBuilder::new().recursive(true).mode(OWNERS_ALONE).create(folder);
    made.with_context(failed).context(BadSetting::of("FLOWTRAIL_DATA_DIR"))?;
    let mode = fs::metadata(folder).with_context(failed)?.permissions().mode() & 0o777;
    if mode & !OWNERS_ALONE != 0 {
        fs::set_permissions(folder, Permissions::from_mode(OWNERS_ALONE)).with_context(failed)?;
        info!(folder = %folder.display(), before = format!("{mode:04o}"), "only its owner may enter the data folder now");
    }
    Ok(())
}

/// Takes the folder for this process, before anything in it is looked at: a second `flowtrail up` would end the
/// nats-server of the first.
///
/// # Errors
/// When another process has it.
pub(crate) fn lock(folder: &Path) -> anyhow::Result<Locked> {
    prepare(folder)?;
    let path = folder.join(LOCK);
    // Not truncated: it is the other's until it is locked.
    let opened = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = opened.with_context(|| format!("open {}", path.display()))?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let pid = fs::read_to_string(&path).unwrap_or_default();
            bail!(
                "Flowtrail already runs on {} (pid {}): stop it first, or choose another folder by FLOWTRAIL_DATA_DIR",
                folder.display(),
                pid.trim()
            );
        }
        Err(TryLockError::Error(cause)) => return Err(cause).with_context(|| format!("lock {}", path.display())),
    }
    // For the one who meets the lock; it holds without it.
    let _ = file.set_len(0).and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(Locked(file))
}
