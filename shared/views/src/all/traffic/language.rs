//! What the columns of traffic records know of a filter of the language: a symbol is judged as a record that says nothing
//! else.
//!
//! The address of an end stands in two columns, host and port; only the directory's, which stands in for one that is
//! missing, is whole.

use std::sync::Arc;

use model::address::{IpNet, places_of, split_port};
use model::filter::{Family, FieldValue, Pattern, Quantity, Traffic, TrafficField, Wanted};
use model::log::AccountId;
use model::traffic::Record;
use segments::{Predicate, TimeRange, Wanted as Symbols, Wants};

use super::numbers;
use super::row::{
    self, DESTINATION, End, FROM, POLICY, PROTOCOL, REPORTER, SOURCE, TO, TRAITS, USER, filled_in, part, port, protocol,
};
use super::wanted::{across_port, is_found};
use crate::all::directory::{Directory, Snapshot};
use crate::error::Error;
use crate::key::table;
use crate::lists::bounds::{self, Bounds};
use crate::store::Store;

/// The columns of an account's records.
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

impl bounds::Columns<Traffic> for Columns<'_> {
    fn field(&self, field: TrafficField, wanted: &Wanted) -> Result<Bounds, Error> {
        if let Some(measure) = numbers::measure(field) {
            return Ok(Bounds::Exact(bounds::measured(measure, wanted)));
        }
        let any = match Traffic::describe(field).name {
            "id" => return self.by_id(wanted),
            "src" | "source" => self.at_ends(field, wanted, &[FROM])?,
            "dst" | "destination" => self.at_ends(field, wanted, &[TO])?,
            "ip" => self.at_ends(field, wanted, &[FROM, TO])?,
            "sport" => self.at_ports(field, wanted, &[FROM])?,
            "dport" => self.at_ports(field, wanted, &[TO])?,
            "port" => self.at_ports(field, wanted, &[FROM, TO])?,
            "type" | "direction" | "connection" => self.judged(field, wanted, &[TRAITS])?,
            "protocol" => self.judged(field, wanted, &[PROTOCOL])?,
            "reporter" => self.judged(field, wanted, &[REPORTER])?,
            "country" => self.judged(field, wanted, &[SOURCE, DESTINATION])?,
            "name" => self.judged(field, wanted, &[SOURCE, DESTINATION, USER, POLICY])?,
            name => match name.split('.').next() {
                Some("source") => self.judged(field, wanted, &[SOURCE])?,
                Some("destination") => self.judged(field, wanted, &[DESTINATION])?,
                Some("user") => self.judged(field, wanted, &[USER])?,
                Some("policy") => self.judged(field, wanted, &[POLICY])?,
                // It has no column.
                Some(_) | None => return Ok(Bounds::unknown()),
            },
        };
        Ok(Bounds::Exact(Predicate::Any(any)))
    }

    fn word(&self, pattern: &Pattern) -> Result<Bounds, Error> {
        if let Some(needle) = pattern.as_part() {
            return Ok(Bounds::Exact(is_found(needle, self.directory.search(Some(needle))?)));
        }
        let names = self.directory.snapshot()?;
        let fits = {
            let pattern = pattern.clone();
            move |record: &Record<&str>| Traffic::is_any_text(record, &mut |text| pattern.fits(&text.to_lowercase()))
        };
        let ends = {
            let pattern = pattern.clone();
            let wants_host = move |host: &str| pattern.fits(&host.to_lowercase());
            Symbols::Matching(ends_that(SOURCE, names.clone(), fits.clone(), wants_host))
        };
        let mut any = vec![Predicate::Symbol { column: USER, wanted: matching(USER, names, fits) }];
        any.extend([FROM, TO].map(|(host, _)| Predicate::Symbol { column: host, wanted: ends.clone() }));
        any.extend(across_port(pattern, &[FROM, TO]));
        Ok(Bounds::Exact(Predicate::Any(any)))
    }
}

impl Columns<'_> {
    /// The records that have a wanted value of a field in one of these columns.
    fn judged(&self, field: TrafficField, wanted: &Wanted, columns: &[usize]) -> Result<Vec<Predicate>, Error> {
        let has = has_value(field, wanted);
        let key = match Traffic::describe(field).name {
            "source.id" | "destination.id" | "user.id" => literal(wanted),
            _ => None,
        };
        if let (Some(key), [column]) = (key, columns) {
            // No id is in the directory alone.
            let column = *column;
            let has_it = move |symbol: &[u8]| part(column, symbol).is_ok_and(|record| has(&record));
            return Ok(vec![Predicate::keyed(column, key, has_it)]);
        }
        let names = if columns.iter().any(|column| [SOURCE, DESTINATION, USER, POLICY].contains(column)) {
            self.directory.snapshot()?
        } else {
            None
        };
        let one = |column: &usize| {
            let wanted = matching(*column, names.clone(), has.clone());
            Predicate::Symbol { column: *column, wanted }
        };
        Ok(columns.iter().map(one).collect())
    }

    /// The records of which one of these ends has a wanted value of a field that addresses are among.
    fn at_ends(&self, field: TrafficField, wanted: &Wanted, ends: &[End]) -> Result<Vec<Predicate>, Error> {
        if let Wanted::Address(network, port) = wanted {
            return self.in_network(field, wanted, (network, *port), ends);
        }
        let names = self.directory.snapshot()?;
        let mut any = of_each(ends, |column| {
            let address = wanted.clone();
            let is_it = move |host: &str| address.is(FieldValue::Address(host, None));
            Symbols::Matching(ends_that(column, names.clone(), has_value(field, wanted), is_it))
        });
        if let Wanted::Text(text) = wanted {
            any.extend(across_port(&text.lower, ends));
        }
        Ok(any)
    }

    /// The records of which one of these ends has an address in a network, with this port, if one is wanted.
    fn in_network(
        &self,
        field: TrafficField,
        wanted: &Wanted,
        (network, port): (&IpNet, Option<u16>),
        ends: &[End],
    ) -> Result<Vec<Predicate>, Error> {
        let own = Symbols::Within { ranges: places_of(network), wants: None };
        let with_port = |(host, own_port): &End| {
            let own = Predicate::Symbol { column: *host, wanted: own.clone() };
            match port {
                Some(number) => Predicate::All(vec![Predicate::is(*own_port, protocol(Some(number))), own]),
                None => own,
            }
        };
        let mut any: Vec<Predicate> = ends.iter().map(with_port).collect();
        let Some(names) = self.directory.snapshot()? else { return Ok(any) };
        let keys: Vec<Vec<u8>> = names
            .ends_with_address(|address| {
                let (host, port) = split_port(address);
                wanted.is(FieldValue::Address(host, port))
            })?
            .into_iter()
            .map(String::into_bytes)
            .collect();
        if !keys.is_empty() {
            any.extend(of_each(ends, |column| {
                let wants = ends_that(column, Some(names.clone()), has_value(field, wanted), |_| false);
                Symbols::Keyed { keys: keys.clone(), wants }
            }));
        }
        Ok(any)
    }

    /// The records of which one of these ends has a wanted port.
    fn at_ports(&self, field: TrafficField, wanted: &Wanted, ends: &[End]) -> Result<Vec<Predicate>, Error> {
        let mut any = Vec::new();
        let number = wanted.clone();
        let is_it = move |port: u16| number.is(FieldValue::Number(Quantity::from(u64::from(port))));
        let ports = Symbols::Matching(Arc::new(move |symbol: &[u8]| port(symbol).is_some_and(&is_it)));
        for (_, port) in ends {
            any.push(Predicate::Symbol { column: *port, wanted: ports.clone() });
        }
        let names = self.directory.snapshot()?;
        if names.is_some() {
            any.extend(of_each(ends, |column| {
                Symbols::Matching(ends_that(column, names.clone(), has_value(field, wanted), |_| false))
            }));
        }
        Ok(any)
    }

    /// What is known of an id as it is written is the time of its record.
    fn by_id(&self, wanted: &Wanted) -> Result<Bounds, Error> {
        let Some(text) = literal(wanted) else { return Ok(Bounds::unknown()) };
        let nothing = || Ok(Bounds::Exact(Predicate::nothing()));
        let Some(id) = row::id_in_table(text) else { return nothing() };
        let Some(row) = self.store.rows().by_id(&table(self.account), &id)? else { return nothing() };
        let time = Some(row::read(&row)?.time().micros());
        Ok(Bounds::at_most(Predicate::Time(TimeRange { from: time, to: time })))
    }
}

/// Says whether a record has a wanted value of a field.
fn has_value(
    field: TrafficField,
    wanted: &Wanted,
) -> impl Fn(&Record<&str>) -> bool + Clone + Send + Sync + 'static + use<> {
    let wanted = wanted.clone();
    move |record| Traffic::is_any_value(field, record, &mut |value| wanted.is(value))
}

/// The symbols of a column that `wants` says yes to, with the directory's names.
fn matching(
    column: usize,
    names: Option<Snapshot>,
    wants: impl Fn(&Record<&str>) -> bool + Send + Sync + 'static,
) -> Symbols {
    Symbols::Matching(Arc::new(move |symbol: &[u8]| {
        let Ok(record) = part(column, symbol) else { return false };
        match &names {
            Some(names) => wants(&filled_in(&record, names).with_texts(AsRef::as_ref)),
            None => wants(&record),
        }
    }))
}

/// The same of ends. An address of their own, which is whole only with its port, is left to `wants_host`.
fn ends_that(
    column: usize,
    names: Option<Snapshot>,
    wants: impl Fn(&Record<&str>) -> bool + Send + Sync + 'static,
    wants_host: impl Fn(&str) -> bool + Send + Sync + 'static,
) -> Arc<Wants> {
    Arc::new(move |symbol: &[u8]| {
        let Ok(own) = part(column, symbol) else { return false };
        let address = if column == SOURCE { own.given.source.address } else { own.given.destination.address };
        if address.is_some_and(&wants_host) {
            return true;
        }
        let filled = names.as_ref().map(|names| filled_in(&own, names));
        let mut record = filled.as_ref().map_or(own, |filled| filled.with_texts(AsRef::as_ref));
        if address.is_some() {
            let given = &mut record.given;
            let end = if column == SOURCE { &mut given.source } else { &mut given.destination };
            end.address = None;
        }
        wants(&record)
    })
}

/// What is wanted of each of some ends. What is asked of both is the same of each, so that an end is judged once.
fn of_each(ends: &[End], symbols: impl Fn(usize) -> Symbols) -> Vec<Predicate> {
    let wanted = match ends {
        [(host, _)] => symbols(*host),
        _ => symbols(SOURCE),
    };
    ends.iter().map(|(host, _)| Predicate::Symbol { column: *host, wanted: wanted.clone() }).collect()
}

/// The text that an id must be.
fn literal(wanted: &Wanted) -> Option<&str> {
    match wanted {
        Wanted::Text(text) => text.exact.as_literal(),
        Wanted::Present | Wanted::Number(_) | Wanted::Time(_) | Wanted::Address(..) | Wanted::Inside(..) => None,
    }
}
