//! Whom tokens stood for when the view was last asked.
//!
//! Invariant: what is remembered was found in the access view as it still is. Whatever is observed in the view, such
//! as the end of a token, makes all of it worthless.

use model::access::{Principal, TokenHash};
use quick_cache::sync::Cache;

/// So many tokens are remembered.
const MAX_TOKENS: usize = 4096;

/// The holders of tokens that are good.
#[derive(Debug)]
pub(crate) struct Memo(Cache<TokenHash, (u64, Principal)>);

impl Default for Memo {
    fn default() -> Self {
        Self(Cache::new(MAX_TOKENS))
    }
}

impl Memo {
    /// Whom a token stands for, if that was found in this version of the view.
    pub(super) fn recall(&self, hash: &TokenHash, version: u64) -> Option<Principal> {
        let (found_in, principal) = self.0.get(hash)?;
        (found_in == version).then_some(principal)
    }

    /// Remembers whom a token stands for. `version` is the view's from before it was asked.
    pub(super) fn keep(&self, hash: TokenHash, version: u64, principal: &Principal) {
        self.0.insert(hash, (version, principal.clone()));
    }
}

#[cfg(test)]
mod tests {
    use model::access::{Actor, Scopes};
    use model::log::AccountId;

    use super::*;

    const VERSION: u64 = 7;

    fn hash(number: usize) -> TokenHash {
        TokenHash::of(&number.to_string())
    }

    /// Who has the token of this number.
    fn holder(number: usize) -> Principal {
        Principal {
            account: AccountId::parse("main").unwrap(),
            token_id: Some(number.to_string()),
            scopes: Scopes::default(),
            expires_at: None,
            actor: Actor::system(),
        }
    }

    /// Remembers the holders of the tokens 1, 2, 3 and so on.
    fn memo_of(tokens: usize) -> Memo {
        let memo = Memo::default();
        for number in 1..=tokens {
            memo.keep(hash(number), VERSION, &holder(number));
        }
        memo
    }

    #[test]
    fn a_holder_is_recalled_while_the_view_is_as_it_was() {
        let memo = memo_of(1);
        assert_eq!(memo.recall(&hash(1), VERSION), Some(holder(1)));
        assert_eq!(memo.recall(&hash(1), VERSION), Some(holder(1)), "and again");
    }

    #[test]
    fn a_change_of_the_view_makes_all_that_was_found_before_worthless() {
        let memo = memo_of(9);
        for number in 1..=9 {
            assert_eq!(memo.recall(&hash(number), VERSION + 1), None);
        }
    }

    #[test]
    fn nothing_is_recalled_for_a_view_from_before_it_was_found() {
        assert_eq!(memo_of(1).recall(&hash(1), VERSION - 1), None);
    }

    #[test]
    fn what_is_found_after_a_change_takes_the_place_of_what_was_found_before() {
        let memo = memo_of(1);
        let changed = Principal { token_id: Some("changed".to_owned()), ..holder(1) };
        memo.keep(hash(1), VERSION + 1, &changed);
        assert_eq!(memo.recall(&hash(1), VERSION + 1), Some(changed));
        assert_eq!(memo.recall(&hash(1), VERSION), None);
    }

    #[test]
    fn a_token_that_was_not_asked_for_has_no_holder() {
        assert_eq!(memo_of(9).recall(&hash(10), VERSION), None);
    }

    #[test]
    fn however_many_tokens_come_a_bounded_number_is_remembered_and_each_with_its_own_holder() {
        let tokens = 3 * MAX_TOKENS;
        let memo = memo_of(tokens);
        let mut remembered = 0;
        for number in 1..=tokens {
            let Some(recalled) = memo.recall(&hash(number), VERSION) else { continue };
            assert_eq!(recalled, holder(number));
            remembered += 1;
        }
        assert!((1..=MAX_TOKENS).contains(&remembered), "{remembered}");
    }
}
