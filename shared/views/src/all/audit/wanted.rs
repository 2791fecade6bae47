//! The audit filter as a predicate on columns.

use std::sync::Arc;

use model::address::as_stored;
use model::audit::fields::{Fields, number_of};
use model::audit::{Event, Filter, ShownAs};
use model::directory::Named;
use segments::Predicate;

use super::row::{
    ACTION, ACTOR, ADDRESS, IP_ADDRESS, MACHINE, PAYLOAD, RESOURCE, RESOURCE_ID, SESSION, SESSION_ID, VM_ID, action,
    actor, text,
};

const RESOURCE_TYPE: u8 = number_of("resource_type");

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
    let ip_address = filter.ip_address.as_deref().map(|address| as_stored(address).into_owned());
    let one_by_one = [
        (ADDRESS, IP_ADDRESS, &ip_address),
        (MACHINE, VM_ID, &filter.vm_id),
        (SESSION, SESSION_ID, &filter.session_id),
    ];
    for (column, field, wanted) in one_by_one {
        if let Some(wanted) = wanted.clone() {
            let key = wanted.clone();
            let is_it = move |symbol: &[u8]| text(symbol, field).is_ok_and(|own| own == Some(&*wanted));
            all.push(Predicate::keyed(column, key, is_it));
        }
    }
    if let Some(search) = &filter.search {
        all.push(is_found(&as_stored(search).to_lowercase(), found));
    }
    Predicate::All(all)
}

fn is_none_or(wanted: Option<&str>, own: Option<&str>) -> bool {
    wanted.is_none() || wanted == own
}

fn by_action(filter: &Filter) -> Option<Predicate> {
    let Filter { event_types, event_group, status, operation, response, .. } = filter.clone();
    let texts = [&event_group, &status, &operation, &response];
    if event_types.is_empty() && texts.iter().all(|text| text.is_none()) {
        return None;
    }
    Some(on_action(move |event| {
        (event_types.is_empty() || event_types.contains(&event.event_type))
            && is_none_or(event_group.as_deref(), Some(event.event_group()))
            && is_none_or(status.as_deref(), Some(event.status()))
            && is_none_or(operation.as_deref(), Some(&event.operation()))
            && is_none_or(response.as_deref(), Some(event.response()))
    }))
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

/// The symbols that `wants` says yes to; where these have a key, they are looked up by it.
fn by_key(column: usize, key: Option<String>, wants: impl Fn(&[u8]) -> bool + Send + Sync + 'static) -> Predicate {
    match key {
        Some(key) => Predicate::keyed(column, key, wants),
        None => Predicate::matching(column, wants),
    }
}

/// Activity, type, actor, resource or payload contain `needle`, which is in lower case.
pub(super) fn is_found(needle: &str, found: Named) -> Predicate {
    let payload = Predicate::Text { column: PAYLOAD, needle: needle.as_bytes().to_vec() };
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
        payload,
    ])
}

fn on_action(wants: impl Fn(&Event) -> bool + Send + Sync + 'static) -> Predicate {
    Predicate::matching(ACTION, move |symbol| action(symbol).is_ok_and(|event| wants(&event)))
}

fn on_actor(wants: impl Fn(&Fields) -> bool + Send + Sync + 'static) -> Predicate {
    Predicate::matching(ACTOR, move |symbol| actor(symbol).is_ok_and(|given| wants(&given)))
}
