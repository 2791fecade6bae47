//! The searches view: each saved search as it is now.
//!
//! Invariant: nobody is answered with a search that they do not see, nor with how many there are of those.

use model::event::Event;
use model::log::{AccountId, Stream};
use model::search::{Asker, Current, IdentifiedSearch, Search};
use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::error::Error;
use crate::key;
use crate::logged::Logged;
use crate::question::{Asked, Question, Views};
use crate::store::{Batch, Layout};
use crate::view::{DumpAs, Facts, Refused, View};
use crate::watch::Watch;

/// The view.
pub const VIEW: View = View::of(&Facts {
    name: "searches",
    streams: &[Stream::Search],
    owns_dead_letters_of: &[Stream::Search],
    layout: Layout::BY_KEY,
    draft: None,
    project,
    dump: DumpAs::Keys(|_, value| canonical::of_value::<Current>(value)),
});

pub(super) const QUESTIONS: &[Asked] = &[Asked::of::<List>(), Asked::of::<ById>()];

const SEARCH: u8 = b's';

/// Applies an event of a search to its row.
fn project(batch: &mut Batch, logged: Logged<'_>) -> Result<(), Refused> {
    let Event::Search(recorded) = logged.event else { return Ok(()) };
    let row = key::key(logged.account, SEARCH, &[recorded.id.as_bytes()]);
    let mut search = match batch.row(&row)? {
        Some(current) => Search::Present(current),
        None => Search::Absent,
    };
    search.apply(recorded.event.clone(), recorded.time);
    match search {
        Search::Present(current) => batch.put(row, &current)?,
        Search::Absent | Search::Deleted => batch.remove(row),
    }
    Ok(())
}

/// All searches of an account that someone sees, by id, so that the first that was made comes first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct List {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// Who looks.
    pub asker: Asker,
}

impl Question for List {
    type Answer = Vec<IdentifiedSearch>;
    const PATH: &'static str = "searches.list";
    const WATCH: Option<Watch<Self, Self::Answer>> = None;

    fn view(&self) -> View {
        VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answer(&self, views: &Views) -> Result<Vec<IdentifiedSearch>, Error> {
        let prefix = key::prefix(&self.account, SEARCH);
        let mut rows = Vec::new();
        for entry in views.slot(VIEW).store().scan(&prefix) {
            let (key, value) = entry?;
            let current: Current = postcard::from_bytes(&value)?;
            if current.is_seen_by(&self.asker) {
                let id = String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
                rows.push(IdentifiedSearch { id, current });
            }
        }
        Ok(rows)
    }
}

/// One search of an account, where someone sees it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ById {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// Who looks.
    pub asker: Asker,
    /// The search's id.
    pub id: String,
}

impl Question for ById {
    type Answer = Option<IdentifiedSearch>;
    const PATH: &'static str = "searches.by_id";
    const WATCH: Option<Watch<Self, Self::Answer>> = None;

    fn view(&self) -> View {
        VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answer(&self, views: &Views) -> Result<Option<IdentifiedSearch>, Error> {
        let row = key::key(&self.account, SEARCH, &[self.id.as_bytes()]);
        let current: Option<Current> = views.slot(VIEW).store().row(&row)?;
        let seen = current.filter(|current| current.is_seen_by(&self.asker));
        Ok(seen.map(|current| IdentifiedSearch { id: self.id.clone(), current }))
    }
}
