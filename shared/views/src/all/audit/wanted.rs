//! The audit filter as a predicate on columns.

use std::sync::Arc;

use model::address::{IpNet, as_stored, canonical_host, network_of, places_of, split_port};
use model::audit::fields::Fields;
use model::audit::{Event, Filter, READS, ShownAs, is_read};
use model::directory::Named;
use segments::{Predicate, Wanted, Wants};

use super::row::{
    ACTION, ACTOR, ADDRESS, IP_ADDRESS, MACHINE, PAYLOAD, RESOURCE, RESOURCE_ID, RESOURCE_TYPE, SESSION, SESSION_ID,
    VM_ID, action, actor, text,
};

/// The rows that `filter` wants, its period aside. `found` holds the ids of the users in the directory whose name or
/// address matches the search: they count where the event itself names none. `shown_as` holds those whom the directory
/// shows under the wanted user name.
pub(crate) fn predicate(filter: &Filter, found: Named, shown_as: ShownAs) -> Predicate {
    let mut all = Vec::new();
    if let Some(predicate) = by_action(filter) {
        all.push(predicate);
    }
    if let Some(predicate) = by_actor(filter, shown_as) {
        all.push(predicate);
    }
    if filter.resource_type.is_some() || filter.resource_id.is_some() {
        let (kind, id) = (filter.resource_type.clone(), filter.resource_id.clone());
        let key = id.clone();
        let is_it = move |symbol: &[u8]| {
            let is =
                |wanted: Option<&str>, field| wanted.is_none() || text(symbol, field).is_ok_and(|own| own == wanted);
            is(kind.as_deref(), RESOURCE_TYPE) && is(id.as_deref(), RESOURCE_ID)
        };
        all.push(by_key(RESOURCE, key, is_it));
    }
    if let Some(wanted) = &filter.ip_address {
        all.push(by_address(wanted));
    }
    for (column, field, wanted) in [(MACHINE, VM_ID, &filter.vm_id), (SESSION, SESSION_ID, &filter.session_id)] {
        if let Some(wanted) = wanted.clone() {
            let key = wanted.clone();
            let is_it = move |symbol: &[u8]| text(symbol, field).is_ok_and(|own| own == Some(&*wanted));
            all.push(Predicate::keyed(column, key, is_it));
        }
    }
    if let Some(search) = &filter.search {
        all.push(is_found(&as_stored(search).to_lowercase(), found));
    }
    // Last, so that only the rows that all others leave are asked.
    if filter.hides_reads() && !asks_by_action(filter) {
        let reads = Predicate::keyed_by_any(ACTION, READS, |symbol: &[u8]| {
            action(symbol).is_ok_and(|event| is_read(&event.event_type))
        });
        all.push(Predicate::Not(Box::new(reads)));
    }
    Predicate::All(all)
}

fn is_none_or(wanted: Option<&str>, own: Option<&str>) -> bool {
    wanted.is_none() || wanted == own
}

/// Whether what was done, or how it ended, is asked for.
fn asks_by_action(filter: &Filter) -> bool {
    let texts = [&filter.event_group, &filter.status, &filter.operation, &filter.response];
    !filter.event_types.is_empty() || texts.into_iter().any(Option::is_some)
}

fn by_action(filter: &Filter) -> Option<Predicate> {
    if !asks_by_action(filter) {
        return None;
    }
    let hides_reads = filter.hides_reads();
    let Filter { event_types, event_group, status, operation, response, .. } = filter.clone();
    let types = event_types.clone();
    let is_it = move |event: &Event| {
        (types.is_empty() || types.contains(&event.event_type))
            && !(hides_reads && is_read(&event.event_type))
            && is_none_or(event_group.as_deref(), Some(event.event_group()))
            && is_none_or(status.as_deref(), Some(event.status()))
            && is_none_or(operation.as_deref(), Some(&event.operation()))
            && is_none_or(response.as_deref(), Some(event.response()))
    };
    let wants = move |symbol: &[u8]| action(symbol).is_ok_and(|event| is_it(&event));
    Some(if event_types.is_empty() {
        Predicate::matching(ACTION, wants)
    } else {
        Predicate::keyed_by_any(ACTION, event_types, wants)
    })
}

fn by_actor(filter: &Filter, shown_as: ShownAs) -> Option<Predicate> {
    let Filter { actor_id, user_id, user_name, .. } = filter.clone();
    if actor_id.is_none() && user_id.is_none() && user_name.is_none() {
        return None;
    }
    let key = actor_id.clone();
    let is_it = move |given: &Fields| {
        is_none_or(actor_id.as_deref(), given.actor_id.as_deref())
            && (user_id.is_none() || user_id == given.user_id.map(i128::from))
            && user_name.as_deref().is_none_or(|wanted| shown_as.is_shown(given, wanted))
    };
    Some(by_key(ACTOR, key, move |symbol: &[u8]| actor(symbol).is_ok_and(|given| is_it(&given))))
}

/// An address, one with a port, a network or a host's name: exactly, in any spelling.
fn by_address(wanted: &str) -> Predicate {
    let Some((network, port)) = network_of(wanted) else {
        let (name, key) = (wanted.to_lowercase(), canonical_host(split_port(wanted).0));
        let is_it = move |own: &str| own.to_lowercase() == name || split_port(own).0.to_lowercase() == name;
        return Predicate::keyed(ADDRESS, key, on_address(is_it));
    };
    in_network(&network, port)
}

/// The events whose address is in a network, with this port, if one is wanted.
pub(super) fn in_network(network: &IpNet, port: Option<u16>) -> Predicate {
    let has_port = |port| Arc::new(on_address(move |own| split_port(own).1 == Some(port))) as Arc<Wants>;
    let wanted = Wanted::Within { ranges: places_of(network), wants: port.map(has_port) };
    Predicate::Symbol { column: ADDRESS, wanted }
}

fn on_address(wants: impl Fn(&str) -> bool + Send + Sync + 'static) -> impl Fn(&[u8]) -> bool + Send + Sync + 'static {
    move |symbol: &[u8]| text(symbol, IP_ADDRESS).is_ok_and(|own| own.is_some_and(&wants))
}

/// The symbols that `wants` says yes to; where these have a key, they are looked up by it.
fn by_key(column: usize, key: Option<String>, wants: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Predicate {
    match key {
        Some(key) => Predicate::keyed(column, key, wants),
        None => Predicate::matching(column, wants),
    }
}

/// Activity, type, actor, resource, address or payload contain `needle`, which is in lower case.
pub(super) fn is_found(needle: &str, found: Named) -> Predicate {
    let payload = Predicate::Text { column: PAYLOAD, needle: needle.as_bytes().to_vec() };
    let address = Wanted::Containing(needle.as_bytes().to_vec());
    let needle: Arc<str> = needle.into();
    let contains = move |text: &str| text.to_lowercase().contains(&*needle);
    let (in_action, in_actor, in_resource) = (contains.clone(), contains.clone(), contains);
    Predicate::Any(vec![
        on_action(move |event| in_action(event.activity()) || in_action(&event.event_type)),
        on_actor(move |given| {
            let own = [&given.actor_id, &given.actor_name, &given.actor_email];
            own.into_iter().flatten().any(|text| in_actor(text)) || {
                let [id, name, email] = own.map(Option::as_deref);
                found.names_user(id, name, email)
            }
        }),
        Predicate::matching(RESOURCE, move |symbol| {
            text(symbol, RESOURCE_ID).is_ok_and(|id| id.is_some_and(&in_resource))
        }),
        Predicate::Symbol { column: ADDRESS, wanted: address },
        payload,
    ])
}

fn on_action(wants: impl Fn(&Event) -> bool + Send + Sync + 'static) -> Predicate {
    Predicate::matching(ACTION, move |symbol| action(symbol).is_ok_and(|event| wants(&event)))
}

fn on_actor(wants: impl Fn(&Fields) -> bool + Send + Sync + 'static) -> Predicate {
    Predicate::matching(ACTOR, move |symbol| actor(symbol).is_ok_and(|given| wants(&given)))
}
