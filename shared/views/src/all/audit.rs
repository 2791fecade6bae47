//! The audit view: every audit event once, newest first. Integration and access events are audit events too.

mod catalog;
mod language;
mod row;
mod wanted;

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::rc::Rc;

use model::audit::{Event, Filter};
use model::erasure::Erasures;
use model::filter::{self, AuditField, Node};
use model::log::{AccountId, Stream};
use model::paging::{Period, RowPosition};
use segments::{Instead, Measure, NewRow, Predicate, Row, Writer};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::directory::Directory;
use crate::canonical;
use crate::error::Error;
use crate::key;
use crate::lists::bounds::{self, Bounds};
use crate::lists::columns;
use crate::lists::{self, Effort, Family, Valued};
use crate::logged::Logged;
use crate::question::{Asked, Question, Views};
use crate::store::{Batch, Layout};
use crate::view::{DumpAs, DumpParts, Facts, Refused, View};
use crate::watch::{Log, Seen, Watch, given};

/// The view.
pub const VIEW: View = View::of(&Facts {
    name: "audit",
    streams: &[Stream::Audit, Stream::Integration, Stream::Access],
    owns_dead_letters_of: &[Stream::Audit],
    layout: Layout {
        format: || row::format().wrapping_add(catalog::FORMAT),
        schema: row::SCHEMA,
        forgets_with: Some(Stream::Audit),
        keeps_forever: Some(keeps_forever),
        erase: Some(|store, account, erasures| store.erase_rows(account, erasures, without)),
    },
    draft: Some(draft),
    project,
    dump: DumpAs::Columns(DumpParts {
        row: |row| canonical::of(&row::read(row)?),
        position: columns::position_of::<Audit>,
        others: catalog::dump,
    }),
});

pub use catalog::{CatalogPage, accounts_beyond};

pub(super) const QUESTIONS: &[Asked] = &[
    Asked::of::<List>(),
    Asked::of::<ById>(),
    Asked::of::<Known>(),
    Asked::of::<Catalog>(),
    Asked::of::<Facets>(),
    Asked::of::<Histogram>(),
    Asked::of::<Export>(),
];

/// Audit events, newest first.
pub type List = lists::List<Audit>;
/// All audit events that match, some at a time.
pub type Export = lists::Export<Audit>;
/// How many audit events match, by the values of fields.
pub type Facets = lists::Facets<Audit>;
/// How many audit events match, by time.
pub type Histogram = lists::Histogram<Audit>;

/// An event's row where it is not known yet.
fn draft(logged: Logged<'_>, put: &mut dyn FnMut(NewRow<'_>)) -> Result<(), Error> {
    let Some(event) = logged.event.as_audit() else { return Ok(()) };
    row::write(&event, origin(logged.position.stream), |row| {
        put(row);
        Ok(())
    })
}

/// Takes an event in; one whose id is known already changes nothing.
fn project(batch: &mut Batch, logged: Logged<'_>) -> Result<(), Refused> {
    let Some(mut event) = logged.event.as_audit() else { return Ok(()) };
    let erasures = batch.erasures(logged.account)?;
    // Made without a thought of who is erased.
    let draft = logged.draft.filter(|_| erasures.is_none());
    if let Some(erasures) = erasures {
        erasures.erase_audit(event.to_mut());
    }
    // Ids are unique within a stream only. Were an event of one stream refused for one of another with the same id, it
    // would depend on which of the two was read first, and a rebuild may read them the other way round.
    let origin = origin(logged.position.stream);
    let id = row::id_in_table(&event.id, origin);
    let table = key::table(logged.account);
    let found = batch.rows().find(&table, &id).map_err(Error::from)?;
    if let Some(known) = &found.row {
        if row::read(known)?.says_the_same_as(&event) {
            return Ok(());
        }
        return Err(Refused::DeadLetter("id: is known already, with other content; the first stands".to_owned()));
    }
    let put = |row: NewRow<'_>| Ok(batch.rows().put(&table, &found, row)?);
    match draft {
        Some(draft) => draft.write(put),
        None => row::write(&event, origin, put),
    }?;
    Ok(catalog::add(batch, logged, &event)?)
}

/// Takes persons out of a row.
fn without(rows: &mut Writer, table: &[u8], row: &Row, erasures: &Erasures) -> Result<bool, Error> {
    let mut event = row::read(row)?;
    if !erasures.erase_audit(&mut event) {
        return Ok(false);
    }
    let origin = row::origin(row)?;
    let found = rows.find(table, &row::id_in_table(&event.id, origin))?;
    row::write(&event, origin, |row| Ok(rows.put(table, &found, row)?))?;
    Ok(true)
}

/// The stream that a row came from.
pub(super) fn stream(row: &Row) -> Result<Stream, Error> {
    let own = row::origin(row)?;
    let streams = [Stream::Audit, Stream::Integration, Stream::Access];
    streams.into_iter().find(|stream| origin(*stream) == own).ok_or(Error::Damaged("an origin"))
}

/// The event of a row.
pub(super) fn event(row: &Row) -> Result<Event, Error> {
    row::read(row)
}

fn origin(stream: Stream) -> u8 {
    match stream {
        Stream::Audit => 0,
        Stream::Integration => 1,
        Stream::Access => 2,
        Stream::Traffic | Stream::Directory | Stream::Search | Stream::Delivery | Stream::DeadLetter => 3,
    }
}

/// Whether the row with an id is from a stream that is never forgotten.
fn keeps_forever(id: &[u8]) -> bool {
    id.last() != Some(&origin(Stream::Audit))
}

/// The family of lists of audit events.
#[derive(Clone, Debug)]
pub struct Audit;

impl Family for Audit {
    const VIEW: View = VIEW;
    const LOG: Log = Log::Audit;
    const LIST: &'static str = "audit.list";
    const EXPORT: &'static str = "audit.export";
    const FACETS: &'static str = "audit.facets";
    const PAIRS: &'static str = "audit.pairs";
    const HISTOGRAM: &'static str = "audit.histogram";
    const MEASURES: &'static [(&'static str, Measure)] = &[];

    type Filter = Filter;
    type Language = filter::Audit;
    type Shown = Event;

    fn period(filter: &Filter) -> Period {
        filter.period
    }

    /// Records of reads are shown where they are asked for by their type or group.
    fn beside<'a>(filter: &'a Filter, asked: &filter::Filter<filter::Audit>) -> Cow<'a, Filter> {
        if asked.asks_by(&["activity", "event_type", "event_group"]) {
            Cow::Owned(Filter { include_reads: true, ..filter.clone() })
        } else {
            Cow::Borrowed(filter)
        }
    }

    fn effort(filter: &Filter) -> Effort {
        if filter.search.is_some() || filter.user_name.is_some() {
            return Effort::Searching;
        }
        // That reads are left out makes no row looked at: they are counted by their types.
        let is_of_all =
            *filter == Filter { period: filter.period, include_reads: filter.include_reads, ..Filter::default() };
        if is_of_all { Effort::Counting } else { Effort::Looking }
    }

    fn predicate(views: &Views, account: &AccountId, filter: &Filter) -> Result<Predicate, Error> {
        let directory = Directory::new(views, account);
        let found = directory.search(filter.search.as_deref())?;
        let shown_as = directory.shown_as(filter.user_name.as_deref())?;
        Ok(wanted::predicate(filter, found, shown_as))
    }

    fn bounds(views: &Views, account: &AccountId, parts: &[&Node<filter::Audit>]) -> Result<Bounds, Error> {
        let columns = language::Columns::new(views.slot(VIEW).store(), Directory::new(views, account), account);
        Ok(Bounds::all(parts.iter().map(|part| bounds::of(part, &columns)).collect::<Result<_, _>>()?))
    }

    fn wants(filter: &filter::Filter<filter::Audit>, event: &Event) -> Result<bool, Error> {
        Ok(filter.matches(event))
    }

    fn position(row: &Row) -> Result<RowPosition, Error> {
        row::position(row)
    }

    fn id_in_table(id: &str) -> Vec<u8> {
        row::id_of_position(id)
    }

    fn show(views: &Views, account: &AccountId, rows: Vec<Row>) -> Result<Vec<Event>, Error> {
        let directory = Directory::new(views, account);
        let named = |row: &Row| {
            let mut event = row::read(row)?;
            event.fill_in(&directory);
            Ok(event)
        };
        rows.iter().map(named).collect()
    }

    /// No two events are about the same.
    fn told_once(rows: &[Row]) -> Result<Instead, Error> {
        rows.iter().map(|row| Ok((columns::position_of::<Self>(row)?.id, Box::default()))).collect()
    }

    fn is_facet(field: AuditField) -> bool {
        language::column(field).is_some()
    }

    fn valued<'a>(views: &Views, account: &'a AccountId, fields: &[AuditField]) -> Result<Vec<Valued<'a>>, Error> {
        let directory = Rc::new(Directory::new(views, account));
        let valued = |field: &AuditField| language::valued(*field, directory.clone());
        fields.iter().map(valued).collect()
    }
}

/// One audit event; none when the account has no event of this id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ById {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// The event's id.
    pub id: String,
}

impl Question for ById {
    type Answer = Option<Event>;
    const PATH: &'static str = "audit.by_id";
    const WATCH: Option<Watch<Self, Self::Answer>> = Some(Watch {
        log: Log::Audit,
        filter: |question| given(&json!({ "id": question.id })),
        seen: |answer| Seen::all(answer.iter().count()),
    });

    fn view(&self) -> View {
        VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answers_inline(&self, views: &Views) -> bool {
        // The first look at an account, or at an id after long, reads from disk.
        let (store, table) = (views.slot(VIEW).store(), key::table(&self.account));
        let is_ready = |origin| store.rows().is_ready_for_id(&table, &row::id_in_table(&self.id, origin));
        row::ORIGINS.into_iter().all(is_ready)
    }

    fn answer(&self, views: &Views) -> Result<Option<Event>, Error> {
        let store = views.slot(VIEW).store();
        for origin in row::ORIGINS {
            let id = row::id_in_table(&self.id, origin);
            let Some(row) = store.rows().by_id(&key::table(&self.account), &id)? else { continue };
            let mut event = row::read(&row)?;
            event.fill_in(&Directory::new(views, &self.account));
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
    // Asked by an importer about what it is about to write, not by a reader of the log.
    const WATCH: Option<Watch<Self, Self::Answer>> = None;

    fn view(&self) -> View {
        VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answer(&self, views: &Views) -> Result<Vec<String>, Error> {
        let store = views.slot(VIEW).store();
        let table = key::table(&self.account);
        let mut known = Vec::new();
        for id in &self.ids {
            for origin in row::ORIGINS {
                if store.rows().by_id(&table, &row::id_in_table(id, origin))?.is_some() {
                    known.push(id.clone());
                    break;
                }
            }
        }
        Ok(known)
    }
}

/// The types of an account's events, by group, some at a time.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Catalog {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// The group and the type before the first.
    pub after: Option<(String, String)>,
    /// How many at most.
    pub limit: usize,
}

impl Question for Catalog {
    type Answer = CatalogPage;
    const PATH: &'static str = "audit.catalog";
    const WATCH: Option<Watch<Self, Self::Answer>> = Some(Watch {
        log: Log::Audit,
        filter: |_| json!({}),
        seen: |answer| Seen::all(answer.types.values().map(BTreeSet::len).sum()),
    });

    fn view(&self) -> View {
        VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answer(&self, views: &Views) -> Result<CatalogPage, Error> {
        catalog::page(&views.slot(VIEW).store(), &self.account, self.after.as_ref(), self.limit)
    }
}
