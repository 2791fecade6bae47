//! Questions: the same value is answered in the process that owns the views or asked for over the network.

use std::future::Future;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;

use model::json::{self, BadJson};
use model::log::{AccountId, LogPosition};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::runtime::{Handle, RuntimeFlavor};
use tokio::time::{Duration, timeout};

use crate::error::Error;
use crate::exports::Exports;
use crate::slot::{Freshness, Slot};
use crate::store::Caches;
use crate::view::View;
use crate::watch::Watch;

/// How long a question waits for a position that the view has not reached.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// A question to a view.
pub trait Question: Serialize + DeserializeOwned + Send + 'static {
    /// What the answer is.
    type Answer: Serialize + DeserializeOwned + Send + 'static;

    /// `<view>.<question>`: behind `flowtrail.query.`, the subject it is asked on.
    const PATH: &'static str;

    /// How its being asked is recorded; none: it reads no log.
    const WATCH: Option<Watch<Self, Self::Answer>>;

    /// The view whose freshness is the answer's.
    fn view(&self) -> View;

    /// The account that the answer is about; none where it is about several, or the answer is what tells which.
    fn account(&self) -> Option<&AccountId>;

    /// Whether the answer takes so little time that changing threads for it would take longer: nothing has to be read from
    /// disk for it, as far as that is known. Then it is given on a thread that serves others too.
    fn answers_inline(&self, _: &Views) -> bool {
        false
    }

    /// The answer, from the views as they are now. Blocks on storage.
    ///
    /// # Errors
    /// When the storage fails.
    fn answer(&self, views: &Views) -> Result<Self::Answer, Error>;
}

/// A question and what its asker knows of already.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Ask<Q> {
    /// The answer must be as of these positions or later.
    pub at_least: Vec<LogPosition>,
    /// The question.
    pub question: Q,
}

/// An answer and how fresh it is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Reply<A> {
    /// The answer.
    pub answer: A,
    /// As of when it is.
    pub freshness: Freshness,
}

/// All views of this process. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Views {
    slots: Arc<[Slot]>,
    exports: Arc<Exports>,
}

impl Views {
    pub(crate) fn open_these(views: &[View], directory: &Path, cache_bytes: u64) -> Result<Self, Error> {
        let caches = Caches::new(cache_bytes);
        let open_one = |view: &View| Slot::open(*view, &directory.join(view.name()), &caches);
        let slots: Result<Vec<Slot>, Error> = views.iter().map(open_one).collect();
        Ok(Self { slots: slots?.into(), exports: Arc::default() })
    }

    /// One view's place.
    ///
    /// # Panics
    /// Never: a view is only had from the list that all of them are opened from.
    #[must_use]
    pub fn slot(&self, view: View) -> &Slot {
        // There are so few that looking at each is faster than any map.
        let slot = self.slots.iter().find(|slot| slot.view() == view);
        slot.expect("every view is in the list that all of them are opened from")
    }

    /// The places of all views.
    pub fn slots(&self) -> impl Iterator<Item = &Slot> {
        self.slots.iter()
    }

    /// The exports that are under way.
    pub(crate) fn exports(&self) -> &Exports {
        &self.exports
    }

    /// Answers a question, once its view has reached what the asker knows of or [`PATIENCE`] is over.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn ask<Q: Question>(&self, ask: Ask<Q>) -> Result<Reply<Q::Answer>, Error> {
        self.ask_then(ask, |answer| answer).await
    }

    /// The same, making something of the answer where it was found: off the async threads, unless it is answered
    /// inline.
    ///
    /// # Errors
    /// When the storage fails.
    pub async fn ask_then<Q: Question, T: Send + 'static>(
        &self,
        ask: Ask<Q>,
        make: impl FnOnce(Q::Answer) -> T + Send + 'static,
    ) -> Result<Reply<T>, Error> {
        let slot = self.slot(ask.question.view());
        // A position is noted after its batch was committed, so what is read from here on has it. Not reached in time is no
        // failure: the answer says as of when it is.
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
    pub async fn wait_for(&self, view: View, position: LogPosition) -> bool {
        timeout(PATIENCE, self.slot(view).reached(&[position])).await.is_ok()
    }
}

/// A question in the form in which it comes from another process: an [`Ask`] as JSON, and so is its [`Reply`].
#[derive(Debug)]
pub struct Asked {
    path: &'static str,
    answer: for<'a> fn(&'a Views, &'a [u8]) -> Answering<'a>,
}

type Answering<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, Unanswered>> + Send + 'a>>;

/// Why a question that came as JSON has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Unanswered {
    /// It is none that can be read.
    #[error(transparent)]
    Request(#[from] BadJson),
    /// The view failed.
    #[error("a question has no answer")]
    Failed(#[from] Error),
    /// The answer cannot be written as JSON.
    #[error("the answer cannot be written")]
    Reply(#[from] serde_json::Error),
}

impl Asked {
    /// The form of the question `Q`.
    pub(crate) const fn of<Q: Question>() -> Self {
        Self { path: Q::PATH, answer: |views, request| Box::pin(answer_json::<Q>(views, request)) }
    }

    /// Behind `flowtrail.query.`, the subject it is asked on.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The reply to a request, both as JSON.
    ///
    /// # Errors
    /// [`Unanswered`].
    pub async fn answer(&self, views: &Views, request: &[u8]) -> Result<Vec<u8>, Unanswered> {
        (self.answer)(views, request).await
    }
}

async fn answer_json<Q: Question>(views: &Views, request: &[u8]) -> Result<Vec<u8>, Unanswered> {
    let ask: Ask<Q> = json::read(request)?;
    Ok(serde_json::to_vec(&views.ask(ask).await?)?)
}
