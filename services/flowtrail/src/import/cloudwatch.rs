//! What CloudWatch Logs and Firehose put around a record that passes through them.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::times;

/// How the message begins that CloudWatch sends to see whether its receiver is there.
const HEALTH_CHECK: &str = "CWL CONTROL MESSAGE";

/// A record as it was delivered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Message<'a> {
    /// What was logged.
    Logged(Cow<'a, str>),
    /// Nothing was logged.
    HealthCheck,
}

/// The message of an object such as `{"message":".."}`, which Firehose writes, or `{"id":..,"timestamp":..,
/// "message":".."}`, an element of what subscriptions and `filter-log-events` give. `None`: it has no message.
pub(super) fn in_object(text: &str) -> Option<Message<'_>> {
    #[derive(Deserialize)]
    struct Delivered<'a> {
        #[serde(borrow)]
        message: &'a RawValue,
    }

    let Delivered { message } = serde_json::from_str(text).ok()?;
    let message = message.get();
    // Where a shipper has taken the message apart, it is an object.
    let logged =
        if message.starts_with('"') { Cow::Owned(serde_json::from_str(message).ok()?) } else { message.into() };
    Some(if logged.starts_with(HEALTH_CHECK) { Message::HealthCheck } else { Message::Logged(logged) })
}

/// The words of a line without the time, and without the name of a log stream, that an export or `aws logs tail` puts
/// before them; of those that follow a time, the last `count` are the record's.
pub(super) fn without_prefix<'w, 't>(words: &'w [&'t str], count: usize) -> &'w [&'t str] {
    match words {
        [first, rest @ ..] if times::begins_line(first) => rest.get(rest.len().saturating_sub(count)..).unwrap_or(rest),
        _ => words,
    }
}

/// The JSON object at the end of a line that begins with a time, and maybe the name of a log stream.
pub(super) fn object_in_line(line: &str) -> Option<&str> {
    let (prefix, _) = line.split_once('{')?;
    let first = prefix.split_ascii_whitespace().next()?;
    times::begins_line(first).then(|| &line[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_taken_out_of_every_form() {
        let logged = |text: &'static str| Some(Message::Logged(text.into()));
        assert_eq!(in_object(r#"{"message":"2 eni \"x\""}"#), logged("2 eni \"x\""));
        assert_eq!(in_object(r#"{"id":"1","timestamp":2,"message":"3"}"#), logged("3"));
        assert_eq!(in_object(r#"{"message":{"a":1}}"#), logged(r#"{"a":1}"#));
        assert_eq!(in_object(r#"{"message":"CWL CONTROL MESSAGE: Checking health"}"#), Some(Message::HealthCheck));
        assert_eq!(in_object(r#"{"other":1}"#), None);
    }

    #[test]
    fn only_a_time_is_a_prefix() {
        let words = |line: &'static str| without_prefix(&line.split(' ').collect::<Vec<_>>(), 2).join(" ");
        assert_eq!(words("2024-01-31T12:00:00.000Z a b"), "a b");
        assert_eq!(words("2024-01-31T12:00:00+00:00 stream of mine a b"), "a b");
        assert_eq!(words("a b"), "a b");
        assert_eq!(words("x a b"), "x a b");
        assert_eq!(words("2024-01-31T12:00:00Z a"), "a");
        assert_eq!(object_in_line("2024-01-31T12:00:00Z s {\"a\":{}}"), Some("{\"a\":{}}"));
        assert_eq!(object_in_line("hello {}"), None);
    }
}
