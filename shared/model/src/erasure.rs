//! Erasing a person: what names them is taken out of events, whatever was read first, the event or the erasure.
//!
//! An erasure names nobody itself. It holds keyed fingerprints of what the person is known by, and every text of an event is
//! compared with these. Who holds the log can so check a guess, and reads no name out of it.
//!
//! Invariant: to erase again changes nothing, so an event may be erased before it enters a view and in it.

mod events;
mod patterns;

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::patterns::Fingerprint;
use self::patterns::{Patterns, Sought, sum};

/// What an id of an erased person begins with; behind it stands the erasure's id.
const PSEUDONYM: &str = "erased:";
/// An id with fewer bytes is replaced where it stands for a person, and nowhere else: `7` is in many texts.
const LONG_ID: usize = 6;
/// The fewest bytes of anything that is looked for inside of texts.
pub const SHORTEST: usize = 3;
/// The most fingerprints of one erasure.
const MOST: usize = 1000;

/// What a person was known by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Erasure {
    /// 256 random bits, in hexadecimal, with which the fingerprints are made.
    pub key: String,
    /// Ids and e-mail addresses, which mean the person wherever they stand.
    pub ids: Vec<Fingerprint>,
    /// Names and addresses, which mean the person where an event is about them.
    pub details: Vec<Fingerprint>,
}

impl Erasure {
    /// The erasure of who is known by these ids and details.
    #[must_use]
    pub fn new<'a>(
        random: [u8; 32],
        ids: impl IntoIterator<Item = &'a str>,
        details: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        let key: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let ids = ids.into_iter().map(|text| Fingerprint::of(&key, text)).collect();
        let details = details.into_iter().map(|text| Fingerprint::of(&key, text)).collect();
        Self { key, ids, details }
    }

    /// What is wrong with it, by field.
    pub(crate) fn problem(&self) -> Option<(&'static str, &'static str)> {
        if self.ids.is_empty() {
            return Some(("ids", "must name at least one"));
        }
        (self.ids.len() + self.details.len() > MOST).then_some(("details", "must be 1,000 with the ids at most"))
    }
}

/// All erasures of an account.
#[derive(Debug, Default)]
pub struct Erasures {
    persons: Vec<Person>,
    /// Persons by the length and sum of an id, with the id's digest.
    by_id: HashMap<(u32, u32), Vec<(usize, Fingerprint)>>,
    /// What is looked for in events that are about none of them.
    everywhere: Patterns,
}

#[derive(Debug)]
struct Person {
    pseudonym: String,
    erasure: Erasure,
}

impl Erasures {
    /// These erasures, each by its id.
    #[must_use]
    pub fn new(erasures: impl IntoIterator<Item = (String, Erasure)>) -> Self {
        let mut all = Self::default();
        for (id, erasure) in erasures {
            all.add(&id, erasure);
        }
        all
    }

    fn add(&mut self, id: &str, erasure: Erasure) {
        let (person, pseudonym) = (self.persons.len(), format!("{PSEUDONYM}{id}"));
        for own in &erasure.ids {
            self.by_id.entry((own.length, own.sum)).or_default().push((person, own.clone()));
            if own.length as usize >= LONG_ID {
                self.everywhere.add(Sought::keyed(&erasure.key, own), &pseudonym);
            }
        }
        self.persons.push(Person { pseudonym, erasure });
    }

    /// Whether a text names an erased person, anywhere in it.
    #[must_use]
    pub fn are_named_in(&self, text: &str) -> bool {
        self.everywhere.replaced(text).is_some()
    }

    /// The persons that any of these texts is an id of, or what stands for one.
    fn persons<'a>(&self, texts: impl IntoIterator<Item = Option<&'a str>>) -> Vec<usize> {
        let mut found = Vec::new();
        for text in texts.into_iter().flatten() {
            let by_pseudonym = || self.persons.iter().position(|person| person.pseudonym == text);
            let known = if text.starts_with(PSEUDONYM) { by_pseudonym() } else { self.person_with_id(text) };
            found.extend(known.filter(|person| !found.contains(person)));
        }
        found
    }

    fn person_with_id(&self, text: &str) -> Option<usize> {
        let lower = text.to_ascii_lowercase();
        let alike = self.by_id.get(&(u32::try_from(lower.len()).ok()?, sum(lower.as_bytes())))?;
        let is_own = |(person, own): &&(usize, Fingerprint)| own.is_of(&self.persons[*person].erasure.key, &lower);
        alike.iter().find(is_own).map(|(person, _)| *person)
    }

    /// What is looked for in an event that is about persons: all that each of them is known by.
    fn patterns_of(&self, persons: &[usize]) -> Patterns {
        let mut patterns = self.everywhere.clone();
        for Person { pseudonym, erasure } in persons.iter().filter_map(|person| self.persons.get(*person)) {
            let looked_for = erasure.ids.iter().chain(&erasure.details);
            for own in looked_for.filter(|own| own.length as usize >= SHORTEST) {
                patterns.add(Sought::keyed(&erasure.key, own), pseudonym);
            }
        }
        patterns
    }
}

#[cfg(test)]
mod tests;
