//! What CloudTrail's records come in besides files of a bucket.

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::super::cloudwatch::{self, Message};
use super::super::skipped::Skipped;

/// What an object holds that is no record.
pub(super) enum Carried<'a> {
    /// A record, or something that holds one.
    Inside(Cow<'a, str>),
    /// None, and none is missing.
    Nothing(Skipped),
}

/// Takes one cover off: EventBridge's `detail`, the text in `CloudTrailEvent` of `aws cloudtrail lookup-events`, the
/// `message` of CloudWatch Logs and Firehose, the time before a line. `None`: it is none of these.
pub(super) fn open(text: &str) -> Option<Carried<'_>> {
    #[derive(Deserialize)]
    struct Cover<'a> {
        #[serde(borrow)]
        detail: Option<&'a RawValue>,
        #[serde(rename = "CloudTrailEvent")]
        looked_up: Option<String>,
        #[serde(rename = "digestStartTime")]
        digest: Option<IgnoredAny>,
    }

    if !text.starts_with('{') {
        return cloudwatch::object_in_line(text).map(|object| Carried::Inside(object.into()));
    }
    let cover: Cover<'_> = serde_json::from_str(text).ok()?;
    if cover.digest.is_some() {
        return Some(Carried::Nothing(Skipped::Digest));
    }
    if let Some(record) = cover.looked_up {
        return Some(Carried::Inside(record.into()));
    }
    if let Some(record) = cover.detail {
        return Some(Carried::Inside(record.get().into()));
    }
    match cloudwatch::in_object(text)? {
        Message::Logged(message) => Some(Carried::Inside(message)),
        Message::HealthCheck => Some(Carried::Nothing(Skipped::HealthCheck)),
    }
}
