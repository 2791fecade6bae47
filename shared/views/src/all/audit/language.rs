//! What the columns of audit events know of a filter of the language: a symbol is judged as an event that says nothing else.

use std::rc::Rc;
use std::sync::Arc;

use model::audit::Event;
use model::filter::{Audit, AuditField, Family, Pattern, Piece, Wanted};
use model::log::AccountId;
use segments::{Predicate, TimeRange};

use super::row::{
    ACTION, ACTOR, ACTOR_ID, ADDRESS, MACHINE, ORIGINS, PAYLOAD, RESOURCE, RESOURCE_ID, RESOURCE_TYPE, SESSION,
    SESSION_ID, VM_ID, id_in_table, part, position, text,
};
use super::wanted::{in_network, is_found};
use crate::all::directory::Directory;
use crate::error::Error;
use crate::key::table;
use crate::lists::bounds::{self, Bounds};
use crate::lists::valued::{Take, Valued, take_values};
use crate::store::Store;

/// The columns of an account's events.
pub(super) struct Columns<'a> {
    store: Arc<Store>,
    directory: Directory<'a>,
    account: &'a AccountId,
}

impl<'a> Columns<'a> {
    pub(super) fn new(store: Arc<Store>, directory: Directory<'a>, account: &'a AccountId) -> Self {
        Self { store, directory, account }
    }
}

impl bounds::Columns<Audit> for Columns<'_> {
    fn field(&self, field: AuditField, wanted: &Wanted) -> Result<Bounds, Error> {
        match Audit::describe(field).name {
            "id" => return self.by_id(wanted),
            "ip" => return Ok(Bounds::at_least(self.judged(field, wanted, ADDRESS)?)),
            "payload" | "meta" => return Ok(Bounds::at_most(mentioned(wanted))),
            _ => {}
        }
        let Some(column) = column(field) else { return Ok(Bounds::unknown()) };
        self.judged(field, wanted, column).map(Bounds::Exact)
    }

    fn word(&self, pattern: &Pattern) -> Result<Bounds, Error> {
        if let Some(needle) = pattern.as_part() {
            return Ok(Bounds::Exact(is_found(needle, self.directory.search(Some(needle))?)));
        }
        let mut any = Vec::new();
        for column in [ACTION, ACTOR, RESOURCE] {
            let pattern = pattern.clone();
            let fits = move |event: &Event| Audit::is_any_text(event, &mut |text| pattern.fits(&text.to_lowercase()));
            any.push(Bounds::Exact(self.matching(column, None, fits)?));
        }
        any.push(Bounds::at_most(with_texts(texts_of(pattern))));
        Ok(Bounds::any(any))
    }
}

/// The column that all values of a field stand in; none: they stand in several, or in none.
pub(super) fn column(field: AuditField) -> Option<usize> {
    Some(match Audit::describe(field).name {
        "activity" | "event_type" | "event_group" | "status" | "operation" | "response" => ACTION,
        "actor" | "actor_type" | "actor_id" | "actor_name" | "actor_email" | "name" | "email" | "user_id"
        | "user_name" => ACTOR,
        "resource" | "resource_type" | "resource_id" => RESOURCE,
        "ip_address" => ADDRESS,
        "vm" => MACHINE,
        "session" => SESSION,
        _ => return None,
    })
}

/// The number of a field whose values are what its symbols say of it, and nothing else: there may be very many.
fn alone(field: AuditField) -> Option<u8> {
    match Audit::describe(field).name {
        "actor_id" => Some(ACTOR_ID),
        "resource_type" => Some(RESOURCE_TYPE),
        "resource_id" => Some(RESOURCE_ID),
        "vm" => Some(VM_ID),
        "session" => Some(SESSION_ID),
        _ => None,
    }
}

/// Where the values of a field stand, with the directory's names.
///
/// # Errors
/// When they stand in no column.
pub(super) fn valued<'a>(field: AuditField, directory: Rc<Directory<'a>>) -> Result<Valued<'a>, Error> {
    let column = column(field).ok_or(Error::Damaged("a facet"))?;
    if let Some(number) = alone(field) {
        let values = move |symbol: &[u8], _: &[u8], take: Take<'_>| {
            if let Some(own) = text(symbol, number)?.filter(|own| !own.is_empty()) {
                take(own);
            }
            Ok(())
        };
        return Ok(Valued { column, beside: None, values: Box::new(values) });
    }
    let values = move |symbol: &[u8], _: &[u8], take: Take<'_>| {
        let mut event = part(column, symbol)?;
        if column == ACTOR {
            event.fill_in(&*directory);
        }
        take_values::<Audit>(field, &event, take);
        Ok(())
    };
    Ok(Valued { column, beside: None, values: Box::new(values) })
}

impl Columns<'_> {
    /// The events of which a column's symbol has a wanted value of a field.
    fn judged(&self, field: AuditField, wanted: &Wanted, column: usize) -> Result<Predicate, Error> {
        if let Wanted::Address(network, port) = wanted {
            return Ok(in_network(network, *port));
        }
        let key = match Audit::describe(field).name {
            "actor_id" | "resource_id" | "vm" | "session" => literal(wanted),
            _ => None,
        };
        let wanted = wanted.clone();
        let has = move |event: &Event| Audit::is_any_value(field, event, &mut |value| wanted.is(value));
        self.matching(column, key, has)
    }

    /// The events of which `wants` says yes to the part that stands in a column, with the directory's names; where it
    /// says yes to symbols of one key alone, they are looked up by that.
    fn matching(
        &self,
        column: usize,
        key: Option<&str>,
        wants: impl Fn(&Event) -> bool + Send + Sync + 'static,
    ) -> Result<Predicate, Error> {
        // No id is in the directory alone.
        let names = if column == ACTOR && key.is_none() { self.directory.snapshot()? } else { None };
        let wants = move |symbol: &[u8]| {
            let Ok(mut event) = part(column, symbol) else { return false };
            if let Some(names) = &names {
                event.fill_in(names);
            }
            wants(&event)
        };
        Ok(match key {
            Some(key) => Predicate::keyed(column, key, wants),
            None => Predicate::matching(column, wants),
        })
    }

    /// What is known of an id as it is written is the time of its events.
    fn by_id(&self, wanted: &Wanted) -> Result<Bounds, Error> {
        let Some(id) = literal(wanted) else { return Ok(Bounds::unknown()) };
        let mut times = Vec::new();
        for origin in ORIGINS {
            if let Some(row) = self.store.rows().by_id(&table(self.account), &id_in_table(id, origin))? {
                let time = Some(position(&row)?.time.micros());
                times.push(Predicate::Time(TimeRange { from: time, to: time }));
            }
        }
        Ok(Bounds::at_most(Predicate::Any(times)))
    }
}

/// The text that an id must be.
fn literal(wanted: &Wanted) -> Option<&str> {
    match wanted {
        Wanted::Text(text) => text.exact.as_literal(),
        Wanted::Present | Wanted::Number(_) | Wanted::Time(_) | Wanted::Address(..) | Wanted::Inside(..) => None,
    }
}

/// The events that have, somewhere in their JSON, the names of a path and the texts of what is wanted at its end.
fn mentioned(wanted: &Wanted) -> Predicate {
    let Wanted::Inside(path, wanted) = wanted else { return Predicate::everything() };
    let names = path.iter().filter(|name| is_plain(name)).map(|name| format!("\"{}\":", name.to_ascii_lowercase()));
    let mut texts: Vec<String> = names.collect();
    if let Wanted::Text(text) = &**wanted {
        texts.extend(texts_of(&text.lower).filter(|text| is_plain(text)).map(str::to_owned));
    }
    with_texts(texts)
}

/// The events whose JSON has all of some texts, which are in lower case.
fn with_texts(texts: impl IntoIterator<Item = impl Into<Vec<u8>>>) -> Predicate {
    let has = |text: _| Predicate::Text { column: PAYLOAD, needle: Into::into(text) };
    Predicate::All(texts.into_iter().map(has).collect())
}

/// Whether a text stands in JSON as it is: nothing in it is escaped there, and its case does not follow from what is next
/// to it.
fn is_plain(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'"' | b'\\'))
}

fn texts_of(pattern: &Pattern) -> impl Iterator<Item = &str> {
    pattern.pieces().iter().filter_map(|piece| match piece {
        Piece::Text(text) => Some(text.as_str()),
        Piece::Any | Piece::One => None,
    })
}
