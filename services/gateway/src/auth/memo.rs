//! Whom tokens stood for when it was last asked.
//!
//! Invariant: what is remembered was found in the access view as it still is. Whatever is observed in the view, such
//! as the end of a token, makes all of it worthless.

use model::access::{Principal, TokenHash};
use quick_cache::sync::Cache;

/// So many tokens are remembered.
const TOKENS: usize = 4096;

/// The holders of tokens that are good.
#[derive(Debug)]
pub(crate) struct Memo(Cache<TokenHash, (u64, Principal)>);

impl Default for Memo {
    fn default() -> Self {
        Self(Cache::new(TOKENS))
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
