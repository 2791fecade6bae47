//! A question to a list in the language, as it goes to where it is answered.

use std::marker::PhantomData;

use serde::{Deserialize, Serialize};

use super::compile::Filter;
use super::expression::Expression;
use super::family::Family;
use super::mistake::Mistake;
use crate::time::Timestamp;

/// A text that asks for events of a family, and the filter that it is. It goes to other processes as its text, and is read
/// again there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Text<F>", into = "Text<F>", bound = "")]
pub struct Query<F: Family> {
    text: String,
    now: Timestamp,
    filter: Filter<F>,
}

impl<F: Family> Query<F> {
    /// What a text asks. Times in it may be relative to `now`.
    ///
    /// # Errors
    /// When the text is no expression, or the family cannot be asked it.
    pub fn new(text: String, now: Timestamp) -> Result<Self, Mistake> {
        let filter = Filter::new(&text.parse::<Expression>()?, Some(now))?;
        Ok(Self { text, now, filter })
    }

    /// As it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What is wanted.
    #[must_use]
    pub fn filter(&self) -> &Filter<F> {
        &self.filter
    }
}

#[derive(Serialize, Deserialize)]
#[serde(bound = "")]
struct Text<F> {
    text: String,
    now: Timestamp,
    #[serde(skip)]
    family: PhantomData<F>,
}

impl<F: Family> From<Query<F>> for Text<F> {
    fn from(Query { text, now, .. }: Query<F>) -> Self {
        Self { text, now, family: PhantomData }
    }
}

impl<F: Family> TryFrom<Text<F>> for Query<F> {
    type Error = Mistake;

    fn try_from(Text { text, now, .. }: Text<F>) -> Result<Self, Mistake> {
        Self::new(text, now)
    }
}
