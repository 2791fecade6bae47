//! What can be wrong with one event of a body, in words for the client.

use model::audit::Reserved;
use model::envelope::Malformed;
use model::json::BadJson;

use crate::render::refusal::Refusal;

/// What is wrong with one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// With a field: `latency_ms: must be a number`.
    Field(String),
    /// With all of it.
    Event(String),
    /// Nothing; there is no randomness to make its id of.
    NoRandomness,
}

impl Problem {
    /// The refusal of a body whose event at `index` has this problem.
    pub(super) fn at(self, index: usize) -> Refusal {
        match self {
            Self::Field(text) => Refusal::Invalid(format!("events[{index}].{text}")),
            Self::Event(text) => Refusal::Invalid(format!("events[{index}]: {text}")),
            Self::NoRandomness => Refusal::Internal,
        }
    }
}

impl From<Reserved> for Problem {
    fn from(reserved: Reserved) -> Self {
        Self::Field(reserved.to_string())
    }
}

impl From<BadJson> for Problem {
    fn from(bad: BadJson) -> Self {
        match bad {
            BadJson::Field { field, problem } if field == "document" => Self::Event(problem),
            BadJson::Field { .. } => Self::Field(bad.to_string()),
            BadJson::TooDeep | BadJson::NotJson(_) => Self::Event(bad.to_string()),
        }
    }
}

impl From<Malformed> for Problem {
    fn from(malformed: Malformed) -> Self {
        match malformed {
            Malformed::Json(bad) => bad.into(),
            Malformed::Attribute { .. } => Self::Field(malformed.to_string()),
            Malformed::NoEnvelope | Malformed::OtherFormat | Malformed::TooMany | Malformed::Packed(_) => {
                Self::Event(malformed.to_string())
            }
        }
    }
}
