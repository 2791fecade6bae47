//! The audit view: every audit event once, newest first. Integration and access events are audit events too.

mod counts;
mod row;
mod wanted;

use std::collections::{BTreeMap, BTreeSet};

use model::audit::{Event, Filter};
use model::directory::{Kind, Names};
use model::event::Event as Any;
use model::log::{AccountId, Stream};
use model::paging::{Page, Rows};
use serde::{Deserialize, Serialize};

use crate::directory::Directory;
use crate::store::Batch;
use crate::{Error, Logged, Question, Refused, View, Views, columns, key};

pub use counts::{CountByTime, CountByValue, Facet};
pub(crate) use row::{SCHEMA, position, read};

/// The kind of the keys that hold which groups and types of events there are.
const CATALOG: u8 = b'c';
/// Where ids are from, in the order in which they are looked up.
const ORIGINS: [u8; 3] = [0, 1, 2];

/// What the keys of an account's catalog start with.
pub(crate) fn catalog_of(account: &str) -> Vec<u8> {
    [account.as_bytes(), &[0, CATALOG]].concat()
}

/// Takes an event in; one whose id is known already changes nothing.
pub(crate) fn project(batch: &mut Batch, logged: Logged<'_>) -> Result<(), Refused> {
    let event = match logged.event {
        Any::Audit(event) => event,
        Any::Integration(recorded) => Event::from(&recorded),
        Any::Access(recorded) => Event::from(&recorded),
        Any::Traffic(_) | Any::Directory { .. } | Any::Delivery(_) => return Ok(()),
    };
    // Ids are unique within a stream, so that the result does not depend on how the streams interleave.
    let origin = origin(logged.position.stream);
    let id = row::id_in_table(&event.id, origin);
    let table = columns::table(logged.account);
    let found = batch.rows().find(&table, &id).map_err(Error::from)?;
    if let Some(known) = &found.row {
        if read(known)?.says_the_same_as(&event) {
            return Ok(());
        }
        return Err(Refused::DeadLetter("id: is known already, with other content; the first stands".to_owned()));
    }
    row::write(&event, origin, |row| Ok(batch.rows().put(&table, &found, row)?))?;
    add_to_catalog(batch, logged.account, &event)
}

/// Writes the event's group and type down when they are the first of their kind.
fn add_to_catalog(batch: &mut Batch, account: &AccountId, event: &Event) -> Result<(), Refused> {
    let (group, event_type) = (event.event_group(), event.event_type.as_str());
    // Either may hold any character: only the length tells where the group ends.
    let length = (group.len() as u64).to_be_bytes();
    let key = key::key(account, CATALOG, &[&length, group.as_bytes(), event_type.as_bytes()]);
    if batch.row::<(String, String)>(&key)?.is_none() {
        batch.put(key, &(group, event_type))?;
    }
    Ok(())
}

fn origin(stream: Stream) -> u8 {
    match stream {
        Stream::Audit => 0,
        Stream::Integration => 1,
        Stream::Access => 2,
        Stream::Traffic | Stream::Directory | Stream::Delivery | Stream::DeadLetter => 3,
    }
}

/// Whether the row with an id is from a stream that is kept for ever.
pub(crate) fn stays(id: &[u8]) -> bool {
    id.last() != Some(&origin(Stream::Audit))
}

/// Audit events, newest first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct List {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub filter: Filter,
    /// Which part of them.
    pub page: Page,
}

impl Question for List {
    type Answer = Rows<Event>;
    const PATH: &'static str = "audit.list";

    fn view(&self) -> View {
        View::Audit
    }

    fn answers_inline(&self, views: &Views) -> bool {
        let Filter { search, user_name, period, .. } = &self.filter;
        let is_of_all = self.filter == Filter { period: *period, ..Filter::default() };
        let store = views.slot(View::Audit).store();
        // Both look through the whole directory.
        (search.is_none() && user_name.is_none())
            && columns::answers_inline(&store, &self.account, (is_of_all, *period), &self.page)
    }

    fn answer(&self, views: &Views) -> Result<Rows<Event>, Error> {
        let directory = Directory::new(views, &self.account);
        let selected = wanted::selected(views, &self.account, &self.filter)?;
        let listed = selected.list(&self.page, row::id_of_position)?;
        let last = listed.rows.last().filter(|_| listed.has_more);
        let next = last.map(position).transpose()?;
        let events: Result<Vec<Event>, Error> = listed.rows.iter().map(read).collect();
        let mut rows = events?;
        for event in &mut rows {
            fill_in(event, &directory);
        }
        Ok(Rows { rows, total: listed.total, next })
    }
}

/// One audit event; none when the account has no event of this id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ById {
    /// Whose.
    pub account: AccountId,
    /// Which.
    pub id: String,
}

impl Question for ById {
    type Answer = Option<Event>;
    const PATH: &'static str = "audit.by_id";

    fn view(&self) -> View {
        View::Audit
    }

    fn answers_inline(&self, views: &Views) -> bool {
        // The first look at an account, or at an id after long, reads from disk.
        let (store, table) = (views.slot(View::Audit).store(), columns::table(&self.account));
        let is_ready = |origin| store.rows().is_ready_for_id(&table, &row::id_in_table(&self.id, origin));
        ORIGINS.into_iter().all(is_ready)
    }

    fn answer(&self, views: &Views) -> Result<Option<Event>, Error> {
        let store = views.slot(View::Audit).store();
        for origin in ORIGINS {
            let id = row::id_in_table(&self.id, origin);
            let Some(row) = store.rows().by_id(&columns::table(&self.account), &id)? else { continue };
            let mut event = read(&row)?;
            fill_in(&mut event, &Directory::new(views, &self.account));
            return Ok(Some(event));
        }
        Ok(None)
    }
}

/// Which of some ids the account has events of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Known {
    /// The account that is looked into.
    pub account: AccountId,
    /// The ids.
    pub ids: Vec<String>,
}

impl Question for Known {
    type Answer = Vec<String>;
    const PATH: &'static str = "audit.known";

    fn view(&self) -> View {
        View::Audit
    }

    fn answer(&self, views: &Views) -> Result<Vec<String>, Error> {
        let store = views.slot(View::Audit).store();
        let table = columns::table(&self.account);
        let mut known = Vec::new();
        for id in &self.ids {
            for origin in ORIGINS {
                if store.rows().by_id(&table, &row::id_in_table(id, origin))?.is_some() {
                    known.push(id.clone());
                    break;
                }
            }
        }
        Ok(known)
    }
}

/// The types of an account's events, by group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Catalog {
    /// Whose.
    pub account: AccountId,
}

impl Question for Catalog {
    type Answer = BTreeMap<String, BTreeSet<String>>;
    const PATH: &'static str = "audit.catalog";

    fn view(&self) -> View {
        View::Audit
    }

    fn answer(&self, views: &Views) -> Result<Self::Answer, Error> {
        let mut catalog = Self::Answer::new();
        for entry in views.slot(View::Audit).store().scan(&key::prefix(&self.account, CATALOG)) {
            let (group, event_type): (String, String) = postcard::from_bytes(&entry?.1)?;
            catalog.entry(group).or_default().insert(event_type);
        }
        Ok(catalog)
    }
}

/// Fills in the actor's name and address where the event has none and the directory does.
fn fill_in(event: &mut Event, names: &impl Names) {
    let given = &mut event.given;
    if given.actor_name.is_some() && given.actor_email.is_some() {
        return;
    }
    let Some(known) = given.actor_id.as_deref().and_then(|id| names.entry(Kind::User, id)) else { return };
    given.actor_name = given.actor_name.take().or(known.name);
    given.actor_email = given.actor_email.take().or(known.email);
}
