//! A view's place in the process: the generation that is read now, and how far it is.
//!
//! Each generation is a directory; `CURRENT` names the one in use and is replaced by a rename, so a rebuild that
//! is interrupted leaves the old generation as it was.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use model::log::{LogPosition, Stream};
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tracing::{error, info};

use crate::error::Error;
use crate::store::{Caches, Store};
use crate::view::View;

/// Without a word from the log for so long, the view no longer knows whether it is up to date.
const SILENCE: Duration = Duration::from_secs(3);

/// What the projector last saw of one stream.
#[derive(Clone, Copy, Debug)]
pub struct Observed {
    /// The last message in the view.
    pub sequence: u64,
    /// How many messages the stream holds after it.
    pub pending: u64,
}

/// As of when an answer is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freshness {
    /// Everything up to these positions is in it.
    pub as_of: Vec<LogPosition>,
    /// How long ago the view last had everything that the log holds, in milliseconds; 0 while it keeps up.
    pub lag_ms: u64,
    /// Whether the log cannot be reached, so that nobody knows what is missing.
    pub stale: bool,
}

#[derive(Clone, Copy, Debug)]
struct Heard {
    observed: Observed,
    at: Instant,
    caught_up_at: Instant,
}

type Progress = BTreeMap<Stream, Heard>;

/// A view's place. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Slot {
    view: View,
    directory: Arc<Path>,
    caches: Caches,
    newest: Arc<AtomicU64>,
    current: Arc<ArcSwap<Store>>,
    progress: watch::Sender<Progress>,
    version: Arc<AtomicU64>,
    is_damaged: watch::Sender<bool>,
}

/// Opens a generation that was there before. Some damage sled does not report: it panics.
fn open(view: View, directory: &Path, caches: &Caches) -> Result<Store, Error> {
    // Whatever it had begun goes with the panic, and its folder is not opened again.
    let opened = catch_unwind(AssertUnwindSafe(|| Store::open(directory, view.layout(), caches)));
    opened.unwrap_or_else(|_| Err(sled::Error::Corruption { at: None, bt: () }.into()))
}

impl Slot {
    pub(crate) fn open(view: View, directory: &Path, caches: &Caches) -> Result<Self, Error> {
        fs::create_dir_all(directory)?;
        let current = read_current(directory);
        remove_all_but(directory, current)?;
        let (generation, store) = match open(view, &generation_directory(directory, current), caches) {
            Ok(store) => (current, store),
            Err(error) if error.is_damage() => {
                error!(%view, "the view is damaged or of another format and is rebuilt from the log");
                let store = Store::open(&generation_directory(directory, current + 1), view.layout(), caches)?;
                write_current(directory, current + 1)?;
                remove_all_but(directory, current + 1)?;
                (current + 1, store)
            }
            Err(error) => return Err(error),
        };
        let now = Instant::now();
        let started = |checkpoint: u64| Heard {
            observed: Observed { sequence: checkpoint, pending: u64::MAX },
            at: now,
            caught_up_at: now,
        };
        let mut progress: Progress = view.reads().map(|stream| (stream, started(0))).collect();
        for (stream, checkpoint) in store.checkpoints()? {
            progress.insert(stream, started(checkpoint.sequence));
        }
        Ok(Self {
            view,
            directory: directory.into(),
            caches: caches.clone(),
            newest: Arc::new(AtomicU64::new(generation)),
            current: Arc::new(ArcSwap::from_pointee(store)),
            progress: watch::Sender::new(progress),
            version: Arc::new(AtomicU64::new(0)),
            is_damaged: watch::Sender::new(false),
        })
    }

    /// Which view this is.
    #[must_use]
    pub fn view(&self) -> View {
        self.view
    }

    /// The generation that is read now.
    #[must_use]
    pub fn store(&self) -> Arc<Store> {
        self.current.load_full()
    }

    /// An empty generation next to the current one, to rebuild into.
    ///
    /// # Errors
    /// When its directory cannot be made.
    pub fn fresh(&self) -> Result<Arc<Store>, Error> {
        let generation = self.newest.fetch_add(1, Ordering::Relaxed) + 1;
        let directory = generation_directory(&self.directory, generation);
        let store = Store::open(&directory, self.view.layout(), &self.caches)?;
        Ok(Arc::new(store))
    }

    /// Reads from `store` from now on, also after a restart. The old generation goes when nobody reads it any more.
    ///
    /// # Errors
    /// When the switch cannot be written down; the old generation stays then.
    pub fn switch_to(&self, store: Arc<Store>) -> Result<(), Error> {
        // Whole on disk before anything names it.
        store.flush()?;
        write_current(&self.directory, self.newest.load(Ordering::Relaxed))?;
        self.current.swap(store).retire();
        // After the swap: the other way round, an answer of the old generation could be kept under the new number.
        self.version.fetch_add(1, Ordering::Release);
        self.is_damaged.send_replace(false);
        info!(view = %self.view, "switched to a new generation of the view");
        Ok(())
    }

    /// Notes that the generation that is read now cannot be read everywhere.
    pub(crate) fn report_damage(&self) {
        self.is_damaged.send_replace(true);
    }

    /// Waits until a question or the projection finds damage.
    pub async fn damaged(&self) {
        // The sender lives in this slot, so the channel cannot be closed here.
        let _ = self.is_damaged.subscribe().wait_for(|is_damaged| *is_damaged).await;
    }

    /// Notes what was seen of a stream, after what is in the view was committed.
    pub fn observe(&self, stream: Stream, observed: Observed) {
        let now = Instant::now();
        self.progress.send_modify(|progress| {
            let before = progress.get(&stream);
            if before.is_none_or(|before| before.observed.sequence != observed.sequence) {
                self.version.fetch_add(1, Ordering::Release);
            }
            let before = before.map_or(now, |heard| heard.caught_up_at);
            let caught_up_at = if observed.pending == 0 { now } else { before };
            progress.insert(stream, Heard { observed, at: now, caught_up_at });
        });
    }

    /// A number that is another one once something was observed in the view. An answer that was asked for after the
    /// number was read is right as long as the number is the same.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.version.load(Ordering::Acquire)
    }

    /// Waits until the view has all of `positions` that are of its streams.
    pub async fn reached(&self, positions: &[LogPosition]) {
        let has = |progress: &Progress| {
            positions.iter().all(|wanted| {
                progress.get(&wanted.stream).is_none_or(|heard| heard.observed.sequence >= wanted.sequence)
            })
        };
        // The sender lives in this slot, so the channel cannot be closed here.
        let _ = self.progress.subscribe().wait_for(has).await;
    }

    /// Waits until the view has everything that the log holds.
    pub async fn caught_up(&self) {
        let is_even = |progress: &Progress| progress.values().all(|heard| heard.observed.pending == 0);
        let _ = self.progress.subscribe().wait_for(is_even).await;
    }

    /// As of when an answer given now is.
    #[must_use]
    pub fn freshness(&self) -> Freshness {
        let progress = self.progress.borrow();
        let shown = progress.iter().filter(|(stream, _)| self.view.streams().contains(stream));
        let as_of = shown.map(|(stream, heard)| LogPosition { stream: *stream, sequence: heard.observed.sequence });
        let is_silent = |heard: &Heard| heard.at.elapsed() > SILENCE;
        let lag = |heard: &Heard| {
            let is_even = heard.observed.pending == 0 && !is_silent(heard);
            if is_even { Duration::ZERO } else { heard.caught_up_at.elapsed() }
        };
        let lag = progress.values().map(lag).max().unwrap_or_default();
        Freshness {
            as_of: as_of.collect(),
            lag_ms: u64::try_from(lag.as_millis()).unwrap_or(u64::MAX),
            stale: progress.values().any(is_silent),
        }
    }

    /// What was last seen of each stream.
    #[must_use]
    pub fn observed(&self) -> BTreeMap<Stream, Observed> {
        self.progress.borrow().iter().map(|(stream, heard)| (*stream, heard.observed)).collect()
    }
}

fn generation_directory(directory: &Path, generation: u64) -> PathBuf {
    directory.join(generation.to_string())
}

/// The generation that `CURRENT` names; a new view starts with 1.
fn read_current(directory: &Path) -> u64 {
    let text = fs::read_to_string(directory.join("CURRENT"));
    text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(1)
}

fn write_current(directory: &Path, generation: u64) -> Result<(), Error> {
    let draft = directory.join("CURRENT.new");
    let mut file = File::create(&draft)?;
    writeln!(file, "{generation}")?;
    // The text is on disk before the name leads to it, and the name before this returns: a crash leaves the old name or the
    // new one, and each is whole.
    file.sync_all()?;
    fs::rename(&draft, directory.join("CURRENT"))?;
    File::open(directory)?.sync_all()?;
    Ok(())
}

/// Clears away what an interrupted rebuild left behind.
fn remove_all_but(directory: &Path, current: u64) -> Result<(), Error> {
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let generation = entry.file_name().to_str().and_then(|name| name.parse::<u64>().ok());
        if generation.is_some_and(|generation| generation != current) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}
