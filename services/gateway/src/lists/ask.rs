//! Questions to the views on behalf of a caller: as fresh as they want the answer, and recorded where that is due.

use std::sync::Arc;

use views::{Ask, Question, Reply, Seen};

use crate::access::caller::Caller;
use crate::lists::cursor::Key;
use crate::render::refusal::Refusal;
use crate::upstream::reader::Reader;
use crate::witness::{Read, Witness};

/// What it takes to answer from the views. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Lists {
    reader: Arc<Reader>,
    /// The key that signs cursors.
    pub(crate) cursors: Arc<Key>,
    witness: Arc<Witness>,
}

impl Lists {
    pub(crate) fn new(reader: Arc<Reader>, cursors: Arc<Key>, witness: Arc<Witness>) -> Self {
        Self { reader, cursors, witness }
    }

    /// Asks a question for a caller.
    ///
    /// # Errors
    /// When the views cannot be reached or fail.
    pub(crate) async fn ask<Q: Question>(&self, caller: &Caller, question: Q) -> Result<Reply<Q::Answer>, Refusal> {
        self.ask_then(caller, question, |answer| answer).await
    }

    /// The same, making something of the answer off the threads that serve connections: writing 50,000 rows takes a
    /// processor for as long as many requests take.
    ///
    /// # Errors
    /// When the views cannot be reached or fail.
    pub(crate) async fn ask_then<Q: Question, T: Send + 'static>(
        &self,
        caller: &Caller,
        question: Q,
        make: impl FnOnce(Q::Answer) -> T + Send + 'static,
    ) -> Result<Reply<T>, Refusal> {
        // Before the question is given away; only what is to be recorded is written down.
        let filter = self.witness.filter_of(&question);
        let ask = Ask { at_least: caller.at_least.clone(), question };
        // The rows are counted before `make` uses them up.
        let make = move |answer| (Q::WATCH.map(|watch| (watch.log, (watch.seen)(&answer))), make(answer));
        let Reply { answer: (seen, made), freshness } = self.reader.ask_then(ask, make).await?;
        caller.seen.note(&freshness);
        if let (Some(filter), Some((log, seen))) = (filter, seen) {
            let read = Read { log, question: Q::PATH, filter, seen };
            self.witness.record_read(&caller.principal, &caller.origin, &read);
        }
        Ok(Reply { answer: made, freshness })
    }

    /// Records that a caller begins to read what `question` asks for in another way than by one answer. How much that will
    /// be is not known.
    pub(crate) fn record_begun<Q: Question>(&self, caller: &Caller, way: &'static str, question: &Q) {
        self.record(caller, way, question, Seen { rows: 0, total: 0 });
    }

    /// Records that a caller has read what `question` asks for in another way than from the views.
    pub(crate) fn record<Q: Question>(&self, caller: &Caller, way: &'static str, question: &Q, seen: Seen) {
        let log = Q::WATCH.map(|watch| watch.log);
        if let (Some(filter), Some(log)) = (self.witness.filter_of(question), log) {
            let read = Read { log, question: way, filter, seen };
            self.witness.record_read(&caller.principal, &caller.origin, &read);
        }
    }
}
