//! The API of a running Flowtrail: where it is, and who asks.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use reqwest::header::{AUTHORIZATION, HeaderMap};
use reqwest::{Client, Response, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::Parameters;
use crate::http_client;
use crate::terminal::visible;

/// How long nothing may come of an answer that is one piece.
pub(super) const PATIENCE: Duration = Duration::from_secs(120);

/// Where the API is, and who asks.
#[derive(Debug, Args)]
pub(crate) struct Access {
    /// Where the API is
    #[arg(long, env = "FLOWTRAIL_URL", default_value = "http://127.0.0.1:8080", value_name = "URL")]
    url: Url,

    /// A token of it: better in the environment, as the machine's other users see arguments. Default: the one in
    /// <data-dir>/admin.token
    #[arg(long, env = "FLOWTRAIL_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    token: Option<String>,
}

/// A client of the API.
pub(super) struct Api {
    client: Client,
    url: Url,
    token: String,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoAnswer {
    /// Nobody is there.
    #[error("ask {url}; is Flowtrail running there, or should FLOWTRAIL_URL name another place?")]
    Nobody {
        /// Where.
        url: Url,
        /// What failed.
        source: reqwest::Error,
    },
    /// It is refused, or somebody else answers.
    #[error("{why}")]
    Refused {
        /// How it is said in HTTP.
        status: StatusCode,
        /// In words, and what to do.
        why: String,
    },
}

impl NoAnswer {
    /// Whether the same request would have the same answer later.
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Nobody { .. } => false,
            Self::Refused { status, .. } => status.is_client_error() && *status != StatusCode::TOO_MANY_REQUESTS,
        }
    }
}

impl Api {
    /// A client as it was asked for, which gives up on an answer of which nothing comes for `patience`.
    ///
    /// # Errors
    /// When there is no token.
    pub(super) fn new(access: &Access, data_dir: &Path, patience: Duration) -> anyhow::Result<Self> {
        let token = match &access.token {
            Some(token) => token.clone(),
            None => own_token(data_dir)?,
        };
        Ok(Self { client: http_client::new(patience)?, url: access.url.clone(), token: token.trim().to_owned() })
    }

    /// What is answered at a path, read as JSON.
    ///
    /// # Errors
    /// When nobody answers, or refuses.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str, parameters: &Parameters) -> anyhow::Result<T> {
        let answer = self.open(path, parameters, HeaderMap::new()).await?;
        let body = answer.bytes().await.context("read the answer")?;
        serde_json::from_slice(&body).context("read the answer")
    }

    /// What is answered at a path, from its body on.
    ///
    /// # Errors
    /// When nobody answers, or refuses.
    pub(super) async fn open(
        &self,
        path: &str,
        parameters: &Parameters,
        headers: HeaderMap,
    ) -> Result<Response, NoAnswer> {
        let mut url = self.url.clone();
        url.set_path(path);
        url.query_pairs_mut().clear().extend_pairs(parameters);
        let request = self.client.get(url).headers(headers).header(AUTHORIZATION, format!("Token {}", self.token));
        let answer = request.send().await;
        let answer = answer.map_err(|error| NoAnswer::Nobody { url: self.url.clone(), source: error.without_url() })?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = answer.bytes().await.unwrap_or_default();
        let why = match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => format!("{}{}", visible(&problem.detail), advice(status)),
            Err(_) => format!("{} answers {status}: is it a Flowtrail?", self.url),
        };
        Err(NoAnswer::Refused { status, why })
    }
}

/// Why a request is refused (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    detail: String,
}

/// What to do about a refusal whose text does not say it.
fn advice(status: StatusCode) -> &'static str {
    match status {
        StatusCode::UNAUTHORIZED => "; say with FLOWTRAIL_TOKEN who asks: `flowtrail token create` makes a token",
        StatusCode::FORBIDDEN => "; `flowtrail token create --scopes` makes a token that has it",
        _ => "",
    }
}

/// The token that `flowtrail up` made.
fn own_token(data_dir: &Path) -> anyhow::Result<String> {
    let file = data_dir.join("admin.token");
    std::fs::read_to_string(&file).with_context(|| {
        format!(
            "read {}; say with FLOWTRAIL_TOKEN who asks, or with FLOWTRAIL_DATA_DIR where Flowtrail runs",
            file.display()
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_be_refused_again_is_told_apart_from_what_passes() {
        let refused = |status| NoAnswer::Refused { status, why: String::new() }.is_final();
        for status in [StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN] {
            assert!(refused(status), "{status}");
        }
        for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE, StatusCode::BAD_GATEWAY] {
            assert!(!refused(status), "{status}");
        }
    }
}
