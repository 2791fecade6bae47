//! How the views are asked: in this process or over the bus, with the same answer.

use std::time::Duration;

use bus::{AskError, Bus};
use model::log::LogPosition;
use runtime::telemetry::chain;
use tracing::{error, warn};
use views::{Ask, Question, Reply, View, Views};

use crate::render::refusal::Refusal;

/// How long an answer over the bus may take; a list of 50,000 rows of a large view takes seconds.
const ANSWERS_WITHIN: Duration = Duration::from_secs(30);
/// The code with which a projector refuses what it cannot answer right now.
const UNAVAILABLE: u16 = 503;

/// Where questions about the views are answered.
#[derive(Clone, Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one in a process")]
pub enum Reader {
    /// The views of this process.
    Local(Views),
    /// A projector, over the bus.
    Remote(Bus),
}

/// Why a question has no answer.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// The views cannot answer right now, and may later.
    #[error("the views cannot be reached")]
    Unreachable(#[source] bus::Cause),
    /// The views, or the way to them, failed.
    #[error("the views failed")]
    Failed(#[source] bus::Cause),
}

impl Reader {
    /// Asks a question.
    ///
    /// # Errors
    /// [`ReadError`].
    pub async fn ask<Q: Question>(&self, ask: Ask<Q>) -> Result<Reply<Q::Answer>, ReadError> {
        self.ask_then(ask, |answer| answer).await
    }

    /// Asks a question and makes something of the answer, which takes the time that many rows take: off the threads
    /// that serve connections.
    ///
    /// # Errors
    /// [`ReadError`].
    pub(crate) async fn ask_then<Q: Question, T: Send + 'static>(
        &self,
        ask: Ask<Q>,
        make: impl FnOnce(Q::Answer) -> T + Send + 'static,
    ) -> Result<Reply<T>, ReadError> {
        match self {
            Self::Local(views) => views.ask_then(ask, make).await.map_err(local),
            Self::Remote(bus) => {
                let request = serde_json::to_vec(&ask).map_err(failed)?;
                let subject = format!("flowtrail.query.{}", Q::PATH);
                let answer = bus.ask(&subject, request.into(), ANSWERS_WITHIN).await.map_err(remote)?;
                let read = move || {
                    let Reply { answer, freshness } = serde_json::from_slice(&answer)?;
                    Ok(Reply { answer: make(answer), freshness })
                };
                let made = tokio::task::spawn_blocking(read).await;
                made.map_err(|failure| ReadError::Failed(failure.into()))?.map_err(failed)
            }
        }
    }

    /// The version of a view: see [`views::Slot::version`]. None where the view is in another process.
    pub(crate) fn version(&self, view: View) -> Option<u64> {
        match self {
            Self::Local(views) => Some(views.slot(view).version()),
            Self::Remote(_) => None,
        }
    }

    /// Waits until the view behind `question` has `position`, as long as the views' patience lasts.
    ///
    /// Over the bus the question itself is asked, so it should be a cheap one. Without an answer the wait just ends:
    /// what was written is written.
    pub(crate) async fn wait_for<Q: Question>(&self, question: Q, position: LogPosition) {
        match self {
            Self::Local(views) => {
                views.wait_for(question.view(), position).await;
            }
            Self::Remote(_) => {
                // Whether it is answered or not, there is nothing left to do here.
                let _ = self.ask(Ask { at_least: vec![position], question }).await;
            }
        }
    }
}

impl From<ReadError> for Refusal {
    fn from(failure: ReadError) -> Self {
        let cause = chain(&failure).to_string();
        match failure {
            ReadError::Unreachable(_) => {
                warn!(error = %cause, "a question cannot be answered");
                Self::Unavailable("the views cannot be reached, try again")
            }
            ReadError::Failed(_) => {
                error!(error = %cause, "a question cannot be answered");
                Self::Internal
            }
        }
    }
}

fn failed(error: serde_json::Error) -> ReadError {
    ReadError::Failed(error.into())
}

fn local(error: views::Error) -> ReadError {
    match error {
        views::Error::Closing => ReadError::Unreachable(error.into()),
        views::Error::Storage(_)
        | views::Error::Row(_)
        | views::Error::Damaged(_)
        | views::Error::TooLarge(_)
        | views::Error::Full { .. }
        | views::Error::Directory(_) => ReadError::Failed(error.into()),
    }
}

/// What went wrong on the way to a projector.
pub(super) fn remote(error: AskError) -> ReadError {
    match error {
        AskError::NobodyAnswers { .. }
        | AskError::TimedOut { .. }
        | AskError::Disconnected
        | AskError::Refused { code: UNAVAILABLE, .. } => ReadError::Unreachable(error.into()),
        AskError::Refused { .. } | AskError::TooLarge { .. } | AskError::Broken { .. } => {
            ReadError::Failed(error.into())
        }
    }
}
