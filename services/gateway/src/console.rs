//! The explorer: the page for people, and what it is made of.
//!
//! Nothing here needs a token, for nothing here is of an account: the page asks the API like anybody, and signs people in
//! there. It is no part of the description of the API.

mod file;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, Request, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE, VARY};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::OnceCell;

use self::file::{Asset, Keep};
use crate::dialects;
use crate::http::off_thread::off_thread;
use crate::render::refusal::Refusal;

const INDEX: &str = "index.html";
const ASSETS: &str = "assets/";
const NO_PAGE: &str = "\
This Flowtrail was built without its page. `./just up` builds it too, where Node 20 or newer is installed.
The API is described at /docs.
";

/// The page, made ready to be sent when it is first asked for.
#[derive(Debug)]
struct Console {
    files: &'static [explorer::File],
    explorer: OnceCell<Explorer>,
}

impl Console {
    /// Once, on a thread of its own: to compress as well as can be takes a tenth of a second.
    async fn explorer(&self) -> Result<&Explorer, Refusal> {
        let files = self.files;
        self.explorer.get_or_try_init(|| off_thread(move || Explorer::new(files))).await
    }
}

/// The files of the page.
#[derive(Debug)]
struct Explorer {
    /// None where Flowtrail was built without it.
    index: Option<Asset>,
    assets: Vec<Asset>,
}

impl Explorer {
    fn new(files: &[explorer::File]) -> Self {
        let index = files.iter().find(|file| file.name == INDEX);
        let assets = files.iter().filter(|file| file.name.starts_with(ASSETS));
        Self {
            index: index.map(|file| Asset::new(file, Keep::Never)),
            assets: assets.map(|file| Asset::new(file, Keep::ForEver)).collect(),
        }
    }

    fn page(&self, headers: &HeaderMap) -> Response {
        match &self.index {
            Some(index) => index.answer(headers),
            None => {
                let text = HeaderValue::from_static("text/plain; charset=utf-8");
                (StatusCode::NOT_FOUND, [(CONTENT_TYPE, text)], NO_PAGE).into_response()
            }
        }
    }
}

/// Serves a page that is made of these files.
pub(crate) fn router<S: Clone + Send + Sync + 'static>(files: &'static [explorer::File]) -> Router<S> {
    Router::new()
        .route("/", get(root))
        .route("/explorer", get(page))
        .route("/explorer/", get(page))
        // The script in the page says what is at which path.
        .route("/explorer/{*path}", get(page))
        .route("/explorer/assets/{name}", get(asset))
        .with_state(Arc::new(Console { files, explorer: OnceCell::new() }))
}

/// The page, for a browser. For programs there is nothing at this path.
async fn root(State(console): State<Arc<Console>>, request: Request) -> Result<Response, Refusal> {
    let (request, _) = request.into_parts();
    let mut response = if is_browser(&request.headers) {
        console.explorer().await?.page(&request.headers)
    } else {
        dialects::no_route(&request)
    };
    response.headers_mut().append(VARY, HeaderValue::from_static("Accept"));
    Ok(response)
}

async fn page(State(console): State<Arc<Console>>, headers: HeaderMap) -> Result<Response, Refusal> {
    Ok(console.explorer().await?.page(&headers))
}

async fn asset(
    State(console): State<Arc<Console>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let mut assets = console.explorer().await?.assets.iter();
    let asset = assets.find(|asset| asset.name() == name).ok_or(Refusal::NoSuchPath)?;
    Ok(asset.answer(&headers))
}

/// Whether somebody wants to look at it: only browsers ask for pages.
fn is_browser(headers: &HeaderMap) -> bool {
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    accepted.flat_map(|value| value.split([',', ';'])).any(|range| range.trim().eq_ignore_ascii_case("text/html"))
}
