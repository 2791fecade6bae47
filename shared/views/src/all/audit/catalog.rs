//! The catalog: which groups and types of events an account has.
//!
//! Invariants:
//! - It is bounded: of the types that publishers make up, an account's first [`MOST`] are in it, by the order of their
//!   stream; all others are [`OTHER`]. What they are stands in their events.
//! - It follows from each stream's own order. Types of other streams are Flowtrail's own, few, and not counted: were they, it
//!   would depend on which stream was read first.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use model::audit::Event;
use model::json::Json;
use model::log::{AccountId, Stream};
use serde::{Deserialize, Serialize};

use crate::canonical;
use crate::error::Error;
use crate::key;
use crate::logged::Logged;
use crate::store::{Batch, Store};

/// Changes where the catalog is stored in another form.
pub(super) const FORMAT: u32 = 1;

/// The kind of the keys that hold the groups and types.
const TYPES: u8 = b'c';
/// The kind of the key that holds how many of them were counted.
const COUNT: u8 = b'n';
/// The start of the keys, of no account, that hold which accounts have events of types beyond the bound.
const BEYOND: &[u8] = b"\0types-beyond/";

/// The most types of one account.
const MOST: u32 = 10_000;
/// The most bytes of a type and its group together. Longer ones are [`OTHER`] too.
const TYPE_BYTES: usize = 512;
/// The group and the type of what has no place.
const OTHER: (&str, &str) = ("other", "other");

/// Writes an event's group and type down when they are the first of their kind, and there is a place for them.
pub(super) fn add(batch: &mut Batch, logged: Logged<'_>, event: &Event) -> Result<(), Error> {
    let (account, is_counted) = (logged.account, logged.position.stream == Stream::Audit);
    let (group, event_type) = (event.event_group(), event.event_type.as_str());
    if is_counted && group.len() + event_type.len() > TYPE_BYTES {
        return add_other(batch, account);
    }
    let key = key_of(account, is_counted, (group, event_type));
    if batch.row::<(String, String)>(&key)?.is_some() {
        return Ok(());
    }
    if is_counted {
        let key = key::key(account, COUNT, &[]);
        let count = batch.row::<u32>(&key)?.unwrap_or_default();
        if count >= MOST {
            return add_other(batch, account);
        }
        batch.put(key, &(count + 1))?;
    }
    batch.put(key, &(group, event_type))
}

fn add_other(batch: &mut Batch, account: &AccountId) -> Result<(), Error> {
    let key = [BEYOND, account.as_str().as_bytes()].concat();
    if batch.row::<()>(&key)?.is_none() {
        batch.put(key, &())?;
    }
    Ok(())
}

/// Either text may hold any character: only the length tells where the group ends.
fn key_of(account: &AccountId, is_counted: bool, (group, event_type): (&str, &str)) -> Vec<u8> {
    let length = (group.len() as u64).to_be_bytes();
    key::key(account, TYPES, &[&[u8::from(is_counted)], &length, group.as_bytes(), event_type.as_bytes()])
}

/// All groups and types of an account, each once, in order.
fn types(store: &Store, account: &str) -> Result<BTreeSet<(String, String)>, Error> {
    let pairs = store.scan(&[account.as_bytes(), &[0, TYPES]].concat());
    let mut types: BTreeSet<(String, String)> =
        pairs.map(|entry| Ok(postcard::from_bytes(&entry?.1)?)).collect::<Result<_, Error>>()?;
    if store.get(&[BEYOND, account.as_bytes()].concat())?.is_some() {
        types.insert((OTHER.0.to_owned(), OTHER.1.to_owned()));
    }
    Ok(types)
}

/// The catalog of an account, for the view's dump.
pub(super) fn dump(store: &Store, account: &str) -> Result<Vec<Json>, Error> {
    let mut types: Vec<(String, String)> = types(store, account)?.into_iter().collect();
    // Shorter groups first, as in the dumps of every version.
    types.sort_by_key(|(group, _)| group.len());
    types.iter().map(canonical::of).collect()
}

/// How many accounts have events of types that have no place in their catalog.
///
/// # Errors
/// When the storage fails.
pub fn accounts_beyond(store: &Store) -> Result<usize, Error> {
    let mut accounts = 0;
    for entry in store.scan(BEYOND) {
        entry?;
        accounts += 1;
    }
    Ok(accounts)
}

/// Some types of an account's events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CatalogPage {
    /// Types by group.
    pub types: BTreeMap<String, BTreeSet<String>>,
    /// The last of them, where there are more behind it.
    pub next: Option<(String, String)>,
}

/// Those after a group and a type, `limit` of them at most.
pub(super) fn page(
    store: &Store,
    account: &AccountId,
    after: Option<&(String, String)>,
    limit: usize,
) -> Result<CatalogPage, Error> {
    let all = types(store, account.as_str())?;
    let mut rest = all.range((after.map_or(Bound::Unbounded, Bound::Excluded), Bound::Unbounded));
    let page: Vec<&(String, String)> = rest.by_ref().take(limit).collect();
    let next = rest.next().and(page.last().copied().cloned());
    let mut types = BTreeMap::<String, BTreeSet<String>>::new();
    for (group, event_type) in page.into_iter().cloned() {
        types.entry(group).or_default().insert(event_type);
    }
    Ok(CatalogPage { types, next })
}
