//! The audit view: every audit event once, newest first. Integration and access events are audit events too.

use std::collections::{BTreeMap, BTreeSet};

use model::audit::{Event, Filter};
use model::directory::{Kind, Names};
use model::event::Event as Any;
use model::log::{AccountId, Stream};
use model::paging::{Page, RowPosition, Rows};
use model::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::directory::Directory;
use crate::row::{COUNT, List as RowList, row_key};
use crate::store::Batch;
use crate::{Error, Logged, Question, Refused, View, Views, key};

/// The kind of the keys that lead from an event id to its row's time.
const INDEX: u8 = b'i';
/// The kind of the keys that hold which groups and types of events there are.
pub(crate) const CATALOG: u8 = b'c';
/// Where ids are from, in the order in which they are looked up.
const ORIGINS: [u8; 3] = [0, 1, 2];

/// Takes an event in; one whose id is known already changes nothing.
pub(crate) fn project(batch: &mut Batch, logged: Logged<'_>) -> Result<(), Refused> {
    let event = match logged.event {
        Any::Audit(event) => event.clone(),
        Any::Integration(recorded) => Event::from(recorded),
        Any::Access(recorded) => Event::from(recorded),
        Any::Traffic(_) | Any::Directory { .. } | Any::Delivery(_) => return Ok(()),
    };
    // Ids are unique within a stream, so that the result does not depend on how the streams interleave.
    let origin = origin(logged.position.stream);
    let index = key::key(logged.account, INDEX, &[&[origin], event.id.as_bytes()]);
    let known_at: Option<Timestamp> = batch.row(&index)?;
    if let Some(time) = known_at {
        let known: Option<Event> = batch.row(&row_key(logged.account, time, &id_in_key(&event.id, origin)))?;
        return match known {
            Some(known) if !known.says_the_same_as(&event) => {
                Err(Refused::DeadLetter("id: is known already, with other content; the first stands".to_owned()))
            }
            Some(_) | None => Ok(()),
        };
    }
    batch.put(row_key(logged.account, event.time, &id_in_key(&event.id, origin)), &event)?;
    batch.put(index, &event.time)?;
    batch.count(key::prefix(logged.account, COUNT))?;
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

/// Ids hold no control characters, so the zero byte ends them and keys sort as the ids do.
fn id_in_key(id: &str, origin: u8) -> Vec<u8> {
    [id.as_bytes(), &[0, origin]].concat()
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

    fn answer(&self, views: &Views) -> Result<Rows<Event>, Error> {
        let directory = Directory::new(views, &self.account);
        let mut found = directory.search(self.filter.search.as_deref())?;
        found.shown_as = directory.shown_as(self.filter.user_name.as_deref())?;
        let list = RowList {
            store: &views.slot(View::Audit).store(),
            account: &self.account,
            period: self.filter.period,
            wants_all: self.filter.is_open(),
            wants: &|event: &Event| self.filter.matches(event, &found),
            position: &|event: &Event| RowPosition { time: event.time, id: event.id.clone() },
            id_in_key: &|id| id_in_key(id, 0),
        };
        let mut rows = list.page(&self.page)?;
        for event in &mut rows.rows {
            fill_in(event, &directory);
        }
        Ok(rows)
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

    fn answer(&self, views: &Views) -> Result<Option<Event>, Error> {
        let store = views.slot(View::Audit).store();
        for origin in ORIGINS {
            let index = key::key(&self.account, INDEX, &[&[origin], self.id.as_bytes()]);
            let Some(time) = store.row::<Timestamp>(&index)? else { continue };
            let row = row_key(&self.account, time, &id_in_key(&self.id, origin));
            let Some(mut event) = store.row::<Event>(&row)? else { continue };
            fill_in(&mut event, &Directory::new(views, &self.account));
            return Ok(Some(event));
        }
        Ok(None)
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
