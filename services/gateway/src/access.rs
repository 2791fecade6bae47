//! Who comes in: tokens, limits, sign-in.

pub(crate) mod auth;
pub(crate) mod limits;
pub mod oidc;
pub(crate) mod sign_in;
