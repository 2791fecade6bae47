//! What the errors of this crate have in common.

/// What a library said that went wrong, for logs; never for those outside.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;
