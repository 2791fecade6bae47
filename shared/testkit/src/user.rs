//! Who asks Amazon's services, or what stands in for them.

/// Credentials.
#[derive(Clone, Debug)]
pub struct User {
    /// The access key id, which is sent.
    pub access_key: String,
    /// Signs requests, and is never sent.
    pub secret_key: String,
}
