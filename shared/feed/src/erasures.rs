//! Who is erased, as the log says it: for those who read events out of the log themselves, and for a view that begins.
//!
//! Invariant: whoever hears of an erasure keeps to it from then on; none is ever taken back.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bus::{Bus, ConsumeError, LoadError, Message, Selection};
use model::access::{self, PERSON};
use model::erasure::{Erasure, Erasures};
use model::event::Event;
use model::log::{AccountId, Stream, Subject};
use tracing::error;

use crate::read;

/// The pause before a log that cannot be read is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// The subjects of erasures, of all accounts.
fn filter() -> String {
    format!("flowtrail.v1.{}.*.{PERSON}.*", Stream::Access.family())
}

/// All erasures that the log holds, each with its account and id.
///
/// # Errors
/// When the log cannot be read.
pub async fn all(bus: &Bus) -> Result<Vec<(AccountId, String, Erasure)>, LoadError> {
    let mut erasures = Vec::new();
    let mut next = 1;
    while let Some(message) = bus.first_from(Stream::Access, &filter(), next).await? {
        next = message.position.sequence + 1;
        erasures.extend(erasures_in(&message));
    }
    Ok(erasures)
}

fn erasures_in(message: &Message) -> Vec<(AccountId, String, Erasure)> {
    let Ok(subject) = Subject::parse(&message.subject) else { return Vec::new() };
    let erasure = |event| match event {
        Event::Access(access::Recorded { id, event: access::Event::PersonErased(data), .. }) => {
            Some((subject.account().clone(), id, data.person))
        }
        _ => None,
    };
    read::events_in(&subject, message).into_iter().filter_map(erasure).collect()
}

/// Who is erased. Cheap to clone; clones hear the same.
#[derive(Clone, Debug, Default)]
pub struct Erased(Arc<RwLock<HashMap<AccountId, OfAccount>>>);

#[derive(Debug, Default)]
struct OfAccount {
    each: BTreeMap<String, Erasure>,
    all: Arc<Erasures>,
}

impl Erased {
    /// Who is erased by now. [`Erased::follow`] hears of others.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn load(bus: &Bus) -> Result<Self, LoadError> {
        let erased = Self::default();
        erased.hear(all(bus).await?);
        Ok(erased)
    }

    /// Hears of erasures as the log gets them, until it is dropped.
    pub async fn follow(self, bus: Bus) {
        loop {
            let Err(failure) = self.follow_one(&bus).await;
            error!(%failure, "it cannot be followed who is erased, beginning again");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The same, as long as the log is one and the same.
    async fn follow_one(&self, bus: &Bus) -> Result<Infallible, ConsumeError> {
        let selection = Selection { filter: Some(filter()), thrifty: true };
        let mut consumer = bus.consume_selected(Stream::Access, selection, 0);
        loop {
            self.hear(erasures_in(&consumer.next().await?));
        }
    }

    /// Who is erased in an account; none where nobody is.
    #[must_use]
    pub fn in_account(&self, account: &AccountId) -> Option<Arc<Erasures>> {
        let known = self.0.read().unwrap_or_else(PoisonError::into_inner);
        known.get(account).map(|of_account| of_account.all.clone())
    }

    fn hear(&self, erasures: Vec<(AccountId, String, Erasure)>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        for (account, id, erasure) in erasures {
            let of_account = known.entry(account).or_default();
            if of_account.each.insert(id, erasure).is_none() {
                of_account.all = Arc::new(Erasures::new(of_account.each.clone()));
            }
        }
    }
}
