//! How memory is shared out between the views.

use std::sync::Arc;

/// Memory for what was read from disk, of all views together.
#[derive(Clone, Debug)]
pub(crate) struct Caches {
    /// Lists: the newest rows, dictionaries and columns of all accounts, so that memory goes to those that are asked for.
    pub(super) rows: Arc<segments::Cache>,
    /// For the tree of each view. What lists hold is read from it once, so the trees need little more.
    pub(super) tree_bytes: u64,
}

impl Caches {
    /// Shares `bytes` of memory out.
    pub(crate) fn new(bytes: u64) -> Self {
        // What is left is for what the caches keep apart from the bytes that they count.
        Self { rows: Arc::new(segments::Cache::new(bytes / 8 * 5)), tree_bytes: bytes / 16 }
    }
}
