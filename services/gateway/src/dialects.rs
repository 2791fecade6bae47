//! The dialects: each reads its own parameters, asks, and renders the answer as its clients know it.

pub(crate) mod instavm;
pub(crate) mod native;
pub(crate) mod netbird;
pub(crate) mod vrni;
