//! One HTTP request and what its answer means, as far as most receivers agree.

use std::error::Error;
use std::time::{Duration, UNIX_EPOCH};

use reqwest::header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use reqwest::{RequestBuilder, Response, StatusCode};
use tokio::time::{Instant, timeout_at};

use crate::guard;
use crate::opened::{ConfigError, Opened};
use crate::sink::Failure;

/// How much of an answer's body is ever read.
const BODY_BYTES: usize = 4096;

/// A receiver that asks for more is asked again after this time all the same.
const LONGEST_PAUSE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a body may take after its head.
const BODY_TIME: Duration = Duration::from_secs(5);

/// An answer, and the start of its body.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Sends a request and reads the start of its answer. That an answer breaks off or never ends after its head is not
/// worth a retry: what it says is in its head.
pub(super) async fn send(request: RequestBuilder) -> Result<Answer, Failure> {
    send_for(request, BODY_BYTES).await
}

/// The same, where more of the answer is needed.
pub(super) async fn send_for(request: RequestBuilder, body_bytes: usize) -> Result<Answer, Failure> {
    let mut response = request.send().await.map_err(|error| unsent(&error))?;
    let body = start_of_body(&mut response, body_bytes).await;
    Ok(Answer { status: response.status(), headers: std::mem::take(response.headers_mut()), body })
}

async fn start_of_body(response: &mut Response, most: usize) -> Vec<u8> {
    let mut body = Vec::new();
    let end = Instant::now() + BODY_TIME;
    while body.len() < most {
        let Ok(Ok(Some(chunk))) = timeout_at(end, response.chunk()).await else { break };
        let room = most - body.len();
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    body
}

/// A header value that no log shows.
pub(super) fn secret_header(key: &str, value: &str) -> Result<HeaderValue, ConfigError> {
    let mut value = HeaderValue::try_from(value).map_err(|error| ConfigError::new(key, error.to_string()))?;
    value.set_sensitive(true);
    Ok(value)
}

/// Headers as their account gave them.
pub(super) fn own_headers(config: &Opened) -> Result<HeaderMap, ConfigError> {
    let mut headers = HeaderMap::new();
    for (name, value) in config.headers() {
        let key = format!("headers.{name}");
        let name = HeaderName::try_from(name).map_err(|error| ConfigError::new(&key, error.to_string()))?;
        headers.insert(name, secret_header(&key, value.reveal())?);
    }
    Ok(headers)
}

/// How much of a receiver's own words is passed on.
const QUOTE_CHARACTERS: usize = 256;

/// What a receiver said, as people may be shown it: its beginning, on one line. None of nothing.
pub(super) fn quoted(text: &str) -> Option<String> {
    let words: Vec<&str> = text.split(|character: char| character.is_whitespace() || character.is_control()).collect();
    let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    let end = line.char_indices().nth(QUOTE_CHARACTERS).map(|(at, _)| at);
    match end {
        _ if line.is_empty() => None,
        None => Some(line),
        Some(end) => Some(format!("{}…", &line[..end])),
    }
}

/// There was no answer.
fn unsent(error: &reqwest::Error) -> Failure {
    if let Some(blocked) = guard::blocked_by(error) {
        return Failure::stop(format!("the receiver's name {blocked}"));
    }
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else {
        "the connection broke"
    };
    Failure::retry(format!("{what}: {}", innermost(error)))
}

/// The last cause says what happened; those before it repeat the URL.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    if last.is::<reqwest::Error>() { "nothing more is known".to_owned() } else { last.to_string() }
}

impl Answer {
    /// What the status means to most receivers: 2xx is delivered.
    pub(super) fn judge(&self) -> Result<(), Failure> {
        let code = self.status.as_u16();
        let status = Some(code);
        match code {
            200..=299 => Ok(()),
            413 => Err(Failure::TooLarge),
            300..=399 => {
                let reason = format!("the receiver answered {code}, and redirects are not followed");
                Err(Failure::Retry { after: None, status, reason })
            }
            401 | 403 | 407 => {
                Err(Failure::Stop { status, reason: format!("the receiver answered {code}: check the credentials") })
            }
            410 => Err(Failure::Stop { status, reason: "the receiver answered 410: it is gone for good".to_owned() }),
            400 | 406 | 409 | 411 | 412 | 414 | 415 | 417 | 422 | 431 | 451 => {
                Err(Failure::Refused { status, reason: format!("the receiver answered {code}") })
            }
            _ => Err(self.retry(format!("the receiver answered {code}"))),
        }
    }

    pub(super) fn retry(&self, reason: String) -> Failure {
        Failure::Retry { after: retry_after(&self.headers), status: Some(self.status.as_u16()), reason }
    }
}

/// `Retry-After`, in seconds or as a date (RFC 9110, 10.2.3).
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    // RFC 9110 knows digits alone: a sign, a fraction or words are no pause at all, and a number that no integer holds is
    // a long one.
    let is_seconds = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let pause = match is_seconds {
        true => text.parse().map_or(LONGEST_PAUSE, Duration::from_secs),
        false => {
            let until = httpdate::parse_http_date(text).ok()?.duration_since(UNIX_EPOCH).ok()?;
            let now = Duration::from_micros(u64::try_from(runtime::clock::now_micros()).ok()?);
            until.saturating_sub(now)
        }
    };
    Some(pause.min(LONGEST_PAUSE))
}
