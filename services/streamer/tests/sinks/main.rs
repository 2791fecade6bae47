//! What every sink sends, to receivers that record it and to programs of others that stand in for the platforms.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a failed test is a panic")]

mod daemon;
mod datadog;
mod firehose;
mod generic_http;
mod guard;
mod lake;
mod otlp;
mod parquet;
mod payload;
mod retry_after;
mod rsyslog;
mod s3;
mod splunk_hec;
mod support;
mod syslog;
mod syslog_daemons;
mod syslog_ng;
