//! Erasing persons from a view: a batch knows who is erased, and a store goes through what it holds already.
//!
//! Invariant: what a batch with an erasure leaves in the view is erased before the position of the erasure is said to be
//! reached, also where the process ended in between: until all rows were gone through, the account stands under a key of
//! the store's own.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use model::access::Event as Happened;
use model::erasure::{Erasure, Erasures};
use model::event::Event;
use model::log::AccountId;
use segments::{Predicate, Row, TimeRange};

use super::{Batch, ERASING, Store};
use crate::error::Error;
use crate::key::{self, ERASURE};
use crate::logged::Logged;

/// About so many rows are written together.
const WRITTEN_TOGETHER: usize = 4096;

/// A row without the persons, put in its place; false: it names none.
pub(crate) type Rewrite = fn(&mut segments::Writer, &[u8], &Row, &Erasures) -> Result<bool, Error>;

impl Batch {
    /// Takes an erasure in, where the event is one. What the view holds already is gone through with the commit.
    pub(crate) fn hear(&mut self, logged: Logged<'_>) -> Result<(), Error> {
        let Event::Access(recorded) = logged.event else { return Ok(()) };
        let Happened::PersonErased(data) = &recorded.event else { return Ok(()) };
        let key = key::key(logged.account, ERASURE, &[recorded.id.as_bytes()]);
        if self.row::<Erasure>(&key)?.is_some() {
            return Ok(());
        }
        self.put(key, &data.person)?;
        self.put([ERASING, logged.account.as_str().as_bytes()].concat(), &())?;
        self.erasures.remove(logged.account);
        self.hears_erasure = true;
        Ok(())
    }

    /// Who is erased in an account, with the changes of this batch; none where nobody is.
    pub(crate) fn erasures(&mut self, account: &AccountId) -> Result<Option<Arc<Erasures>>, Error> {
        if let Some(known) = self.erasures.get(account) {
            return Ok(known.clone());
        }
        let prefix = key::prefix(account, ERASURE);
        let mut all = self.store.below(&prefix)?;
        let changed = self.changes.range(prefix.clone()..key::end_of(&prefix));
        all.extend(changed.filter_map(|(key, value)| Some((key.clone(), value.clone()?))));
        let erasures = read(&prefix, &all)?.map(Arc::new);
        self.erasures.insert(account.clone(), erasures.clone());
        Ok(erasures)
    }

    /// Writes erasures into a view that holds nothing yet, so that nothing enters it that they erase.
    ///
    /// # Errors
    /// When the storage fails or the disk is full.
    pub fn know(mut self, erasures: Vec<(AccountId, String, Erasure)>) -> Result<(), Error> {
        for (account, id, erasure) in erasures {
            self.put(key::key(&account, ERASURE, &[id.as_bytes()]), &erasure)?;
        }
        self.store.write(self.changes.into_iter())
    }
}

/// Erasures by their keys; none where there are none.
fn read(prefix: &[u8], all: &BTreeMap<Vec<u8>, Vec<u8>>) -> Result<Option<Erasures>, Error> {
    if all.is_empty() {
        return Ok(None);
    }
    let id = |key: &[u8]| String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
    let erasures: Result<Vec<_>, Error> =
        all.iter().map(|(key, value)| Ok((id(key), postcard::from_bytes(value)?))).collect();
    Ok(Some(Erasures::new(erasures?)))
}

impl Store {
    /// Goes through the rows of accounts where somebody was erased since that was done last.
    ///
    /// # Errors
    /// When the storage fails or the disk is full; what is not done then is done when it is called again.
    pub fn finish_erasing(&self) -> Result<(), Error> {
        for entry in self.scan(ERASING) {
            let (pending, _) = entry?;
            let account = String::from_utf8_lossy(&pending[ERASING.len()..]).into_owned();
            let prefix = [account.as_bytes(), &[0, ERASURE]].concat();
            if let (Some(erasures), Some(erase)) = (read(&prefix, &self.below(&prefix)?)?, self.layout.erase) {
                erase(self, &account, &erasures)?;
            }
            self.write([(pending.to_vec(), None)].into_iter())?;
        }
        self.has_to_erase.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// All that starts with a prefix.
    fn below(&self, prefix: &[u8]) -> Result<BTreeMap<Vec<u8>, Vec<u8>>, Error> {
        let entry = |entry: sled::Result<(sled::IVec, sled::IVec)>| {
            let (key, value) = entry?;
            Ok((key.to_vec(), value.to_vec()))
        };
        self.scan(prefix).map(entry).collect()
    }

    /// Goes through the rows in columns of an account.
    pub(crate) fn erase_rows(&self, account: &str, erasures: &Erasures, rewrite: Rewrite) -> Result<(), Error> {
        let table = key::table_of(account);
        let begin = || self.rows.scan(&table, &Predicate::everything(), TimeRange::ALL);
        let mut scan = begin()?;
        loop {
            let (mut writer, mut written, mut is_last) = (self.rows.writer(), 0, false);
            self.mark(&mut writer)?;
            while written < WRITTEN_TOGETHER && !is_last {
                if !scan.renew() {
                    // It took so long that what is left may have been written again.
                    scan = begin()?;
                }
                let rows = scan.read()?;
                is_last = rows.is_empty();
                for row in &rows {
                    written += usize::from(rewrite(&mut writer, &table, row, erasures)?);
                }
            }
            if written > 0 {
                let mut rows = writer.prepare()?;
                self.write(rows.changes())?;
                rows.publish();
            }
            if is_last {
                return Ok(());
            }
        }
    }

    /// Goes through the rows by key of some kinds of an account.
    pub(crate) fn erase_keys(
        &self,
        account: &str,
        kinds: &[u8],
        rewritten: impl Fn(&str, &[u8]) -> Result<Rewritten, Error>,
    ) -> Result<(), Error> {
        let mut changes = Vec::new();
        for kind in kinds {
            let prefix = [account.as_bytes(), &[0, *kind]].concat();
            for entry in self.scan(&prefix) {
                let (key, value) = entry?;
                match rewritten(&String::from_utf8_lossy(&key[prefix.len()..]), &value)? {
                    Rewritten::Same => {}
                    Rewritten::As(value) => changes.push((key.to_vec(), Some(value))),
                    Rewritten::Gone => changes.push((key.to_vec(), None)),
                }
            }
        }
        self.write(changes.into_iter())
    }
}

/// What becomes of a row by key.
pub(crate) enum Rewritten {
    /// It names nobody who is erased.
    Same,
    /// This takes its place.
    As(Vec<u8>),
    /// It is of one of them.
    Gone,
}
