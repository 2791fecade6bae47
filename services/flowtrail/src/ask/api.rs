//! The API of a running Flowtrail: where it is, and who asks.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use reqwest::header::AUTHORIZATION;
use reqwest::{Client, Response, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::http_client;

/// How long nothing may come of an answer.
const PATIENCE: Duration = Duration::from_secs(120);

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
pub(crate) struct Api {
    client: Client,
    url: Url,
    token: String,
}

impl Api {
    /// A client as it was asked for.
    ///
    /// # Errors
    /// When there is no token.
    pub(crate) fn new(access: &Access, data_dir: &Path) -> anyhow::Result<Self> {
        let token = match &access.token {
            Some(token) => token.clone(),
            None => own_token(data_dir)?,
        };
        Ok(Self { client: http_client::new(PATIENCE)?, url: access.url.clone(), token: token.trim().to_owned() })
    }

    /// What is answered at a path, read as JSON.
    ///
    /// # Errors
    /// When nobody answers, or refuses.
    pub(crate) async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        parameters: &[(&'static str, String)],
    ) -> anyhow::Result<T> {
        let body = self.open(path, parameters).await?.bytes().await.context("read the answer")?;
        serde_json::from_slice(&body).context("read the answer")
    }

    /// What is answered at a path, from its body on.
    ///
    /// # Errors
    /// When nobody answers, or refuses.
    async fn open(&self, path: &str, parameters: &[(&'static str, String)]) -> anyhow::Result<Response> {
        let mut url = self.url.join(path).with_context(|| format!("make an address of {} and {path}", self.url))?;
        url.query_pairs_mut().extend_pairs(parameters);
        let request = self.client.get(url).header(AUTHORIZATION, format!("Token {}", self.token));
        let hint =
            || format!("ask {}; is Flowtrail running there, or should FLOWTRAIL_URL name another place?", self.url);
        let answer = request.send().await.map_err(reqwest::Error::without_url).with_context(hint)?;
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        let body = answer.bytes().await.unwrap_or_default();
        match serde_json::from_slice::<Problem>(&body) {
            Ok(problem) => bail!(problem.detail),
            Err(_) => bail!("{} answers {status}: is it a Flowtrail?", self.url),
        }
    }
}

/// Why a request is refused (RFC 9457).
#[derive(Deserialize)]
struct Problem {
    detail: String,
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
