//! Which views there are. A new one is a module and its row in the list here.

pub mod access;
pub mod audit;
pub mod directory;
pub mod flows;
pub mod integrations;
pub mod person;
pub mod searches;
pub mod traffic;

use std::path::Path;

use serde::{Deserialize, Deserializer};

use crate::dump::Dump;
use crate::error::Error;
use crate::question::{Asked, Views};
use crate::status::Status;
use crate::view::View;

/// Every view with the questions that it answers, in the order in which people see them.
static EACH: [(View, &[Asked]); 6] = [
    (audit::VIEW, audit::QUESTIONS),
    (traffic::VIEW, traffic::QUESTIONS),
    (integrations::VIEW, integrations::QUESTIONS),
    (searches::VIEW, searches::QUESTIONS),
    (access::VIEW, access::QUESTIONS),
    (directory::VIEW, directory::QUESTIONS),
];

/// Questions that are about every view, or several, or about what is made of the rows of one.
static OTHERS: [Asked; 4] =
    [Asked::of::<Status>(), Asked::of::<Dump>(), Asked::of::<person::Known>(), Asked::of::<flows::Flows>()];

/// Every question, in the form in which it comes from another process.
pub fn questions() -> impl Iterator<Item = &'static Asked> {
    EACH.iter().flat_map(|(_, questions)| *questions).chain(&OTHERS)
}

impl View {
    /// Every view.
    pub const ALL: [Self; EACH.len()] = {
        let mut all = [EACH[0].0; EACH.len()];
        let mut index = 0;
        while index < all.len() {
            all[index] = EACH[index].0;
            index += 1;
        }
        all
    };
}

impl Views {
    /// Opens every view below `directory`, which this process then owns.
    ///
    /// A view whose files are damaged, or of another format, is opened empty: it comes back from the log.
    ///
    /// # Errors
    /// When the directory cannot be written or another process owns it.
    pub fn open(directory: &Path, cache_bytes: u64) -> Result<Self, Error> {
        Self::open_these(&View::ALL, directory, cache_bytes)
    }
}

impl std::str::FromStr for View {
    type Err = UnknownView;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|view| view.name() == text).ok_or(UnknownView)
    }
}

/// The text names no view.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("there is no such view; there are {}", View::ALL.map(View::name).join(", "))]
pub struct UnknownView;

impl<'de> Deserialize<'de> for View {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use model::log::Stream;

    use super::*;

    #[test]
    fn every_view_and_every_question_has_a_name_of_its_own() {
        let names: BTreeSet<&str> = View::ALL.into_iter().map(View::name).collect();
        assert_eq!(names.len(), View::ALL.len());
        let paths: BTreeSet<&str> = questions().map(Asked::path).collect();
        assert_eq!(paths.len(), questions().count());
        assert!(View::ALL.iter().all(|view| view.name().parse() == Ok(*view)));
    }

    #[test]
    fn the_dead_letters_of_a_stream_are_one_view_s_at_most() {
        for stream in Stream::ALL {
            let owners: Vec<View> = View::ALL.into_iter().filter(|view| view.owns_dead_letters_of(stream)).collect();
            assert!(owners.len() <= 1, "{stream}: {owners:?}");
            let is_read = View::ALL.iter().any(|view| view.streams().contains(&stream));
            assert_eq!(is_read, owners.len() == 1, "{stream}");
        }
    }

    #[test]
    fn an_unknown_view_is_told_which_there_are() {
        let unknown = "x".parse::<View>().unwrap_err().to_string();
        assert_eq!(
            unknown,
            "there is no such view; there are audit, traffic, integrations, searches, access, directory"
        );
    }
}
