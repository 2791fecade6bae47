//! Who comes in: whom a token stands for, what it allows, how much anybody may ask for, and how a token is had.

pub(crate) mod auth;
pub(crate) mod caller;
pub(crate) mod limits;
pub mod oidc;
pub(crate) mod session;
pub(crate) mod sign_in;
pub(crate) mod token;
