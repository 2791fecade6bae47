//! Who owns the saved searches of an account: what bounds on their number are held against.

use std::collections::BTreeMap;

use super::rejected::Rejected;

/// The most searches of an account.
pub const MAX_OF_ACCOUNT: usize = 1000;
/// The most searches of one owner, so that nobody takes the others' room.
pub const MAX_OF_OWNER: usize = 100;

/// The saved searches of an account, by id, with the ids of their owners.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roster(BTreeMap<String, String>);

impl Roster {
    /// Refuses an owner one search more.
    ///
    /// # Errors
    /// When they, or all in the account together, have as many as there may be.
    pub fn admit(&self, owner: &str) -> Result<(), Rejected> {
        if self.0.len() >= MAX_OF_ACCOUNT {
            return Err(Rejected::TooMany { who: "the account", most: MAX_OF_ACCOUNT });
        }
        if self.0.values().filter(|other| *other == owner).count() >= MAX_OF_OWNER {
            return Err(Rejected::TooMany { who: "their owner", most: MAX_OF_OWNER });
        }
        Ok(())
    }

    /// A search was made.
    pub fn enter(&mut self, id: String, owner: String) {
        self.0.insert(id, owner);
    }

    /// A search was removed.
    pub fn strike(&mut self, id: &str) {
        self.0.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(searches: usize, owner: impl Fn(usize) -> String) -> Roster {
        let mut roster = Roster::default();
        (0..searches).for_each(|number| roster.enter(number.to_string(), owner(number)));
        roster
    }

    #[test]
    fn an_owner_has_room_for_as_many_as_there_may_be_and_leaves_room_for_others() {
        let mut roster = filled(MAX_OF_OWNER, |_| "alice".to_owned());
        let refused = roster.admit("alice").unwrap_err();
        assert_eq!(refused.to_string(), "their owner has 100 searches, as many as there may be: delete one first");
        assert_eq!(roster.admit("bob"), Ok(()));
        roster.strike("7");
        assert_eq!(roster.admit("alice"), Ok(()));
    }

    #[test]
    fn an_account_has_room_for_as_many_as_there_may_be() {
        assert_eq!(filled(MAX_OF_ACCOUNT - 1, |number| number.to_string()).admit("alice"), Ok(()));
        let refused = filled(MAX_OF_ACCOUNT, |number| number.to_string()).admit("alice").unwrap_err();
        assert_eq!(refused, Rejected::TooMany { who: "the account", most: MAX_OF_ACCOUNT });
    }
}
