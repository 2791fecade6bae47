//! What messages of one stream say, and what a view can make of that before it is looked at.

use std::sync::mpsc::SyncSender;

use bus::Message;
use feed::read::{Entry, read};
use views::{Draft, Drafts, Logged, View};

/// What messages say, with drafts of the rows that a view makes of it.
///
/// Once it is done with, it goes back to who decoded it, to be dropped there: an allocator keeps memory by thread, and
/// thousands of small texts that another thread drops cost as much as decoding some of them.
#[derive(Debug)]
pub(crate) struct Entries {
    entries: Vec<Entry>,
    drafts: Option<Drafts>,
    /// None: they are dropped where they are.
    back: Option<SyncSender<Vec<Entry>>>,
}

impl Entries {
    /// None yet.
    pub(crate) fn new(view: View, back: Option<SyncSender<Vec<Entry>>>) -> Self {
        Self { entries: Vec::new(), drafts: view.drafts(), back }
    }

    /// Reads a message; gives what it says.
    pub(crate) fn read(&mut self, message: &Message) -> &Entry {
        let entry = read(message);
        if let Some(drafts) = &mut self.drafts {
            for decoded in &entry.decoded {
                match &decoded.event {
                    Ok(event) => {
                        let Entry { account, position, .. } = &entry;
                        drafts.add(Logged { account, position: *position, event, draft: None });
                    }
                    Err(_) => drafts.skip(),
                }
            }
        }
        let index = self.entries.len();
        self.entries.push(entry);
        &self.entries[index]
    }

    /// All of them.
    pub(crate) fn all(&self) -> &[Entry] {
        &self.entries
    }

    /// What was made ahead of an event, by its number among those of all messages, readable or not.
    pub(crate) fn draft(&self, number: usize) -> Option<Draft<'_>> {
        self.drafts.as_ref()?.get(number)
    }
}

impl Drop for Entries {
    fn drop(&mut self) {
        if let Some(back) = &self.back {
            // Where nobody decodes any more, or there is no room, they are dropped with the error.
            let _ = back.try_send(std::mem::take(&mut self.entries));
        }
    }
}
