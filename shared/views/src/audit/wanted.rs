//! The audit filter as a predicate on columns.

use std::sync::Arc;

use model::address::as_stored;
use model::audit::{Event, Filter, Given};
use model::directory::Named;
use model::log::AccountId;
use segments::Predicate;

use super::row::{ADDRESS, MACHINE, PAYLOAD, RESOURCE, Resource, SESSION, WHAT, WHO, what, who};
use crate::columns::{self, Selected};
use crate::directory::Directory;
use crate::{Error, View, Views};

/// The account's events that `filter` wants.
pub(crate) fn selected(views: &Views, account: &AccountId, filter: &Filter) -> Result<Selected, Error> {
    let directory = Directory::new(views, account);
    let mut found = directory.search(filter.search.as_deref())?;
    found.shown_as = directory.shown_as(filter.user_name.as_deref())?;
    let store = views.slot(View::Audit).store();
    Ok(Selected::new(store, account, wanted(filter, found), filter.period))
}

/// The rows that `filter` wants, its period aside. `found` holds the ids of the users in the directory whose name or
/// address matches the search, or is the wanted user name: they count where the event itself names none.
fn wanted(filter: &Filter, found: Named) -> Predicate {
    let found = Arc::new(found);
    let mut all = Vec::new();
    if let Some(predicate) = by_what(filter) {
        all.push(predicate);
    }
    if let Some(predicate) = by_who(filter, &found) {
        all.push(predicate);
    }
    if filter.resource_type.is_some() || filter.resource_id.is_some() {
        let (kind, id) = (filter.resource_type.clone(), filter.resource_id.clone());
        all.push(by_resource(move |resource| {
            is_none_or(kind.as_deref(), resource.resource_type) && is_none_or(id.as_deref(), resource.resource_id)
        }));
    }
    let ip_address = filter.ip_address.as_deref().map(|address| as_stored(address).into_owned());
    for (column, text) in [(ADDRESS, &ip_address), (MACHINE, &filter.vm_id), (SESSION, &filter.session_id)] {
        if let Some(text) = text.clone() {
            let is_text = move |symbol: &[u8]| columns::read(symbol).is_ok_and(|own: Option<&str>| own == Some(&text));
            all.push(Predicate::matching(column, is_text));
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

fn by_what(filter: &Filter) -> Option<Predicate> {
    let Filter { event_types, event_group, status, operation, response, .. } = filter.clone();
    let texts = [&event_group, &status, &operation, &response];
    if event_types.is_empty() && texts.iter().all(|text| text.is_none()) {
        return None;
    }
    Some(on_what(move |event| {
        (event_types.is_empty() || event_types.contains(&event.event_type))
            && is_none_or(event_group.as_deref(), Some(event.event_group()))
            && is_none_or(status.as_deref(), Some(event.status()))
            && is_none_or(operation.as_deref(), Some(&event.operation()))
            && is_none_or(response.as_deref(), Some(event.response()))
    }))
}

fn by_who(filter: &Filter, found: &Arc<Named>) -> Option<Predicate> {
    let Filter { actor_id, user_id, user_name, .. } = filter.clone();
    if actor_id.is_none() && user_id.is_none() && user_name.is_none() {
        return None;
    }
    let found = found.clone();
    Some(on_who(move |given| {
        is_none_or(actor_id.as_deref(), given.actor_id.as_deref())
            && (user_id.is_none() || user_id == given.user_id.map(i128::from))
            && user_name.as_deref().is_none_or(|wanted| found.shown_as.is_shown(given, wanted))
    }))
}

/// Activity, type, actor, resource or payload contain `needle`, which is in lower case.
fn is_found(needle: &str, found: Arc<Named>) -> Predicate {
    let payload = Predicate::Text { column: PAYLOAD, needle: needle.as_bytes().to_vec() };
    let needle: Arc<str> = needle.into();
    let contains = move |text: &str| text.to_lowercase().contains(&*needle);
    let (in_what, in_who, in_resource) = (contains.clone(), contains.clone(), contains);
    Predicate::Any(vec![
        on_what(move |event| in_what(event.activity()) || in_what(&event.event_type)),
        on_who(move |given| {
            let own = [&given.actor_id, &given.actor_name, &given.actor_email];
            own.into_iter().flatten().any(|text| in_who(text)) || {
                let [id, name, email] = own.map(Option::as_deref);
                found.names_user(id, name, email)
            }
        }),
        by_resource(move |resource| resource.resource_id.is_some_and(&in_resource)),
        payload,
    ])
}

fn on_what(wants: impl Fn(&Event) -> bool + Send + Sync + 'static) -> Predicate {
    Predicate::matching(WHAT, move |symbol| what(symbol).is_ok_and(|event| wants(&event)))
}

fn on_who(wants: impl Fn(&Given) -> bool + Send + Sync + 'static) -> Predicate {
    Predicate::matching(WHO, move |symbol| who(symbol).is_ok_and(|given| wants(&given)))
}

fn by_resource(wants: impl Fn(&Resource<'_>) -> bool + Send + Sync + 'static) -> Predicate {
    Predicate::matching(RESOURCE, move |symbol| columns::read(symbol).is_ok_and(|resource| wants(&resource)))
}
