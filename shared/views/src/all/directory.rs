//! The directory view: what is known of each id now. Other views ask it when they answer, never when they project.
//!
//! Invariant: what an answer holds of it in memory has a bound, however many names an account has published. Beyond it, each
//! is read where it is asked for.

use std::borrow::Cow;
use std::cell::{OnceCell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use model::address::split_port;
use model::audit::ShownAs;
use model::directory::{Entry, Kind, Named, Names};
use model::erasure::Erasures;
use model::event::Event;
use model::log::{AccountId, Stream};

use crate::canonical;
use crate::error::Error;
use crate::key::{self, ERASURE};
use crate::logged::Logged;
use crate::question::{Asked, Views};
use crate::store::erasing::Rewritten;
use crate::store::{Batch, Layout, Store};
use crate::view::{DumpAs, Facts, Refused, View};

/// The view.
pub const VIEW: View = View::of(&Facts {
    name: "directory",
    streams: &[Stream::Directory],
    owns_dead_letters_of: &[Stream::Directory],
    layout: Layout { erase: Some(erase), ..Layout::BY_KEY },
    draft: None,
    project,
    dump: DumpAs::Keys(|kind, value| if kind == ERASURE { Ok(None) } else { canonical::of_value::<Entry>(value) }),
});

/// None: it answers other views, in their process.
pub(super) const QUESTIONS: &[Asked] = &[];

/// Sets an entry.
fn project(batch: &mut Batch, logged: Logged<'_>) -> Result<(), Refused> {
    let Event::Directory { kind, id, entry } = logged.event else { return Ok(()) };
    let row = key::key(logged.account, tag(*kind), &[id.as_bytes()]);
    let mut entry = Cow::Borrowed(entry);
    if let Some(erasures) = batch.erasures(logged.account)? {
        erasures.erase_entry(id, entry.to_mut());
    }
    if entry.deleted {
        batch.remove(row);
    } else {
        batch.put(row, &*entry)?;
    }
    Ok(())
}

/// Takes persons out of an account's entries.
fn erase(store: &Store, account: &str, erasures: &Erasures) -> Result<(), Error> {
    store.erase_keys(account, &Kind::ALL.map(tag), |id, value| {
        let mut entry: Entry = postcard::from_bytes(value)?;
        Ok(match erasures.erase_entry(id, &mut entry) {
            false => Rewritten::Same,
            true if entry.deleted => Rewritten::Gone,
            true => Rewritten::As(postcard::to_stdvec(&entry)?),
        })
    })
}

fn tag(kind: Kind) -> u8 {
    match kind {
        Kind::Peer => b'p',
        Kind::User => b'u',
        Kind::Policy => b'o',
        Kind::Resource => b'r',
    }
}

/// The most bytes of an account's directory that stand in memory for one answer, as they are stored.
const HELD_BYTES: usize = 16 << 20;
/// The most ids that are not looked up again.
const HELD_IDS: usize = 1 << 16;

/// One account's directory, for the time of one answer: an id that comes again is mostly not looked up again.
pub(crate) struct Directory<'a> {
    store: Arc<Store>,
    account: &'a AccountId,
    known: RefCell<HashMap<(Kind, String), Option<Entry>>>,
    /// Whether there is anything of a kind, in the order of [`Kind::ALL`]. Many accounts publish no directory.
    has: [OnceCell<bool>; Kind::ALL.len()],
    /// All that it says, once that was needed.
    all: OnceCell<Option<Snapshot>>,
}

/// All that an account's directory says: what symbols are judged with. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Snapshot(Arc<Known>);

#[derive(Debug)]
enum Known {
    /// It is in memory.
    Held([HashMap<String, Entry>; Kind::ALL.len()]),
    /// It is too large for that.
    Stored { store: Arc<Store>, account: AccountId },
}

impl Snapshot {
    /// The ids of ends with an address that this says yes to, and perhaps of some whose address is another one.
    pub(crate) fn ends_with_address(&self, is_it: impl Fn(&str) -> bool) -> Result<Vec<String>, Error> {
        let has_it = |entry: &Entry| entry.address.as_deref().is_some_and(&is_it);
        let mut ids = Vec::new();
        for kind in [Kind::Peer, Kind::Resource] {
            match &*self.0 {
                Known::Held(entries) => {
                    let found = entries[kind as usize].iter().filter(|(_, entry)| has_it(entry));
                    ids.extend(found.map(|(id, _)| id.clone()));
                }
                Known::Stored { store, account } => {
                    for found in entries_of(store, account, kind) {
                        let (id, _, entry) = found?;
                        ids.extend(Some(id).filter(|_| has_it(&entry)));
                    }
                }
            }
        }
        Ok(ids)
    }

    /// Whether any address in it has a port, or may have.
    pub(crate) fn has_ports(&self) -> bool {
        let Known::Held(entries) = &*self.0 else { return true };
        let mut addresses = entries.iter().flat_map(HashMap::values).filter_map(|entry| entry.address.as_deref());
        addresses.any(|address| split_port(address).1.is_some())
    }
}

impl Names for Snapshot {
    fn entry(&self, kind: Kind, id: &str) -> Option<Entry> {
        match &*self.0 {
            Known::Held(entries) => entries[kind as usize].get(id).cloned(),
            Known::Stored { store, account } => stored(store, account, kind, id),
        }
    }
}

/// The entries of a kind, each with its id and how many bytes are stored of it.
fn entries_of(
    store: &Store,
    account: &AccountId,
    kind: Kind,
) -> impl Iterator<Item = Result<(String, usize, Entry), Error>> {
    let prefix = key::prefix(account, tag(kind));
    store.scan(&prefix).map(move |found| {
        let (key, value) = found?;
        let id = String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
        Ok((id, key.len() + value.len(), postcard::from_bytes(&value)?))
    })
}

/// The entry of an id, read from the store.
fn stored(store: &Store, account: &AccountId, kind: Kind, id: &str) -> Option<Entry> {
    let row = store.row(&key::key(account, tag(kind), &[id.as_bytes()]));
    // A name that cannot be read is a name that is not known: the answer goes on without it.
    row.inspect_err(|error| tracing::error!(%error, "the directory cannot be read")).ok().flatten()
}

impl<'a> Directory<'a> {
    pub(crate) fn new(views: &Views, account: &'a AccountId) -> Self {
        Self {
            store: views.slot(VIEW).store(),
            account,
            known: RefCell::default(),
            has: Default::default(),
            all: OnceCell::new(),
        }
    }

    /// The ids whose entry matches a search.
    pub(crate) fn search(&self, search: Option<&str>) -> Result<Named, Error> {
        let (mut found, mut resources) = (Named::default(), Named::default());
        let Some(search) = search else { return Ok(found) };
        let needle = search.to_lowercase();
        for kind in Kind::ALL {
            for entry in entries_of(&self.store, self.account, kind) {
                let (id, _, entry) = entry?;
                let found = if kind == Kind::Resource { &mut resources } else { &mut found };
                found.add_if_matching(kind, &id, &entry, &needle);
            }
        }
        // An id that is a peer's too is shown as the peer.
        let is_shown = |id: &String| self.entry(Kind::Peer, id).is_none();
        found.endpoint_names.extend(resources.endpoint_names.into_iter().filter(is_shown));
        found.endpoint_addresses.extend(resources.endpoint_addresses.into_iter().filter(is_shown));
        Ok(found)
    }
}

impl Directory<'_> {
    /// Who is shown under a name.
    pub(crate) fn shown_as(&self, wanted: Option<&str>) -> Result<ShownAs, Error> {
        let mut shown_as = ShownAs::default();
        let Some(wanted) = wanted else { return Ok(shown_as) };
        for entry in entries_of(&self.store, self.account, Kind::User) {
            let (id, _, entry) = entry?;
            shown_as.learn(&id, &entry, wanted);
        }
        Ok(shown_as)
    }
}

impl Directory<'_> {
    /// All that it says; none where that is nothing.
    pub(crate) fn snapshot(&self) -> Result<Option<Snapshot>, Error> {
        if let Some(known) = self.all.get() {
            return Ok(known.clone());
        }
        let snapshot = match self.held()? {
            Some(entries) if entries.iter().all(HashMap::is_empty) => None,
            Some(entries) => Some(Known::Held(entries)),
            None => Some(Known::Stored { store: self.store.clone(), account: self.account.clone() }),
        };
        Ok(self.all.get_or_init(|| snapshot.map(|known| Snapshot(Arc::new(known)))).clone())
    }

    /// All entries; none where they are too large to stand in memory.
    fn held(&self) -> Result<Option<[HashMap<String, Entry>; Kind::ALL.len()]>, Error> {
        let mut all: [HashMap<String, Entry>; Kind::ALL.len()] = Default::default();
        let mut bytes = 0;
        for kind in Kind::ALL.into_iter().filter(|kind| self.has(*kind)) {
            for entry in entries_of(&self.store, self.account, kind) {
                let (id, length, entry) = entry?;
                bytes += length;
                if bytes > HELD_BYTES {
                    return Ok(None);
                }
                all[kind as usize].insert(id, entry);
            }
        }
        Ok(Some(all))
    }

    /// Whether it says nothing at all.
    pub(crate) fn is_empty(&self) -> bool {
        !Kind::ALL.into_iter().any(|kind| self.has(kind))
    }

    fn has(&self, kind: Kind) -> bool {
        let look = || self.store.scan(&key::prefix(self.account, tag(kind))).next().is_some();
        *self.has[kind as usize].get_or_init(look)
    }
}

impl Names for Directory<'_> {
    fn entry(&self, kind: Kind, id: &str) -> Option<Entry> {
        if !self.has(kind) {
            return None;
        }
        let mut known = self.known.borrow_mut();
        if known.len() >= HELD_IDS {
            known.clear();
        }
        let read = || stored(&self.store, self.account, kind, id);
        known.entry((kind, id.to_owned())).or_insert_with(read).clone()
    }
}
