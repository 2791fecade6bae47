//! Under which name vRNI shows an actor: it may be the event's or the directory's.

use std::collections::HashSet;

use super::fields::Fields;
use crate::directory::Entry;

/// Whom the directory's entries show under a wanted name, and whom under another.
///
/// It answers what [`Event::user_name`](super::Event::user_name) would be once the names are filled in, without a look-up per event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ShownAs {
    /// Users whose address is the wanted name.
    by_email: HashSet<String>,
    /// Users with another address.
    by_other_email: HashSet<String>,
    /// Users without an address whose name is the wanted one.
    by_name: HashSet<String>,
    /// The user whose id is the wanted name has no address but another name.
    is_id_renamed: bool,
}

impl ShownAs {
    /// Takes in what the directory says about a user.
    pub fn learn(&mut self, id: &str, entry: &Entry, wanted: &str) {
        if let Some(email) = &entry.email {
            let users = if email == wanted { &mut self.by_email } else { &mut self.by_other_email };
            users.insert(id.to_owned());
        } else if let Some(name) = &entry.name {
            if name == wanted {
                self.by_name.insert(id.to_owned());
            } else if id == wanted {
                self.is_id_renamed = true;
            }
        }
    }

    /// Whether the actor is shown as `wanted`.
    #[must_use]
    pub fn is_shown(&self, given: &Fields, wanted: &str) -> bool {
        if let Some(own) = given.user_name.as_ref().or(given.actor_email.as_ref()) {
            return own == wanted;
        }
        let id = given.actor_id.as_deref().unwrap_or_default();
        if self.by_email.contains(id) {
            return true;
        }
        if self.by_other_email.contains(id) {
            return false;
        }
        if let Some(own) = &given.actor_name {
            return own == wanted;
        }
        self.by_name.contains(id) || (given.actor_id.is_some() && id == wanted && !self.is_id_renamed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Event;
    use super::*;
    use crate::time::Timestamp;

    fn text(text: &str) -> Option<String> {
        (!text.is_empty()).then(|| text.to_owned())
    }

    /// An event whose actor has this id, name and address, shown with what the directory knows filled in.
    fn shown(id: &str, name: &str, email: &str, directory: Option<&Entry>) -> (Event, String) {
        let given =
            Fields { actor_id: text(id), actor_name: text(name), actor_email: text(email), ..Fields::default() };
        let (event_type, source) = ("a.b".to_owned(), "/test".to_owned());
        let event = Event {
            id: "e".to_owned(),
            time: Timestamp::EPOCH,
            time_given: true,
            event_type,
            source,
            given: Box::new(given),
        };
        let mut filled = event.clone();
        if let (Some(entry), Some(_)) = (directory, &event.given.actor_id) {
            filled.given.actor_name = filled.given.actor_name.or_else(|| entry.name.clone());
            filled.given.actor_email = filled.given.actor_email.or_else(|| entry.email.clone());
        }
        let name = filled.user_name().to_owned();
        (event, name)
    }

    #[test]
    fn an_event_is_found_under_the_name_it_is_shown_as_and_no_other() {
        const WORDS: [&str; 4] = ["", "u", "n", "m"];
        let entries = WORDS
            .into_iter()
            .flat_map(|name| WORDS.map(|email| Entry { name: text(name), email: text(email), ..Entry::default() }));
        for entry in entries.map(Some).chain([None]) {
            for (id, name, email) in WORDS
                .iter()
                .flat_map(|id| WORDS.iter().flat_map(move |name| WORDS.iter().map(move |email| (*id, *name, *email))))
            {
                let (event, is) = shown(id, name, email, entry.as_ref());
                for wanted in &WORDS[1..] {
                    let mut shown_as = ShownAs::default();
                    if let (Some(entry), false) = (&entry, id.is_empty()) {
                        shown_as.learn(id, entry, wanted);
                    }
                    assert_eq!(shown_as.is_shown(&event.given, wanted), is == **wanted, "{event:?} {entry:?} {wanted}");
                }
            }
        }
    }
}
