//! The traffic view: one row per record, folded from its reports in any order, newest first.

mod codec;
mod facet;
mod language;
mod numbers;
mod row;
pub(super) mod together;
mod wanted;

use std::borrow::Cow;
use std::rc::Rc;

use model::erasure::Erasures;
use model::event::Event;
use model::filter::{self, Node, TrafficField};
use model::log::{AccountId, Stream};
use model::paging::{Period, RowPosition};
use model::traffic::{Filter, Record, User, fields};
use segments::{Instead, Measure, NewRow, Predicate, Row, Writer};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::json;
use ulid::Ulid;

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
    name: "traffic",
    streams: &[Stream::Traffic],
    owns_dead_letters_of: &[Stream::Traffic],
    layout: Layout {
        format: fields::fingerprint,
        schema: row::SCHEMA,
        forgets_with: Some(Stream::Traffic),
        keeps_forever: None,
        erase: Some(|store, account, erasures| store.erase_rows(account, erasures, without)),
    },
    draft: Some(draft),
    project,
    dump: DumpAs::Columns(DumpParts {
        row: |row| canonical::of(&row::read(row)?),
        position: columns::position_of::<Traffic>,
        others: |_, _| Ok(Vec::new()),
    }),
});

pub(super) const QUESTIONS: &[Asked] = &[
    Asked::of::<List>(),
    Asked::of::<ById>(),
    Asked::of::<Facets>(),
    Asked::of::<Pairs>(),
    Asked::of::<Histogram>(),
    Asked::of::<Export>(),
];

/// Traffic records, newest first.
pub type List = lists::List<Traffic>;
/// All traffic records that match, some at a time.
pub type Export = lists::Export<Traffic>;
/// How many traffic records match, by the values of fields.
pub type Facets = lists::Facets<Traffic>;
/// How many traffic records match, by the values of two fields together.
pub type Pairs = lists::Pairs<Traffic>;
/// How many traffic records match, by time.
pub type Histogram = lists::Histogram<Traffic>;

/// A report's row where its record is not known yet.
fn draft(logged: Logged<'_>, put: &mut dyn FnMut(NewRow<'_>)) -> Result<(), Error> {
    let Event::Traffic(report) = logged.event else { return Ok(()) };
    row::write(&Record::from(report), |row| {
        put(row);
        Ok(())
    })
}

/// Folds a report into its record. Folding gives the same record in any order and any repetition, so a rebuild need not
/// read the log as it was read before.
fn project(batch: &mut Batch, logged: Logged<'_>) -> Result<(), Refused> {
    let Event::Traffic(report) = logged.event else { return Ok(()) };
    let erasures = batch.erasures(logged.account)?;
    // Made without a thought of who is erased.
    let draft = logged.draft.filter(|_| erasures.is_none());
    let mut report = Cow::Borrowed(report);
    if let Some(erasures) = &erasures {
        erasures.erase_traffic(&mut report.to_mut().data);
    }
    let (table, record) = (key::table(logged.account), || Record::from(&*report));
    let id = match draft {
        Some(draft) => Cow::Borrowed(draft.id()),
        None => Cow::Owned(record().key.id().to_bytes().to_vec()),
    };
    let found = batch.rows().find(&table, &id).map_err(Error::from)?;
    let Some(known) = &found.row else {
        let put = |row: NewRow<'_>| Ok(batch.rows().put(&table, &found, row)?);
        return Ok(match draft {
            Some(draft) => draft.write(put),
            None => row::write(&record(), put),
        }?);
    };
    let (mut record, known) = (record().owned(), row::read(known)?.owned());
    record.merge(&known);
    if let Some(erasures) = &erasures {
        // Only together they may say whom they are about.
        erasures.erase_traffic(&mut record.given);
    }
    if record != known {
        row::write(&record, |row| Ok(batch.rows().put(&table, &found, row)?))?;
    }
    Ok(())
}

/// Takes persons out of a row.
fn without(rows: &mut Writer, table: &[u8], row: &Row, erasures: &Erasures) -> Result<bool, Error> {
    let mut record = row::read(row)?.owned();
    if !erasures.erase_traffic(&mut record.given) {
        return Ok(false);
    }
    let found = rows.find(table, &record.key.id().to_bytes())?;
    row::write(&record, |row| Ok(rows.put(table, &found, row)?))?;
    Ok(true)
}

/// The user of a row.
pub(super) fn user(row: &Row) -> Result<User, Error> {
    Ok(row::read(row)?.owned().given.user)
}

/// A record of a list. It stays as it stands in the view until it is shown.
#[derive(Clone, Debug)]
pub struct Stored(Form);

#[derive(Clone, Debug)]
enum Form {
    Row(Row),
    /// With names out of the directory, or from another process.
    Record(Box<Record>),
}

impl Stored {
    /// What is shown.
    ///
    /// # Errors
    /// When the row cannot be read.
    pub fn record(&self) -> Result<Record<Cow<'_, str>>, Error> {
        match &self.0 {
            Form::Row(row) => row::read(row),
            Form::Record(record) => Ok(record.with_texts(|text| Cow::Borrowed(text.as_str()))),
        }
    }
}

/// A record that stands in no view, or not yet.
impl From<Record> for Stored {
    fn from(record: Record) -> Self {
        Self(Form::Record(Box::new(record)))
    }
}

impl Serialize for Stored {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.record().map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Stored {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(Form::Record(Box::deserialize(deserializer)?)))
    }
}

/// The family of lists of traffic records.
#[derive(Clone, Debug)]
pub struct Traffic;

impl Family for Traffic {
    const VIEW: View = VIEW;
    const LOG: Log = Log::Traffic;
    const LIST: &'static str = "traffic.list";
    const EXPORT: &'static str = "traffic.export";
    const FACETS: &'static str = "traffic.facets";
    const PAIRS: &'static str = "traffic.pairs";
    const HISTOGRAM: &'static str = "traffic.histogram";
    const MEASURES: &'static [(&'static str, Measure)] = &numbers::MEASURES;

    type Filter = Filter;
    type Language = filter::Traffic;
    type Shown = Stored;

    fn period(filter: &Filter) -> Period {
        filter.period
    }

    fn effort(filter: &Filter) -> Effort {
        if filter.search.is_some() {
            return Effort::Searching;
        }
        let is_of_all = *filter == Filter { period: filter.period, ..Filter::default() };
        if is_of_all { Effort::Counting } else { Effort::Looking }
    }

    fn predicate(views: &Views, account: &AccountId, filter: &Filter) -> Result<Predicate, Error> {
        let found = Directory::new(views, account).search(filter.search.as_deref())?;
        Ok(wanted::predicate(filter, found))
    }

    fn bounds(views: &Views, account: &AccountId, parts: &[&Node<filter::Traffic>]) -> Result<Bounds, Error> {
        let columns = language::Columns::new(views.slot(VIEW).store(), Directory::new(views, account), account);
        Ok(Bounds::all(parts.iter().map(|part| bounds::of(part, &columns)).collect::<Result<_, _>>()?))
    }

    fn wants(filter: &filter::Filter<filter::Traffic>, stored: &Stored) -> Result<bool, Error> {
        Ok(filter.matches(&stored.record()?))
    }

    fn position(row: &Row) -> Result<RowPosition, Error> {
        let record = row::read(row)?;
        Ok(RowPosition { time: record.time(), id: record.key.id().to_string() })
    }

    /// A text that is no id comes before all of them.
    fn id_in_table(id: &str) -> Vec<u8> {
        id.parse().map(|id: Ulid| id.to_bytes().to_vec()).unwrap_or_default()
    }

    fn show(views: &Views, account: &AccountId, rows: Vec<Row>) -> Result<Vec<Stored>, Error> {
        let directory = Directory::new(views, account);
        let named = |row: Row| {
            if directory.is_empty() {
                return Ok(Stored(Form::Row(row)));
            }
            let mut record = row::read(&row)?.owned();
            record.fill_in(&directory);
            Ok(Stored(Form::Record(Box::new(record))))
        };
        rows.into_iter().map(named).collect()
    }

    fn told_once(rows: &[Row]) -> Result<Instead, Error> {
        together::told_once(rows)
    }

    fn is_facet(field: TrafficField) -> bool {
        facet::column(field).is_some()
    }

    fn valued<'a>(views: &Views, account: &'a AccountId, fields: &[TrafficField]) -> Result<Vec<Valued<'a>>, Error> {
        let directory = Rc::new(Directory::new(views, account));
        let valued = |field: &TrafficField| facet::valued(*field, directory.clone());
        fields.iter().map(valued).collect()
    }
}

/// One traffic record; none when the account has no record of this id.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ById {
    /// From the token; never from a body or a parameter.
    pub account: AccountId,
    /// The record's id.
    pub id: String,
}

impl Question for ById {
    type Answer = Option<Stored>;
    const PATH: &'static str = "traffic.by_id";
    const WATCH: Option<Watch<Self, Self::Answer>> = Some(Watch {
        log: Log::Traffic,
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
        let (store, table) = (views.slot(VIEW).store(), key::table(&self.account));
        row::id_in_table(&self.id).is_none_or(|id| store.rows().is_ready_for_id(&table, &id))
    }

    fn answer(&self, views: &Views) -> Result<Option<Stored>, Error> {
        let Some(id) = row::id_in_table(&self.id) else { return Ok(None) };
        let row = views.slot(VIEW).store().rows().by_id(&key::table(&self.account), &id)?;
        Ok(Traffic::show(views, &self.account, row.into_iter().collect())?.pop())
    }
}
