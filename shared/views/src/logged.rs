//! Events of the log on their way into a view, and drafts of their rows.
//!
//! A draft is an event's row as it is written where nothing is known under its id yet. It is made ahead, while others are
//! projected, for to make it is much of the work. It is what the view would make of the event by itself: who has none is
//! not worse off for anything but time.

use model::event::Event;
use model::log::{AccountId, LogPosition};
use segments::{NewRow, NewRows, Schema};

use crate::error::Error;

/// One event of the log on its way into a view.
#[derive(Clone, Copy, Debug)]
pub struct Logged<'a> {
    /// The account of its subject.
    pub account: &'a AccountId,
    /// Where its message stands.
    pub position: LogPosition,
    /// The event.
    pub event: &'a Event,
    /// What was made of it ahead.
    pub draft: Option<Draft<'a>>,
}

/// Makes the row of an event, where it is one of the view's, and gives it away.
pub(crate) type Drafting = fn(Logged<'_>, &mut dyn FnMut(NewRow<'_>)) -> Result<(), Error>;

/// The drafts of events, by the order of these.
#[derive(Debug)]
pub struct Drafts {
    drafting: Drafting,
    rows: NewRows,
    /// Of each event its row.
    of: Vec<Option<usize>>,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Draft<'a> {
    rows: &'a NewRows,
    row: usize,
}

impl Drafts {
    pub(crate) fn new(drafting: Drafting, schema: Schema) -> Self {
        Self { drafting, rows: NewRows::new(schema), of: Vec::new() }
    }

    /// Makes that of the next event.
    pub fn add(&mut self, logged: Logged<'_>) {
        let Self { drafting, rows, of } = self;
        let row = rows.count();
        // Why there is none is met again by who projects the event.
        let made = drafting(logged, &mut |new| rows.push(new)).is_ok() && rows.count() > row;
        of.push(made.then_some(row));
    }

    /// Makes none of the next event, which cannot be read.
    pub fn skip(&mut self) {
        self.of.push(None);
    }

    /// That of an event.
    #[must_use]
    pub fn get(&self, event: usize) -> Option<Draft<'_>> {
        let row = self.of.get(event).copied().flatten()?;
        Some(Draft { rows: &self.rows, row })
    }
}

impl<'a> Draft<'a> {
    /// The row's id in the table.
    pub(crate) fn id(self) -> &'a [u8] {
        self.rows.id(self.row)
    }

    /// Gives the row to `put`.
    pub(crate) fn write<T>(self, put: impl FnOnce(NewRow<'_>) -> T) -> T {
        self.rows.with(self.row, put)
    }
}
