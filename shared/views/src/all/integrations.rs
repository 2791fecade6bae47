//! The integrations view: each integration as it is now.

use model::command::NumberedIntegration;
use model::event::Event;
use model::integration::{Current, Integration};
use model::log::{AccountId, Stream};
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
    name: "integrations",
    streams: &[Stream::Integration],
    owns_dead_letters_of: &[Stream::Integration],
    layout: Layout::BY_KEY,
    draft: None,
    project,
    dump: DumpAs::Keys(|_, value| canonical::of_value::<Current>(value)),
});

pub(super) const QUESTIONS: &[Asked] = &[Asked::of::<List>(), Asked::of::<ById>()];

const INTEGRATION: u8 = b'i';

/// Applies an integration event to its row.
fn project(batch: &mut Batch, logged: Logged<'_>) -> Result<(), Refused> {
    let Event::Integration(recorded) = logged.event else { return Ok(()) };
    let row = key::key(logged.account, INTEGRATION, &[&recorded.id.to_be_bytes()]);
    let mut integration = match batch.row(&row)? {
        Some(current) => Integration::Present(current),
        None => Integration::Absent,
    };
    integration.apply(recorded.event.clone(), recorded.time);
    match integration {
        Integration::Present(current) => batch.put(row, &current)?,
        Integration::Absent | Integration::Deleted => batch.remove(row),
    }
    Ok(())
}

/// All integrations of an account, by id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct List {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
}

impl Question for List {
    type Answer = Vec<NumberedIntegration>;
    const PATH: &'static str = "integrations.list";
    const WATCH: Option<Watch<Self, Self::Answer>> = None;

    fn view(&self) -> View {
        VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answer(&self, views: &Views) -> Result<Vec<NumberedIntegration>, Error> {
        let prefix = key::prefix(&self.account, INTEGRATION);
        let mut rows = Vec::new();
        for entry in views.slot(VIEW).store().scan(&prefix) {
            let (key, value) = entry?;
            let mut id = [0; 8];
            id.copy_from_slice(&key[prefix.len()..]);
            rows.push(NumberedIntegration { id: u64::from_be_bytes(id), current: postcard::from_bytes(&value)? });
        }
        Ok(rows)
    }
}

/// One integration of an account.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ById {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// The integration's number.
    pub id: u64,
}

impl Question for ById {
    type Answer = Option<NumberedIntegration>;
    const PATH: &'static str = "integrations.by_id";
    const WATCH: Option<Watch<Self, Self::Answer>> = None;

    fn view(&self) -> View {
        VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answer(&self, views: &Views) -> Result<Option<NumberedIntegration>, Error> {
        let row = key::key(&self.account, INTEGRATION, &[&self.id.to_be_bytes()]);
        let current = views.slot(VIEW).store().row(&row)?;
        Ok(current.map(|current| NumberedIntegration { id: self.id, current }))
    }
}
