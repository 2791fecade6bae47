//! The headers that answers and requests have in addition to those of HTTP itself.

use model::delivery::Guarantee::{AtLeastOnce, ExactlyOnce};
use model::log::Stream;
use serde_json::{Map, Value, json};

/// A header of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Header {
    RequestId,
    AsOf,
    LagMs,
    Stale,
    Ignored,
    Link,
    TotalCount,
    Scanned,
    Complete,
    Guarantee,
    Location,
    SetCookie,
    RetryAfter,
    WwwAuthenticate,
    Allow,
}

impl Header {
    pub(crate) const ALL: [Self; 15] = [
        Self::RequestId,
        Self::AsOf,
        Self::LagMs,
        Self::Stale,
        Self::Ignored,
        Self::Link,
        Self::TotalCount,
        Self::Scanned,
        Self::Complete,
        Self::Guarantee,
        Self::Location,
        Self::SetCookie,
        Self::RetryAfter,
        Self::WwwAuthenticate,
        Self::Allow,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::RequestId => "X-Request-Id",
            Self::AsOf => "Flowtrail-As-Of",
            Self::LagMs => "Flowtrail-Lag-Ms",
            Self::Stale => "Flowtrail-Stale",
            Self::Ignored => "Flowtrail-Ignored",
            Self::Link => "Link",
            Self::TotalCount => "X-Total-Count",
            Self::Scanned => "Flowtrail-Scanned",
            Self::Complete => "Flowtrail-Complete",
            Self::Guarantee => "Flowtrail-Guarantee",
            Self::Location => "Location",
            Self::SetCookie => "Set-Cookie",
            Self::RetryAfter => "Retry-After",
            Self::WwwAuthenticate => "WWW-Authenticate",
            Self::Allow => "Allow",
        }
    }

    /// A reference to the header, under its name.
    pub(crate) fn referred(self) -> (String, Value) {
        (self.name().to_owned(), json!({ "$ref": format!("#/components/headers/{}", self.name()) }))
    }

    /// The header itself, under its name.
    pub(crate) fn described(self) -> (String, Value) {
        let (is_required, text, schema) = match self {
            Self::RequestId => {
                (true, "The request's own id where it brought one, else a new one.", json!({ "type": "string" }))
            }
            Self::AsOf => (
                false,
                "As of which positions of the log the answer is, or where in it stands what was written.",
                json!({ "type": "string", "examples": ["FLOWTRAIL_AUDIT:42, FLOWTRAIL_INTEGRATION:7"] }),
            ),
            Self::LagMs => (
                false,
                "For how many milliseconds the view has been behind the log.",
                json!({ "type": "integer", "minimum": 0 }),
            ),
            Self::Stale => (
                false,
                "`true` while the log cannot be reached, so that there may be more than the answer holds.",
                json!({ "type": "boolean" }),
            ),
            Self::Ignored => (
                false,
                "The parameters, or members of the body, that are not known here and were ignored: each once, with what is \
                 not visible ASCII, a comma or a percent sign percent-encoded. `...` stands for too many.",
                json!({ "type": "string", "examples": ["protcol, sort"] }),
            ),
            Self::Link => (
                false,
                "Where the next page is, with `rel=\"next\"`; absent on the last one.",
                json!({ "type": "string", "examples": ["</api/events/audit?cursor=AQ>; rel=\"next\""] }),
            ),
            Self::TotalCount => (
                false,
                "How many there are on all pages; absent where `Flowtrail-Complete` is `false`.",
                json!({ "type": "integer", "minimum": 0 }),
            ),
            Self::Scanned => (
                false,
                "How many rows were read and judged one by one for `q`; absent where none was.",
                json!({ "type": "integer", "minimum": 0 }),
            ),
            Self::Complete => (
                false,
                "`false` where there are more to judge than for one answer: the next page goes on from there.",
                json!({ "type": "boolean" }),
            ),
            Self::Guarantee => (
                false,
                "How often an event can be with the receiver, as the test event found out; absent where none was sent.",
                json!({ "type": "string", "enum": [AtLeastOnce.name(), ExactlyOnce.name()] }),
            ),
            Self::Location => (true, "Where it is.", json!({ "type": "string" })),
            Self::SetCookie => (true, "The cookie of the session, or its end.", json!({ "type": "string" })),
            Self::RetryAfter => {
                (true, "In how many seconds another try is worth it.", json!({ "type": "integer", "minimum": 1 }))
            }
            Self::WwwAuthenticate => (true, "How to bring a token.", json!({ "type": "string" })),
            Self::Allow => (true, "The methods that the path knows.", json!({ "type": "string" })),
        };
        (self.name().to_owned(), json!({ "required": is_required, "description": text, "schema": schema }))
    }
}

pub(crate) fn parameters() -> Map<String, Value> {
    let streams = Stream::ALL.map(Stream::name).join("|");
    let at_least = json!({
        "name": "Flowtrail-At-Least",
        "in": "header",
        "description": "The answer must be as of these positions of the log or later, such as those of a \
            `Flowtrail-As-Of`. What does not come within two seconds is not waited for.",
        "schema": {
            "type": "string",
            "pattern": format!("^({streams}):[0-9]{{1,19}}(, ?({streams}):[0-9]{{1,19}})*$"),
            "examples": ["FLOWTRAIL_AUDIT:42"],
        },
    });
    let request_id = json!({
        "name": "X-Request-Id",
        "in": "header",
        "description": "Comes back with the answer. Anything but 1 to 128 visible ASCII characters is replaced.",
        "schema": { "type": "string" },
    });
    [("Flowtrail-At-Least".to_owned(), at_least), ("X-Request-Id".to_owned(), request_id)].into_iter().collect()
}
