//! Amazon S3 and what speaks its language: one object for each hour and kind of a batch, each event in exactly one.
//!
//! Invariant: an object's name and bytes follow from its items alone, and it is written only where there is none, so
//! a second attempt either writes the same object or finds it there. Where a store knows no conditional writes, a second
//! attempt writes the same object again.

mod columns;
mod format;
mod key;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use model::delivery::Guarantee;
use model::time::Timestamp;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE, IF_NONE_MATCH};
use reqwest::{Client, StatusCode, Url};
use sha2::{Digest, Sha256};

use self::format::Format;
use self::key::partition;
use super::aws::{self, Service, Signer};
use super::document::Document;
use super::http::{self, Answer};
use crate::guard::Guard;
use crate::opened::{ConfigError, Opened};
use crate::sink::{Failure, Item, Limits, Outcome, Partition};

/// A bucket.
#[derive(Debug)]
pub(super) struct S3 {
    client: Client,
    signer: Signer,
    /// Scheme, host and what stands before the key, without a slash at its end.
    base: String,
    bucket: String,
    prefix: String,
    format: Format,
    wait: Duration,
    retention: Option<Retention>,
    /// The store said that it knows no conditional writes.
    is_unconditional: AtomicBool,
}

/// How long an object cannot be deleted, in a bucket with Object Lock.
#[derive(Debug)]
struct Retention {
    mode: String,
    days: i64,
}

/// What stands in the path of a key as it is. Everything else is encoded once, as signatures want it.
const KEY: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~').remove(b'/');

const DAY: i64 = 24 * 3600 * 1_000_000;

const DEFAULT_WAIT: Duration = Duration::from_secs(300);

impl S3 {
    pub(super) fn new(config: &Opened, guard: &Guard) -> Result<Self, ConfigError> {
        let signer = Signer::new(config, Service::S3)?;
        let bucket = config.required("bucket_name")?.to_owned();
        let endpoint = config.text("endpoint").map_or_else(|| format!("https://{}", signer.host()), str::to_owned);
        let key = if config.text("endpoint").is_some() { "endpoint" } else { "region" };
        // The bucket as part of the host's name is Amazon's way; others, and names with a dot, which no certificate
        // fits, have it in the path.
        let default_style = config.text("endpoint").is_some() || bucket.contains('.');
        let path_style = config.text("path_style").map_or(default_style, |style| style == "true");
        let base =
            base(&endpoint, &bucket, path_style).ok_or_else(|| ConfigError::new(key, "must be a web address"))?;
        let prefix = config.text("prefix").map(|prefix| format!("{}/", prefix.trim_end_matches('/')));
        let wait = config.text("batch_seconds").and_then(|seconds| seconds.parse().ok()).map(Duration::from_secs);
        Ok(Self {
            client: guard.client(key, &base)?,
            signer,
            base,
            bucket,
            prefix: prefix.unwrap_or_default(),
            format: Format::of(config.text("format"))?,
            wait: wait.unwrap_or(DEFAULT_WAIT),
            retention: retention(config)?,
            is_unconditional: AtomicBool::new(false),
        })
    }

    pub(super) const fn limits(&self) -> Limits {
        Limits { items: 100_000, bytes: 10_000_000, wait: self.wait }
    }

    pub(super) fn size(item: &Item) -> usize {
        Document::new(item).to_json().len() + 1
    }

    /// Each has an object of its own.
    pub(super) fn partition(item: &Item) -> Partition {
        partition(item)
    }

    /// One object after the other. Where one is not written, those before it are, and those after it are not tried.
    pub(super) async fn deliver(&self, items: &[Item]) -> Outcome {
        let mut partitions: BTreeMap<Partition, Vec<usize>> = BTreeMap::new();
        for (index, item) in items.iter().enumerate() {
            partitions.entry(partition(item)).or_default().push(index);
        }
        let partitions: Vec<Vec<usize>> = partitions.into_values().collect();
        for (written, indices) in partitions.iter().enumerate() {
            let object: Vec<&Item> = indices.iter().filter_map(|index| items.get(*index)).collect();
            match self.put(&object).await {
                Ok(()) => {}
                Err(failure) if written == 0 => return Outcome::Failed(failure),
                Err(failure) => {
                    // An object that is refused as it is must be made smaller, which is done with whole batches: with
                    // the one that is left, when it comes first there.
                    let failure = match failure {
                        Failure::Refused { .. } | Failure::TooLarge => Failure::Untried,
                        Failure::Retry { .. } | Failure::Stop { .. } | Failure::Untried => failure,
                    };
                    let this = indices.iter().map(|index| (*index, failure.clone()));
                    let rest = partitions.iter().skip(written + 1).flatten().map(|index| (*index, Failure::Untried));
                    return Outcome::partly(this.chain(rest).collect());
                }
            }
        }
        Outcome::Delivered
    }

    /// Writes a test event twice: a store that honours conditional writes refuses the second one.
    pub(super) async fn try_out(&self, event: &Item) -> Result<Guarantee, Failure> {
        self.look_for_bucket().await?;
        self.put(&[event]).await?;
        if self.is_unconditional.load(Ordering::Relaxed) {
            return Ok(Guarantee::AtLeastOnce);
        }
        let answer = self.send(&[event], true).await?;
        self.judge(&answer)?;
        let is_refused = answer.status == StatusCode::PRECONDITION_FAILED;
        Ok(if is_refused { Guarantee::ExactlyOnce } else { Guarantee::AtLeastOnce })
    }

    /// Some stores take an object into a bucket that is not there. Whether it is may be none of the credentials'
    /// business: only a clear no counts.
    async fn look_for_bucket(&self) -> Result<(), Failure> {
        let answer = http::send(self.signer.sign(&self.client, self.client.head(format!("{}/", self.base)))?).await?;
        if answer.status == StatusCode::NOT_FOUND {
            return Err(Failure::Stop { status: Some(404), reason: format!("there is no bucket {}", self.bucket) });
        }
        Ok(())
    }

    /// Writes an object; its items are of one partition.
    async fn put(&self, items: &[&Item]) -> Result<(), Failure> {
        let is_conditional = !self.is_unconditional.load(Ordering::Relaxed);
        let mut answer = self.send(items, is_conditional).await?;
        if is_conditional && answer.status == StatusCode::NOT_IMPLEMENTED {
            self.is_unconditional.store(true, Ordering::Relaxed);
            answer = self.send(items, false).await?;
        }
        self.judge(&answer)
    }

    async fn send(&self, items: &[&Item], is_conditional: bool) -> Result<Answer, Failure> {
        let key = format!("{}{}.{}", self.prefix, key::key(items), self.format.extension());
        let url = format!("{}/{}", self.base, utf8_percent_encode(&key, KEY));
        let url: Url = url.parse().map_err(|_| Failure::stop("the bucket and prefix give no web address"))?;
        let body = self.format.bytes(items).await?;
        let mut request = self.client.put(url).header(CONTENT_TYPE, self.format.media_type());
        if is_conditional {
            request = request.header(IF_NONE_MATCH, "*");
        }
        if let Some(encoding) = self.format.encoding() {
            request = request.header(CONTENT_ENCODING, encoding);
        }
        // A bucket with Object Lock takes nothing without a checksum; any other one checks it as well.
        request = request.header("x-amz-checksum-sha256", STANDARD.encode(Sha256::digest(&body)));
        // With a retention period, stores look for this name of it, or for Content-MD5, and not for the checksum itself.
        request = request.header("x-amz-sdk-checksum-algorithm", "SHA256");
        if let Some(Retention { mode, days }) = &self.retention {
            let until = runtime::clock::now_micros().saturating_add(days * DAY);
            let until = Timestamp::from_micros(until).unwrap_or(Timestamp::LAST);
            request = request.header("x-amz-object-lock-mode", mode);
            request = request.header("x-amz-object-lock-retain-until-date", until.to_string());
        }
        http::send(self.signer.sign(&self.client, request.body(body))?).await
    }

    fn judge(&self, answer: &Answer) -> Result<(), Failure> {
        let name = aws::error_code(&answer.body).unwrap_or_default();
        let code = answer.status.as_u16();
        let bucket = &self.bucket;
        let why = || aws::error_message(&answer.body).map(|why| format!(": {why}")).unwrap_or_default();
        let stop = |reason: String| Err(Failure::Stop { status: Some(code), reason });
        if let Some(problem) = aws::credentials_problem(name) {
            return stop(format!("the bucket {bucket} refused the object: {problem} ({name}{})", why()));
        }
        match (code, name) {
            // It is there already: the first attempt's answer was lost.
            (200..=299 | 412, _) => Ok(()),
            (_, "NoSuchBucket") => stop(format!("there is no bucket {bucket}")),
            (301, _)
            | (_, "PermanentRedirect" | "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") => {
                stop(format!("the bucket {bucket} is not in the region {}", self.signer.region()))
            }
            (403, _) => stop(format!("the bucket {bucket} refused the object: check the credentials{}", why())),
            (501, _) => stop(format!("{}{}", format!("the receiver answered 501 {name}").trim_end(), why())),
            (413, _) | (_, "EntityTooLarge") => Err(Failure::TooLarge),
            (409, _) | (_, "RequestTimeout" | "SlowDown" | "ServiceUnavailable" | "InternalError") => {
                Err(answer.retry(format!("the receiver answered {code} {name}").trim_end().to_owned()))
            }
            // What stands in an object is no reason to refuse it.
            (400, _) => stop(format!("{}{}", format!("the receiver answered 400 {name}").trim_end(), why())),
            _ => answer.judge().map_err(|failure| failure.explained(&format!(" {name}{}", why()))),
        }
    }
}

fn retention(config: &Opened) -> Result<Option<Retention>, ConfigError> {
    match (config.text("object_lock_mode"), config.text("object_lock_days").map(str::parse)) {
        (None, None) => Ok(None),
        (Some(mode), Some(Ok(days))) => Ok(Some(Retention { mode: mode.to_owned(), days })),
        (Some(_), None) => Err(ConfigError::new("object_lock_days", "is required with object_lock_mode")),
        (None, Some(_)) => Err(ConfigError::new("object_lock_mode", "is required with object_lock_days")),
        (_, Some(Err(_))) => Err(ConfigError::new("object_lock_days", "must be a number of days")),
    }
}

fn base(endpoint: &str, bucket: &str, path_style: bool) -> Option<String> {
    let (scheme, rest) = endpoint.trim_end_matches('/').split_once("://")?;
    Some(if path_style { format!("{scheme}://{rest}/{bucket}") } else { format!("{scheme}://{bucket}.{rest}") })
}
