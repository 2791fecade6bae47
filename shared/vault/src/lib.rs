//! Secrets at rest and on their way: the master key, the keys it wraps, what they seal, and password hashes.
//!
//! Invariants: every integration has a key of its own, stored only wrapped by the master key; a sealed value opens
//! only for the account, integration and field it was sealed for; destroying the wrapped key destroys the secrets.

mod master;
mod password;
mod seal;
mod transit;

pub use master::{MasterKey, MasterKeyError};
pub use password::{HashError, hash_password, verify_password};
pub use seal::{DataKey, Owner, Unopenable, Unsealable};
pub use transit::{BadLock, TransitKey, TransitLock};
