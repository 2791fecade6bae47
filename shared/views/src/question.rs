//! Questions: the same value is answered in the process that owns the views or asked for over the network.

use model::log::Position;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::{Error, View, Views};

/// A question to a view.
pub trait Question: Serialize + DeserializeOwned + Send + 'static {
    /// What the answer is.
    type Answer: Serialize + DeserializeOwned + Send + 'static;

    /// `<view>.<question>`: behind `flowtrail.query.`, the subject it is asked on.
    const PATH: &'static str;

    /// The view whose freshness is the answer's.
    fn view(&self) -> View;

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
    /// The answer shall be as of these positions or later.
    pub at_least: Vec<Position>,
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

/// As of when an answer is.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Freshness {
    /// Everything up to these positions is in it.
    pub as_of: Vec<Position>,
    /// How long ago the view last had everything that the log holds, in milliseconds; 0 while it keeps up.
    pub lag_ms: u64,
    /// Whether the log cannot be reached, so that nobody knows what is missing.
    pub stale: bool,
}
