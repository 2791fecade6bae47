//! The traffic filter as a predicate on columns.

use std::collections::HashSet;
use std::sync::Arc;

use model::address::as_stored;
use model::directory::Named as Found;
use model::filter::{Pattern, Piece};
use model::traffic::{Endpoint, Filter, User};
use segments::{Predicate, Wanted};

use super::row::{
    DESTINATION, End, FROM, PROTOCOL, REPORTER, SOURCE, TO, TRAITS, Traits, USER, host, port, protocol, user,
};
use crate::lists::columns;

/// The rows that `filter` wants, its period aside. `found` holds the ids in the directory that match the search: they
/// count where the record itself names none.
pub(crate) fn predicate(filter: &Filter, found: Found) -> Predicate {
    let mut all = Vec::new();
    if let Some(id) = filter.user_id.clone() {
        let key = id.clone();
        let has_id = move |symbol: &[u8]| user(symbol).is_ok_and(|user| user.id == Some(&id));
        all.push(Predicate::keyed(USER, key, has_id));
    }
    if let Some(reporter) = &filter.reporter_id {
        all.push(Predicate::is(REPORTER, reporter.as_bytes()));
    }
    for (column, id) in [(SOURCE, &filter.source_id), (DESTINATION, &filter.destination_id)] {
        if let Some(id) = id.clone() {
            let key = id.clone();
            let has_id = move |symbol: &[u8]| host(symbol).is_ok_and(|host| host.id == Some(&id));
            all.push(Predicate::keyed(column, key, has_id));
        }
    }
    if let Some(number) = filter.protocol {
        all.push(is_protocol(number));
    }
    let (event_type, connection, direction) = (filter.event_type, filter.connection, filter.direction);
    if event_type.is_some() || connection.is_some() || direction.is_some() {
        let fits = move |traits: &Traits| {
            event_type.is_none_or(|wanted| traits.has(wanted))
                && connection.is_none_or(|wanted| wanted == traits.connection)
                && direction.is_none_or(|wanted| wanted == traits.direction)
        };
        let fits = move |symbol: &[u8]| columns::read(symbol).is_ok_and(|traits| fits(&traits));
        all.push(Predicate::matching(TRAITS, fits));
    }
    if let Some(search) = &filter.search {
        all.push(is_found(&as_stored(search).to_lowercase(), found));
    }
    Predicate::All(all)
}

/// An unknown protocol is 0; a number that no protocol has matches nothing.
fn is_protocol(number: i64) -> Predicate {
    match u16::try_from(number) {
        Ok(0) => {
            Predicate::Any(vec![Predicate::is(PROTOCOL, protocol(Some(0))), Predicate::is(PROTOCOL, protocol(None))])
        }
        Ok(number) => Predicate::is(PROTOCOL, protocol(Some(number))),
        Err(_) => Predicate::Any(Vec::new()),
    }
}

fn by_user(wants: impl Fn(&User<&str>) -> bool + Send + Sync + 'static) -> Predicate {
    Predicate::matching(USER, move |symbol| user(symbol).is_ok_and(|user| wants(&user)))
}

/// Both endpoint columns share it, so that each endpoint is judged once.
fn endpoints(wants: impl Fn(&Endpoint<&str>) -> bool + Send + Sync + 'static) -> Wanted {
    Wanted::Matching(Arc::new(move |symbol| host(symbol).is_ok_and(|host| wants(&host))))
}

fn ports(wants: impl Fn(&str) -> bool + Send + Sync + 'static) -> Wanted {
    Wanted::Matching(Arc::new(move |symbol| port(symbol).is_some_and(|port| wants(&port.to_string()))))
}

/// User address, endpoint names and endpoint addresses contain `needle`, which is in lower case.
pub(super) fn is_found(needle: &str, found: Found) -> Predicate {
    let in_column = |column| Predicate::Symbol { column, wanted: Wanted::Containing(needle.as_bytes().to_vec()) };
    let mut any: Vec<Predicate> = [USER, SOURCE, DESTINATION].into_iter().map(in_column).collect();
    if !found.user_emails.is_empty() {
        let ids = found.user_emails;
        any.push(by_user(move |user| user.email.is_none() && user.id.is_some_and(|id| ids.contains(id))));
    }
    if !found.endpoint_names.is_empty() || !found.endpoint_addresses.is_empty() {
        let (names, addresses) = (found.endpoint_names, found.endpoint_addresses);
        let by_id = endpoints(move |endpoint| {
            let is_in = |ids: &HashSet<String>| endpoint.id.is_some_and(|id| ids.contains(id));
            (endpoint.name.is_none() && is_in(&names)) || (endpoint.address.is_none() && is_in(&addresses))
        });
        any.extend([SOURCE, DESTINATION].map(|column| Predicate::Symbol { column, wanted: by_id.clone() }));
    }
    any.extend(across_port(&Pattern::literal(needle).anywhere(), &[FROM, TO]));
    Predicate::Any(any)
}

/// The records whose address at one of these ends fits a pattern, which is in lower case, only with its port.
pub(super) fn across_port(pattern: &Pattern, ends: &[End]) -> Vec<Predicate> {
    let mut any = Vec::new();
    for (before, behind) in pattern.around(':') {
        // It fits the host alone, or no port.
        if before == *pattern || !may_fit_port(&behind) {
            continue;
        }
        let ports = ports(move |port| behind.fits(port));
        let hosts = (!before.is_any())
            .then(|| endpoints(move |end| end.address.is_some_and(|host| before.fits(&host.to_lowercase()))));
        any.extend(ends.iter().map(|(host, port)| {
            let of_host = hosts.iter().map(|hosts| Predicate::Symbol { column: *host, wanted: hosts.clone() });
            let of_port = Predicate::Symbol { column: *port, wanted: ports.clone() };
            Predicate::All(of_host.chain([of_port]).collect())
        }));
    }
    any
}

fn may_fit_port(pattern: &Pattern) -> bool {
    pattern.pieces().iter().all(|piece| match piece {
        Piece::Text(text) => text.len() <= 5 && text.bytes().all(|byte| byte.is_ascii_digit()),
        Piece::Any | Piece::One => true,
    })
}
