//! What only Flowtrail's own audit events say of themselves.
//!
//! Invariant: an event that a publisher without rights on the log brings in is never taken for one of them. Who may publish
//! into the log itself is trusted with the source that it names.

use super::reads::is_read;
use crate::access::Actor;

/// The source of Flowtrail's own audit events, and the last part of the subject of those that it publishes.
pub const OWN_SOURCE: &str = "flowtrail";

/// How types of events begin that tell of Flowtrail's own tokens and integrations. NetBird has such types too, so that they
/// are its own where Flowtrail itself is the actor.
const OWN_TYPES: [&str; 2] = ["personal.access.token.", "integration."];

/// What of an event is reserved. Its text begins with the name of the member.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Reserved {
    /// Its source is [`OWN_SOURCE`], or a part of it such as `flowtrail/commands`.
    #[error("source: {0:?} is reserved for Flowtrail's own events")]
    Source(String),
    /// It says that the log was read, which lists leave out.
    #[error("event_type: {0:?} is reserved for Flowtrail's own events")]
    Read(String),
    /// Flowtrail itself is said to have done it to a token or an integration.
    #[error("actor_id: {actor:?} is reserved in events of the type {event_type:?} for Flowtrail's own")]
    Actor {
        /// The actor's id.
        actor: String,
        /// What is said to have happened.
        event_type: String,
    },
}

/// What of an event only Flowtrail's own say; None where it cannot be taken for one.
pub(super) fn reserved(source: &str, event_type: &str, actor_id: Option<&str>) -> Option<Reserved> {
    if is_own(source) {
        return Some(Reserved::Source(source.to_owned()));
    }
    if is_read(event_type) {
        return Some(Reserved::Read(event_type.to_owned()));
    }
    let actor = actor_id.filter(|actor| *actor == Actor::system().id)?;
    let is_of_own_type = OWN_TYPES.iter().any(|start| event_type.starts_with(start));
    is_of_own_type.then(|| Reserved::Actor { actor: actor.to_owned(), event_type: event_type.to_owned() })
}

/// In any case and with blanks around it, for it is read by people.
fn is_own(source: &str) -> bool {
    let first_part = source.split('/').next().unwrap_or_default();
    first_part.trim().eq_ignore_ascii_case(OWN_SOURCE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flowtrails_own_source_is_reserved_however_it_is_written() {
        for source in ["flowtrail", "Flowtrail", " flowtrail ", "flowtrail/commands"] {
            let told = reserved(source, "door.open", None).unwrap();
            assert_eq!(told, Reserved::Source(source.to_owned()));
            assert!(told.to_string().starts_with("source: "), "{told}");
        }
        for source in ["http", "", "/flowtrail", "flowtrails", "my-flowtrail"] {
            assert_eq!(reserved(source, "door.open", None), None, "{source:?}");
        }
    }

    #[test]
    fn records_of_reads_are_reserved() {
        for kind in super::super::READS {
            assert_eq!(reserved("http", kind, None), Some(Reserved::Read(kind.to_owned())));
        }
        assert_eq!(reserved("http", "file.read", None), None);
    }

    #[test]
    fn what_flowtrail_does_to_tokens_and_integrations_is_reserved_and_what_others_do_to_theirs_is_not() {
        for kind in ["personal.access.token.create", "integration.delete"] {
            let told = reserved("http", kind, Some("sys")).unwrap();
            assert!(told.to_string().starts_with("actor_id: \"sys\" is reserved"), "{told}");
            assert_eq!(reserved("http", kind, Some("alice")), None);
        }
        assert_eq!(reserved("http", "route.add", Some("sys")), None);
    }
}
