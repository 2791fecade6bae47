//! What is taken out of each kind of event.

use std::borrow::Cow;

use super::patterns::{Patterns, Sought};
use super::{Erasures, SHORTEST};
use crate::audit;
use crate::audit::fields::{Access, FIELDS, FieldPlace};
use crate::directory::Entry;
use crate::event::Event;
use crate::traffic::{Endpoint, Reported, User};

impl Erasures {
    /// An event without the persons. One that becomes an audit event by projection is that already, where it names one.
    #[must_use]
    pub fn erased(&self, mut event: Event) -> Event {
        match &mut event {
            Event::Audit(audit) => {
                self.erase_audit(audit);
            }
            Event::Traffic(report) => {
                self.erase_traffic(&mut report.data);
            }
            Event::Directory { id, entry, .. } => {
                self.erase_entry(id, entry);
            }
            Event::Integration(_) | Event::Access(_) => {
                if let Some(mut audit) = event.as_audit().map(Cow::into_owned)
                    && self.erase_audit(&mut audit)
                {
                    return Event::Audit(audit);
                }
            }
            Event::Search(_) | Event::Delivery(_) => {}
        }
        event
    }

    /// Takes the persons out of an audit event; says whether that changed it.
    ///
    /// Who did it becomes a pseudonym, and what else is said of them goes. Everywhere else what they are known by is replaced:
    /// by this very event, and by the erasure. What was done, and how it ended, stays.
    pub fn erase_audit(&self, event: &mut audit::Event) -> bool {
        let given = &mut event.given;
        let actors = self.persons([&given.actor_id, &given.actor_email, &given.user_name].map(|text| text.as_deref()));
        let targets = self.persons([given.resource_id.as_deref()]);
        let mut patterns = Cow::Borrowed(&self.everywhere);
        if !actors.is_empty() || !targets.is_empty() {
            let all: Vec<usize> = actors.iter().chain(&targets).copied().collect();
            patterns = Cow::Owned(self.patterns_of(&all));
        }
        let mut has_changed = false;
        if let Some(person) = actors.first().and_then(|actor| self.persons.get(*actor)) {
            let own = [
                given.actor_id.take(),
                given.actor_name.take(),
                given.actor_email.take(),
                given.user_name.take(),
                given.ip_address.take(),
                given.user_agent.take(),
            ];
            let is_erased_already = own[0].as_ref() == Some(&person.pseudonym);
            has_changed = !is_erased_already || own[1..].iter().any(Option::is_some) || given.user_id.is_some();
            given.user_id = None;
            given.actor_id = Some(person.pseudonym.clone());
            if !is_erased_already {
                for text in own.iter().flatten().filter(|text| text.len() >= SHORTEST) {
                    patterns.to_mut().add(Sought::text(text), &person.pseudonym);
                }
            }
        }
        if let Some(person) = targets.first().and_then(|target| self.persons.get(*target)) {
            has_changed |= given.resource_id.as_ref() != Some(&person.pseudonym);
            given.resource_id = Some(person.pseudonym.clone());
        }
        // By its group and the like an event is counted; these are words of programs.
        for field in FIELDS.iter().filter(|field| field.place != FieldPlace::Action || field.name == "activity") {
            match field.access {
                Access::Text(_, set) => has_changed |= replace(&patterns, set(given)),
                Access::Json(_, set) | Access::Object(_, set) => {
                    let value = set(given);
                    if let Some(without) = value.as_ref().and_then(|value| patterns.replaced_in(value)) {
                        *value = Some(without);
                        has_changed = true;
                    }
                }
                Access::Integer(..) | Access::Decimal(..) => {}
            }
        }
        if let Some(without) = patterns.replaced(&event.source) {
            event.source = without;
            has_changed = true;
        }
        has_changed
    }

    /// Takes the persons out of what was reported of traffic, or folded; says whether that changed it. The ids of machines
    /// stay, by which records are told apart.
    pub fn erase_traffic(&self, given: &mut Reported) -> bool {
        let users = self.persons([given.user.id.as_deref(), given.user.email.as_deref()]);
        let Some(person) = users.first().and_then(|user| self.persons.get(*user)) else {
            return replace_in_traffic(&self.everywhere, given);
        };
        let erased = User { id: Some(person.pseudonym.clone()), email: None, name: None };
        let has_changed = given.user != erased;
        given.user = erased;
        replace_in_traffic(&self.patterns_of(&users), given) | has_changed
    }

    /// Takes the persons out of an entry of the directory; says whether that changed it. That of one of them is gone.
    pub fn erase_entry(&self, id: &str, entry: &mut Entry) -> bool {
        if !self.persons([Some(id), entry.email.as_deref()]).is_empty() {
            let has_changed = !entry.deleted;
            *entry = Entry { deleted: true, ..Entry::default() };
            return has_changed;
        }
        let texts = [&mut entry.name, &mut entry.email, &mut entry.dns_label, &mut entry.address];
        texts.into_iter().fold(false, |changed, text| replace(&self.everywhere, text) | changed)
    }
}

fn replace_in_traffic(patterns: &Patterns, given: &mut Reported) -> bool {
    let mut has_changed = replace(patterns, &mut given.policy.name);
    for Endpoint { name, dns_label, address, .. } in [&mut given.source, &mut given.destination] {
        has_changed |= replace(patterns, name) | replace(patterns, dns_label);
        // A part of an address is none.
        has_changed |= address.take_if(|address| patterns.replaced(address).is_some()).is_some();
    }
    has_changed
}

fn replace(patterns: &Patterns, text: &mut Option<String>) -> bool {
    let Some(without) = text.as_deref().and_then(|text| patterns.replaced(text)) else { return false };
    *text = Some(without);
    true
}
