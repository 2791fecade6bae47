//! How a call ended: CloudTrail says it with an error code, and of sign-ins in a member of its own.

use super::super::item::Item;

/// What a record says of an error.
pub(super) struct Outcome<'a> {
    pub(super) code: Option<&'a str>,
    pub(super) message: Option<&'a str>,
}

impl Outcome<'_> {
    /// `success`, `failure` or `denied`. `told` are the objects in which a sign-in tells how it ended.
    pub(super) fn status(&self, event_name: &str, told: [Option<&Item<'_>>; 2]) -> &'static str {
        if let Some(code) = self.code {
            return if is_denied(code) { "denied" } else { "failure" };
        }
        // `ConsoleLogin`, `CheckMfa`, `SwitchRole` and `CredentialVerification` are names of events and of these members.
        let ended = told.into_iter().flatten().find_map(|object| object.text(event_name));
        match ended.as_deref() {
            Some("Success") => "success",
            Some("Failure") => "failure",
            // What succeeded has no message of an error.
            _ if self.message.is_some() => "failure",
            _ => "success",
        }
    }
}

/// Whether a call was refused for want of a permission, by the codes of AWS's services.
fn is_denied(code: &str) -> bool {
    // EC2 writes `Client.UnauthorizedOperation`, VPC endpoints `VpceAccessDenied`, SNS `AuthorizationError`.
    let kind = code.rsplit('.').next().unwrap_or(code);
    kind.contains("AccessDenied") || kind.starts_with("Unauthorized") || kind.starts_with("AuthorizationError")
}
