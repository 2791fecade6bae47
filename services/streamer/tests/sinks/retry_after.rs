//! How long a receiver wants to be left alone, on every platform that speaks HTTP.

use std::time::Duration;

use axum::http::StatusCode;
use model::integration::Platform;
use streamer::sink::{Failure, Outcome};

use crate::support::{Receiver, audits, connect_to};

const DAY: u64 = 24 * 60 * 60;

/// What `Retry-After` may say, and what is made of it; none: nothing was asked for.
const TEXTS: [(&str, Option<u64>); 8] = [
    ("0", Some(0)),
    ("7", Some(7)),
    ("99999999999999999999999999", Some(DAY)),
    ("Wed, 21 Oct 2015 07:28:00 GMT", Some(0)),
    ("Fri, 31 Dec 9999 23:59:59 GMT", Some(DAY)),
    ("-1", None),
    ("1.5", None),
    ("soon", None),
];

/// What a platform made of an answer.
async fn requested_wait(platform: Platform, status: u16, text: &str) -> Option<Duration> {
    let receiver = Receiver::start().await;
    let sink = connect_to(platform, &receiver.server.url("/"));
    receiver.answer((StatusCode::from_u16(status).unwrap(), [("retry-after", text)]));
    let failure = match sink.deliver(&audits(1..2)).await {
        Outcome::Failed(failure) => failure,
        Outcome::Partly(mut failures) => failures.remove(0).1,
        other => panic!("{platform:?}: {other:?}"),
    };
    let Failure::Retry { after, .. } = failure else { panic!("{platform:?}: {failure:?}") };
    after
}

#[tokio::test]
async fn every_platform_waits_as_long_as_it_is_asked_and_takes_junk_for_nothing() {
    for platform in Platform::ALL.into_iter().filter(|platform| *platform != Platform::Syslog) {
        for status in [429, 503] {
            for (text, expected) in TEXTS {
                let after = requested_wait(platform, status, text).await;
                assert_eq!(after, expected.map(Duration::from_secs), "{platform:?}, {status}, {text}");
            }
        }
    }
}
