//! A client of the API on one connection, which takes the time of every answer.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use bytes::Bytes;
use model::log::LogPosition;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, LINK};
use reqwest::{Method, RequestBuilder, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

pub(crate) const TRAFFIC: &str = "/api/events/network-traffic";
pub(crate) const AUDIT: &str = "/api/events/audit";
pub(crate) const ALIVE: &str = "/healthz";
pub(crate) const READY: &str = "/readyz";

/// A list of a million records may be scanned by a busy machine.
const ANSWERS_WITHIN: Duration = Duration::from_secs(180);

/// Not to be cloned: each client has a connection of its own.
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
}

/// An answer that says yes, and how long it took until the last byte.
pub(crate) struct Answer {
    headers: HeaderMap,
    body: Bytes,
    pub(crate) took: Duration,
}

impl Client {
    /// One that signs in with `token`.
    pub(crate) fn new(base: &Url, token: &str) -> anyhow::Result<Self> {
        let mut authorization = HeaderValue::from_str(&format!("Token {token}")).context("read the token")?;
        authorization.set_sensitive(true);
        // The streamer's build of the library has TLS without a provider of cryptography.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder()
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, authorization)]))
            .pool_max_idle_per_host(1)
            .no_proxy()
            .timeout(ANSWERS_WITHIN)
            .build()
            .context("make an HTTP client")?;
        Ok(Self { http, base: base.clone() })
    }

    pub(crate) async fn get(&self, path: &str, parameters: &[(&str, String)]) -> anyhow::Result<Answer> {
        let request = self.http.get(self.url(path, parameters)?);
        take(request, StatusCode::OK).await.with_context(|| format!("GET {path} {parameters:?}"))
    }

    /// Asks as soon as the view has `position`, or has waited long enough for it.
    pub(crate) async fn get_at_least(&self, path: &str, position: LogPosition) -> anyhow::Result<Answer> {
        let request = self.http.get(self.url(path, &[limit_of(path, 1)])?);
        let request = request.header("Flowtrail-At-Least", position.to_string());
        take(request, StatusCode::OK).await.with_context(|| format!("GET {path} as of {position}"))
    }

    /// Posts a JSON body that is to be accepted.
    pub(crate) async fn post(&self, path: &str, body: Bytes) -> anyhow::Result<Answer> {
        let request = self.http.post(self.url(path, &[])?).header(CONTENT_TYPE, "application/json").body(body);
        take(request, StatusCode::ACCEPTED).await.with_context(|| format!("POST {path}"))
    }

    /// Sends an order with a JSON body that is to be carried out, and gives the answer.
    pub(crate) async fn order(&self, method: &str, path: &str, body: &Value) -> anyhow::Result<Value> {
        let method = Method::from_bytes(method.as_bytes()).context("read the method")?;
        let request = self.http.request(method, self.url(path, &[])?).json(body);
        take(request, StatusCode::OK).await.with_context(|| format!("send to {path}"))?.json()
    }

    fn url(&self, path: &str, parameters: &[(&str, String)]) -> anyhow::Result<Url> {
        let mut url = self.base.join(path).context("make a URL")?;
        if !parameters.is_empty() {
            url.query_pairs_mut().extend_pairs(parameters);
        }
        Ok(url)
    }
}

impl Answer {
    /// How many rows there are in all, whatever the page shows.
    pub(crate) fn total(&self) -> anyhow::Result<u64> {
        if let Some(total) = self.headers.get("x-total-count") {
            return total.to_str().context("read the total")?.parse().context("read the total");
        }
        self.json()?["total_records"].as_u64().context("there is no total in the answer")
    }

    /// How many events were accepted.
    pub(crate) fn accepted(&self) -> anyhow::Result<u64> {
        self.json()?["accepted"].as_u64().context("the answer does not say how many events were accepted")
    }

    /// Whether the answer is as of `position` or later.
    pub(crate) fn has(&self, position: LogPosition) -> bool {
        let as_of = self.headers.get("flowtrail-as-of").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let positions = as_of.split(", ").filter_map(|text| text.parse::<LogPosition>().ok());
        positions.into_iter().any(|as_of| as_of.stream == position.stream && as_of.sequence >= position.sequence)
    }

    /// Reads its body.
    pub(crate) fn read<T: DeserializeOwned>(&self) -> anyhow::Result<T> {
        serde_json::from_slice(&self.body).context("read the answer")
    }

    /// The cursor of the next page, when there is one.
    pub(crate) fn next_cursor(&self) -> Option<String> {
        let link = self.headers.get(LINK)?.to_str().ok()?;
        let target = link.strip_prefix('<')?.split_once('>')?.0;
        let next = Url::parse("http://localhost").ok()?.join(target).ok()?;
        next.query_pairs().find(|(name, _)| name == "cursor").map(|(_, cursor)| cursor.into_owned())
    }

    fn json(&self) -> anyhow::Result<Value> {
        self.read()
    }
}

/// The parameter that says how many rows a list shows.
pub(crate) fn limit_of(path: &str, rows: u32) -> (&'static str, String) {
    (if path == AUDIT { "limit" } else { "page_size" }, rows.to_string())
}

async fn take(request: RequestBuilder, wanted: StatusCode) -> anyhow::Result<Answer> {
    let started = Instant::now();
    let response = request.send().await?;
    let (status, headers) = (response.status(), response.headers().clone());
    let body = response.bytes().await?;
    let took = started.elapsed();
    if status != wanted {
        bail!("answered {status}: {}", String::from_utf8_lossy(&body));
    }
    ensure!(!body.is_empty(), "answered with nothing");
    Ok(Answer { headers, body, took })
}
