//! What is known of a person, across the views: what an erasure has to recognise, and how much it touches.

use std::collections::BTreeSet;

use model::address::split_port;
use model::directory::{Kind, Names};
use model::erasure::SHORTEST;
use model::log::{AccountId, Stream};
use segments::{Row, TimeRange};
use serde::{Deserialize, Serialize};

use super::audit::{self, Audit};
use super::directory::Directory;
use super::traffic::{self, Traffic};
use crate::error::Error;
use crate::key;
use crate::lists::Family;
use crate::question::{Question, Views};
use crate::view::View;
use crate::watch::Watch;

/// What is known of who has these ids.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Known {
    /// The account.
    pub account: AccountId,
    /// Their ids, exactly.
    pub ids: Vec<String>,
}

/// How much is known of a person, and what else they are called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// E-mail addresses.
    pub emails: BTreeSet<String>,
    /// Names, and the addresses that they came from.
    pub details: BTreeSet<String>,
    /// Audit events of which they are the actor.
    pub done: u64,
    /// Those of these that the log keeps for ever: what they did to integrations, users and tokens.
    pub kept_for_ever: u64,
    /// Audit events of which they are the target.
    pub suffered: u64,
    /// Traffic records of which they are the user.
    pub records: u64,
    /// Entries of the directory.
    pub entries: u64,
}

impl Question for Known {
    type Answer = Person;
    const PATH: &'static str = "person.known";
    // An operator asks it, who reads the log anyhow.
    const WATCH: Option<Watch<Self, Self::Answer>> = None;

    fn view(&self) -> View {
        audit::VIEW
    }

    fn account(&self) -> Option<&AccountId> {
        Some(&self.account)
    }

    fn answer(&self, views: &Views) -> Result<Person, Error> {
        let mut person = Person::default();
        for id in &self.ids {
            self.add_done(views, id, &mut person)?;
            let filter = model::audit::Filter {
                resource_id: Some(id.clone()),
                include_reads: true,
                ..model::audit::Filter::default()
            };
            self.each_row::<Audit>(views, &filter, |_| {
                person.suffered += 1;
                Ok(())
            })?;
            self.add_traffic(views, id, &mut person)?;
            self.add_entries(views, id, &mut person);
        }
        person.details.retain(|text| text.len() >= SHORTEST);
        person.emails.retain(|text| text.len() >= SHORTEST);
        Ok(person)
    }
}

impl Known {
    fn add_done(&self, views: &Views, id: &str, person: &mut Person) -> Result<(), Error> {
        let filter = model::audit::Filter {
            actor_id: Some(id.to_owned()),
            include_reads: true,
            ..model::audit::Filter::default()
        };
        self.each_row::<Audit>(views, &filter, |row| {
            person.done += 1;
            person.kept_for_ever += u64::from(audit::stream(row)? != Stream::Audit);
            let given = audit::event(row)?.given;
            person.emails.extend(given.actor_email);
            person.details.extend([given.actor_name, given.user_name].into_iter().flatten());
            if let Some(address) = given.ip_address {
                person.details.insert(split_port(&address).0.to_owned());
                person.details.insert(address);
            }
            Ok(())
        })
    }

    fn add_traffic(&self, views: &Views, id: &str, person: &mut Person) -> Result<(), Error> {
        let filter = model::traffic::Filter { user_id: Some(id.to_owned()), ..model::traffic::Filter::default() };
        self.each_row::<Traffic>(views, &filter, |row| {
            person.records += 1;
            let user = traffic::user(row)?;
            person.emails.extend(user.email);
            person.details.extend(user.name);
            Ok(())
        })
    }

    fn add_entries(&self, views: &Views, id: &str, person: &mut Person) {
        let directory = Directory::new(views, &self.account);
        for entry in Kind::ALL.into_iter().filter_map(|kind| directory.entry(kind, id)) {
            person.entries += 1;
            person.emails.extend(entry.email);
            person.details.extend([entry.name, entry.dns_label, entry.address].into_iter().flatten());
        }
    }

    /// Looks at the account's rows that a filter wants.
    fn each_row<F: Family>(
        &self,
        views: &Views,
        filter: &F::Filter,
        mut look: impl FnMut(&Row) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let predicate = F::predicate(views, &self.account, filter)?;
        let store = views.slot(F::VIEW).store();
        let mut scan = store.rows().scan(&key::table(&self.account), &predicate, TimeRange::ALL)?;
        loop {
            let rows = scan.read()?;
            if rows.is_empty() {
                return Ok(());
            }
            rows.iter().try_for_each(&mut look)?;
        }
    }
}
