//! AWS CloudTrail records: `{"Records":[..]}` as CloudTrail stores them, arrays, or one object a line; what `aws
//! cloudtrail lookup-events` prints; and as EventBridge, CloudWatch Logs and Firehose deliver them. By every way a
//! record has the same id.
//!
//! | CloudTrail | Flowtrail |
//! |---|---|
//! | `eventID` | event id; without one: a hash of the record |
//! | `eventTime`, else `@timestamp` | the event's time |
//! | `eventSource`, `eventName` | `event_type`: `ec2.amazonaws.com` and `RunInstances` are `ec2.RunInstances` |
//! | `userIdentity`: `arn`, else `principalId`, `onBehalfOf.userId`, `invokedBy`, `userName`, `accountId`, `type` | `actor_id` |
//! | `userIdentity`: `userName`, else `sessionContext.sessionIssuer.userName`, `invokedBy`; else `additionalEventData.UserName` | `actor_name` |
//! | `userIdentity.type` | `actor_type` |
//! | `errorCode` | `status`: `denied` for `..AccessDenied..`, `Unauthorized..`, `AuthorizationError..`, else `failure`; without one `success` |
//! | the member named like the event, of `responseElements` or `serviceEventDetails`: `Failure` | `status` `failure`: a failed sign-in has no error code |
//! | `errorMessage`, else `errorCode` | `error_message`; a message without a code is a `failure` too |
//! | `sourceIPAddress`, `userAgent`, `requestID` | `ip_address`, `user_agent`, `request_id` |
//! | `sharedEventID` | `correlation_id`: both sides of an access across accounts have it |
//! | first of `resources` with an `ARN` | `resource_type`, `resource_id` |
//! | else what `requestParameters` names | likewise; the type is known by the service, else there is none |
//! | `awsRegion`, `eventSource`, `eventType`, `eventCategory`, `recipientAccountId`, `errorCode`, `readOnly` | `meta`: `aws_region`, `event_source`, `aws_event_type`, `event_category`, `aws_account`, `error_code`, `read_only` |
//! | `userIdentity`, `requestParameters`, `responseElements`, `additionalEventData`, `serviceEventDetails`, `insightDetails`, `resources` | `event_payload`, in snake case |
//! | Insights: `insightDetails.insightType` | `event_type`: `cloudtrail.ApiCallRateInsight` |
//! | Insights: `insightDetails.state` | `status`: `started` for `Start`, else `success` |
//! | digests | nothing: they are skipped |

mod carrier;
mod record;
mod resource;
mod status;

use std::borrow::Cow;

use model::json;

use self::carrier::Carried;
use self::record::Record;
use super::draft::{Draft, Mapped, Rejected, id_of_text};
use super::mending;

/// How many covers a record may be in: EventBridge's, in that of CloudWatch Logs, in a line.
const MOST_COVERS: usize = 3;

/// Maps one record.
pub(super) fn map(text: &str) -> Result<Mapped<'static>, Rejected> {
    uncovered(text, MOST_COVERS)
}

/// Maps a record that may be in so many covers.
fn uncovered(text: &str, covers: usize) -> Result<Mapped<'static>, Rejected> {
    if let Some(record) = serde_json::from_str(text).ok().filter(Record::is_record) {
        return draft(text, record);
    }
    let carried = if covers > 0 { carrier::open(text) } else { None };
    match carried {
        // What was a text in JSON has escapes of its own.
        Some(Carried::Inside(next)) => mending::map(&next, |next| uncovered(next, covers - 1)).map(Mapped::into_owned),
        Some(Carried::Nothing(why)) => Ok(Mapped::Skipped(why)),
        None => {
            // Read again for the words that say what is wrong.
            let record: Record<'_> = json::read_part(text.as_bytes())?;
            if record.is_record() { draft(text, record) } else { Err(Rejected::missing("eventName")) }
        }
    }
}

fn draft(text: &str, record: Record<'_>) -> Result<Mapped<'static>, Rejected> {
    let time = record.time().ok_or_else(|| Rejected::missing("eventTime"))?;
    let id = record.event_id.clone().filter(|id| !id.is_empty());
    let id = id.unwrap_or_else(|| id_of_text("aws-cloudtrail", text));
    Ok(Mapped::Event(Draft { id, time: Some(time), data: Cow::Owned(record.data()?) }))
}

#[cfg(test)]
mod tests;
