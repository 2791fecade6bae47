//! The lists of a NetBird, or of another Flowtrail, page by page into files that the importers read.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use reqwest::header::{AUTHORIZATION, HeaderMap, LINK};
use reqwest::{Client, Url};
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::format::Format;
use crate::http_client;

const AUDIT: &str = "/api/events/audit";
const TRAFFIC: &str = "/api/events/network-traffic";
/// The most that NetBird lists of the audit log; it has no second page.
const MOST_AUDIT_EVENTS: usize = 10_000;
/// Records of traffic in one answer: some 10 MB.
const PAGE_SIZE: u32 = 10_000;
/// How long nothing may come of an answer.
const PATIENCE: Duration = Duration::from_secs(120);

/// Where the lists are, and what opens them.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Service {
    /// Where the API is that `netbird` reads, such as https://api.netbird.io
    #[arg(long, requires = "token", value_name = "URL")]
    pub(crate) url: Option<Url>,

    /// A token of that API
    #[arg(long, env = "NETBIRD_API_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
}

/// Fetches both lists into a folder; gives the files of each format, in the order of their pages.
///
/// # Errors
/// When the service cannot be reached, or answers with anything but a list.
pub(super) async fn fetch(service: &Service, folder: &Path) -> anyhow::Result<Vec<(Format, Vec<PathBuf>)>> {
    let (Some(url), Some(token)) = (&service.url, &service.token) else {
        bail!("netbird needs --url and --token");
    };
    let api = Api { client: http_client::new(PATIENCE)?, url, token, folder };
    Ok(vec![(Format::Audit, api.audit().await?), (Format::Traffic, api.traffic().await?)])
}

struct Api<'a> {
    client: Client,
    url: &'a Url,
    token: &'a str,
    folder: &'a Path,
}

impl Api<'_> {
    /// One answer, or the pages that Flowtrail links one to the next.
    async fn audit(&self) -> anyhow::Result<Vec<PathBuf>> {
        let mut files = Vec::new();
        let mut next = Some(AUDIT.to_owned());
        while let Some(path) = next {
            let (headers, body) = self.get(&path).await?;
            let events: Vec<IgnoredAny> = serde_json::from_slice(&body).context("read the list of audit events")?;
            files.push(self.write(&format!("audit-{}.json", files.len() + 1), &body)?);
            next = next_page(&headers);
            if next.is_none() && events.len() >= MOST_AUDIT_EVENTS {
                bail!(
                    "{} lists {MOST_AUDIT_EVENTS} audit events and no more, so that older ones may be missing; to import \
                     what it lists, save {AUDIT} to a file and use `flowtrail import audit FILE`",
                    self.url
                );
            }
        }
        Ok(files)
    }

    async fn traffic(&self) -> anyhow::Result<Vec<PathBuf>> {
        #[derive(Deserialize)]
        struct Page {
            total_pages: u64,
        }

        let mut files = Vec::new();
        let mut page = 1;
        loop {
            let (_, body) = self.get(&format!("{TRAFFIC}?page={page}&page_size={PAGE_SIZE}")).await?;
            let Page { total_pages } = serde_json::from_slice(&body).context("read the list of traffic")?;
            files.push(self.write(&format!("traffic-{page}.json"), &body)?);
            // Records that come meanwhile move others to later pages: some are read twice, none is left out.
            if page >= total_pages {
                return Ok(files);
            }
            page += 1;
        }
    }

    async fn get(&self, path: &str) -> anyhow::Result<(HeaderMap, Vec<u8>)> {
        // The token goes to the host that it was given for, whatever a link says.
        let url = self.url.join(path).with_context(|| format!("make an address of {path}"))?;
        anyhow::ensure!(url.origin() == self.url.origin(), "{url} is not of {}", self.url);
        let request = self.client.get(url.clone()).header(AUTHORIZATION, format!("Token {}", self.token));
        let answer = request.send().await.with_context(|| format!("GET {url}"))?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        let body = answer.bytes().await.with_context(|| format!("GET {url}"))?;
        if !status.is_success() {
            bail!("GET {url} answered {status}: {}", String::from_utf8_lossy(&body).trim());
        }
        Ok((headers, body.to_vec()))
    }

    fn write(&self, name: &str, body: &[u8]) -> anyhow::Result<PathBuf> {
        let file = self.folder.join(name);
        std::fs::write(&file, body).with_context(|| format!("write {}", file.display()))?;
        Ok(file)
    }
}

/// `Link: </api/events/audit?cursor=..>; rel="next"`.
fn next_page(headers: &HeaderMap) -> Option<String> {
    let link = headers.get(LINK)?.to_str().ok()?;
    let (target, relation) = link.split_once('>')?;
    relation.contains("\"next\"").then(|| target.trim_start_matches('<').to_owned())
}
