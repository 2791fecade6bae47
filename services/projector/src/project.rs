//! What entries of the log do to a view: rows, and dead letters about what it could not take in.

use model::event::Decoded;
use model::log::Stream;
use views::store::Batch;
use views::{Logged, Refused, View};

use crate::dead_letters::{Fault, Letter};
use crate::entries::Entries;

/// Projects entries of one stream into a batch. Nothing is written before it is committed.
///
/// # Errors
/// When the view cannot be read. The batch then holds a part of the entries.
pub(crate) fn project(
    view: View,
    batch: &mut Batch,
    stream: Stream,
    entries: &Entries,
) -> Result<Vec<Letter>, views::Error> {
    let mut letters = Vec::new();
    let mut numbers = 0..;
    for entry in entries.all() {
        for (Decoded { index, id, event, ignored: _ }, number) in entry.decoded.iter().zip(&mut numbers) {
            let reason = match event {
                Ok(event) => {
                    let draft = entries.draft(number);
                    let logged = Logged { account: &entry.account, position: entry.position, event, draft };
                    match view.project(batch, logged) {
                        Ok(()) => continue,
                        Err(Refused::DeadLetter(reason)) => reason,
                        Err(Refused::Failed(error)) => return Err(error),
                    }
                }
                Err(unreadable) if view.owns_dead_letters_of(stream) => unreadable.to_string(),
                // Several views read this stream: one of them writes the letter, or there would be one for each.
                Err(_) => continue,
            };
            letters.push(Letter::new(view, entry, Fault { index: *index, event_id: id.clone(), reason }));
        }
    }
    Ok(letters)
}
