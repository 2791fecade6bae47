//! Members of traffic reports that no field holds. Publishers over NATS get no answer that could name them, so reports
//! that have any are counted, and each member is named in the log, once.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use feed::read::Entry;
use model::log::{AccountId, LogPosition};
use tracing::warn;

/// How many members are named, of all accounts. They are texts of strangers: what is remembered of them is bounded.
const MAX_NAMED: usize = 1000;
/// How many characters of a name are told.
const MAX_LENGTH: usize = 100;

/// What is ignored of some entries of the log.
#[derive(Debug, Default)]
pub(crate) struct Ignored {
    /// How many reports have members that no field holds.
    pub(crate) reports: u64,
    /// The members, each with the first place where it is.
    members: BTreeMap<Member, LogPosition>,
}

/// Whose member, and its path.
type Member = (AccountId, String);

impl Ignored {
    pub(crate) fn of(entries: &[Entry]) -> Self {
        let mut ignored = Self::default();
        for entry in entries {
            for decoded in entry.decoded.iter().filter(|decoded| !decoded.ignored.is_empty()) {
                ignored.reports += 1;
                for path in &decoded.ignored {
                    let member = (entry.account.clone(), path.chars().take(MAX_LENGTH).collect());
                    if ignored.members.len() < MAX_NAMED {
                        ignored.members.entry(member).or_insert(entry.position);
                    }
                }
            }
        }
        ignored
    }
}

/// The members that were named already.
#[derive(Debug, Default)]
pub(crate) struct Named(Mutex<BTreeSet<Member>>);

impl Named {
    /// Names those that were not named before.
    pub(crate) fn tell(&self, ignored: Ignored) {
        if ignored.members.is_empty() {
            return;
        }
        let mut named = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (member, position) in ignored.members {
            if named.len() == MAX_NAMED || named.contains(&member) {
                continue;
            }
            let (account, path) = &member;
            warn!(%account, member = ?path, %position, "a member of traffic reports is ignored: no field holds it");
            named.insert(member);
        }
    }
}
