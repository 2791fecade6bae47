//! What entries of the log do to a view: rows, and dead letters about what it could not take in.

use std::sync::Arc;

use feed::read::Entry;
use model::event::Decoded;
use model::log::Stream;
use views::store::{Batch, Store};
use views::{Logged, Refused, View};

use crate::dead_letters::{Fault, Letter};

/// Projects entries of one stream. Nothing is written before the batch is committed.
///
/// # Errors
/// When the view cannot be read.
pub(crate) fn project(
    view: View,
    store: &Arc<Store>,
    stream: Stream,
    entries: Vec<Entry>,
) -> Result<(Batch, Vec<Letter>), views::Error> {
    let mut batch = Batch::new(store.clone());
    let mut letters = Vec::new();
    for mut entry in entries {
        for Decoded { index, id, event, ignored: _ } in std::mem::take(&mut entry.decoded) {
            let reason = match event {
                Ok(event) => {
                    let logged = Logged { account: &entry.account, position: entry.position, event };
                    match view.project(&mut batch, logged) {
                        Ok(()) => continue,
                        Err(Refused::DeadLetter(reason)) => reason,
                        Err(Refused::Failed(error)) => return Err(error),
                    }
                }
                Err(unreadable) if view.owns_dead_letters_of(stream) => unreadable.to_string(),
                // Several views read this stream: one of them writes the letter, or there would be one for each.
                Err(_) => continue,
            };
            letters.push(Letter::new(view, &entry, Fault { index, event_id: id, reason }));
        }
    }
    Ok((batch, letters))
}
