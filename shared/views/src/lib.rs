//! The read models: one module per view, each with its projection and the questions it answers.
//!
//! Invariants: a view is computed from events and nothing else, so it can be deleted and comes back from the log;
//! rows and checkpoints are written in one sled batch; the account is the first part of every key; NATS and HTTP
//! are deliberately unknown here.

pub mod access;
pub mod audit;
pub mod directory;
pub mod dump;
pub mod integrations;
pub mod question;
pub mod status;
pub mod store;
pub mod traffic;

mod columns;
mod key;
mod slot;
mod view;

pub use question::{Ask, Freshness, Question, Reply};
pub use slot::{Observed, Slot};
pub use view::{Logged, Refused, View};

use std::path::Path;
use std::sync::Arc;

use model::log::Position;
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::time::{Duration, timeout};

/// How long a question waits for a position that the view has not reached.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The storage failed.
    #[error("the view's storage failed")]
    Storage(#[from] sled::Error),
    /// A stored row cannot be read: the view is damaged or was written by another version.
    #[error("a row of the view cannot be read")]
    Row(#[from] postcard::Error),
    /// What is stored in columns is not what was written.
    #[error("{0} of the view is damaged")]
    Damaged(&'static str),
    /// What is to be written is longer than the columns can hold.
    #[error("{0} of the view is too large to be stored")]
    TooLarge(&'static str),
    /// The disk is too full to write more; what is there can be read.
    #[error("the disk is full: {} MiB are left", free >> 20)]
    Full {
        /// Bytes that are left.
        free: u64,
    },
    /// A file or directory of the view cannot be read or written.
    #[error("the view's directory failed")]
    Directory(#[from] std::io::Error),
    /// The process is shutting down.
    #[error("the view is closing")]
    Closing,
}

impl Error {
    /// Whether what is stored is not what was written, so that the view must be computed anew.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Storage(sled::Error::Corruption { .. }) | Self::Row(_) | Self::Damaged(_) => true,
            Self::Storage(_) | Self::TooLarge(_) | Self::Full { .. } | Self::Directory(_) | Self::Closing => false,
        }
    }

    /// Whether the storage takes nothing more, though it can be read: what failed once to write, as on a disk that
    /// others have filled, sled does not try again.
    #[must_use]
    pub fn is_lasting(&self) -> bool {
        match self {
            Self::Storage(_) => !self.is_damage(),
            Self::Row(_)
            | Self::Damaged(_)
            | Self::TooLarge(_)
            | Self::Full { .. }
            | Self::Directory(_)
            | Self::Closing => false,
        }
    }
}

impl From<segments::Error> for Error {
    fn from(error: segments::Error) -> Self {
        match error {
            segments::Error::Storage(error) => Self::Storage(error),
            segments::Error::Damaged(what) => Self::Damaged(what),
            segments::Error::TooLarge(what) => Self::TooLarge(what),
        }
    }
}

/// All views of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Views {
    slots: Arc<[Slot]>,
}

impl Views {
    /// Opens every view below `directory`, which this process then owns.
    ///
    /// A view whose files are damaged, or of another format, is opened empty: it comes back from the log.
    ///
    /// # Errors
    /// When the directory cannot be written or another process owns it.
    pub fn open(directory: &Path, cache_bytes: u64) -> Result<Self, Error> {
        let caches = store::Caches::new(cache_bytes);
        let open_one = |view: View| Slot::open(view, &directory.join(view.name()), &caches);
        let slots: Result<Vec<Slot>, Error> = View::ALL.into_iter().map(open_one).collect();
        Ok(Self { slots: slots?.into() })
    }

    /// One view's place.
    #[must_use]
    pub fn slot(&self, view: View) -> &Slot {
        &self.slots[view as usize]
    }

    /// Answers a question, once its view has reached what the asker knows of or [`PATIENCE`] is over.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn ask<Q: Question>(&self, ask: Ask<Q>) -> Result<Reply<Q::Answer>, Error> {
        self.ask_and(ask, |answer| answer).await
    }

    /// The same, making something of the answer where it was found: off the async threads, but for brief questions.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn ask_and<Q: Question, T: Send + 'static>(
        &self,
        ask: Ask<Q>,
        make: impl FnOnce(Q::Answer) -> T + Send + 'static,
    ) -> Result<Reply<T>, Error> {
        let slot = self.slot(ask.question.view());
        // Not reached in time is no failure: the answer says as of when it is.
        let _ = timeout(PATIENCE, slot.reached(&ask.at_least)).await;
        if ask.question.answers_inline(self) {
            return self.answer(&ask.question, make);
        }
        // Where another thread can take over what else there is to do, this one answers.
        if Handle::current().runtime_flavor() == RuntimeFlavor::MultiThread {
            return tokio::task::block_in_place(|| self.answer(&ask.question, make));
        }
        let views = self.clone();
        let answer = tokio::task::spawn_blocking(move || views.answer(&ask.question, make));
        answer.await.map_err(|_| Error::Closing)?
    }

    fn answer<Q: Question, T>(&self, question: &Q, make: impl FnOnce(Q::Answer) -> T) -> Result<Reply<T>, Error> {
        let slot = self.slot(question.view());
        // Read before the rows: they are at least as new as this says.
        let freshness = slot.freshness();
        let answer = question.answer(self).inspect_err(|error| {
            if error.is_damage() {
                slot.report_damage();
            }
        });
        Ok(Reply { answer: make(answer?), freshness })
    }

    /// Waits until `view` has `position`, at most [`PATIENCE`]; says whether it has.
    pub async fn wait_for(&self, view: View, position: Position) -> bool {
        timeout(PATIENCE, self.slot(view).reached(&[position])).await.is_ok()
    }
}
