//! `GET /flowtrail/v1/audit/export` and `GET /flowtrail/v1/traffic/export`: all that a list has, as of one moment, in a form
//! for other programs.
//!
//! Invariants: what waits for a client is one piece of it; an answer that breaks off has no end by which it could be taken
//! for whole.

mod csv;
mod parquet;
mod writing;

use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE, TRAILER, VARY};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use futures_util::{StreamExt, stream};
use http_body_util::StreamBody;
use hyper::body::Frame;
use model::paging::Page;
use runtime::clock;
use tokio::runtime::Handle;
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::warn;
use views::lists::{Export, Exported, List, Step};
use views::{Freshness, Reply};

use self::writing::{FORMS, Form, Writing};
use crate::access::auth::standing::Standing;
use crate::access::caller::Caller;
use crate::describe::{Operation, schema};
use crate::dialects::native::events::{Listed, selecting, selection};
use crate::dialects::native::merged;
use crate::http::at_once::{AtOnce, Seat};
use crate::http::freshness;
use crate::lists::ask::Lists;
use crate::lists::language::Q;
use crate::lists::query::Parameters;
use crate::render::encoding::Encoding;
use crate::render::packing::Packing;
use crate::render::refusal::Refusal;

/// The setting of how many there may be.
const SETTING: &str = "FLOWTRAIL_EXPORTS";
/// How often the token is looked up again.
const CHECKS_EVERY: Duration = Duration::from_secs(5);
/// Behind the answer, for clients that say `TE: trailers`.
const COMPLETE: HeaderName = HeaderName::from_static("flowtrail-complete");
const COUNT: HeaderName = HeaderName::from_static("flowtrail-count");

/// The exports that are under way. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Exports {
    /// How many each account has.
    seats: AtOnce,
    leaving: Leaving,
}

/// What is still to be said of exports whose clients have left.
type Leaving = Arc<Mutex<JoinSet<()>>>;

impl Exports {
    /// The seats are an account's.
    pub(crate) fn new(seats: AtOnce) -> Self {
        Self { seats, leaving: Leaving::default() }
    }
}

/// All that a list has.
pub(crate) async fn export<F: Listed>(
    State(Exports { seats, leaving }): State<Exports>,
    State(lists): State<Lists>,
    (mut caller, standing): (Caller, Standing),
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Refusal> {
    let parameters = Parameters::parse(uri.query())?;
    parameters.are_among(&[Q, "from", "to", "reads", "format"].into_iter().chain(F::MERGE).collect::<Vec<_>>())?;
    if merged::is_wanted::<F>(&parameters)? {
        return Err(merged::refused("cannot be had of an export, which has the record of each reporter"));
    }
    let form = parameters.choice("format", &FORMS)?.unwrap_or(Form::Ndjson);
    let (filter, q) = selection::<F>(&parameters)?;
    let account = caller.principal.account.clone();
    let seat = seats.take(account.to_string()).ok_or_else(|| Refusal::Crowded {
        what: "exports",
        most: seats.most(),
        setting: SETTING,
    })?;
    let id = clock::new_ulid().map_err(|_| Refusal::Internal)?.to_string();
    let encoding = if form.can_be_packed() { Encoding::chosen(&headers) } else { Encoding::Identity };
    let packing = Packing::new(encoding).map_err(|error| failed(&error))?;

    let page = Page::newest(0);
    let list = List::<F> { account: account.clone(), filter: filter.clone(), q: q.clone(), page };
    let question = Export::<F> { account, id, filter, q, step: Step::Begin };
    // The first rows are there before the answer begins: what goes wrong until then is a refusal.
    let (writing, beginning) = Writing::begin(form, packing, &F::nothing()).map_err(|error| failed(&error))?;
    let begun = step(&lists, &caller, question.clone(), writing).await?;
    lists.record_begun(&caller, F::EXPORT, &list);
    // It goes on from what was fresh enough.
    caller.at_least = Vec::new();
    let freshness = begun.freshness;
    let (first, next) = begun.answer;
    let checks_at = Instant::now() + CHECKS_EVERY;
    let under_way = UnderWay { lists, caller, standing, question, next, freshness, checks_at, leaving, _seat: seat };

    let mut response = Response::new(Body::empty());
    freshness::add(response.headers_mut(), &under_way.freshness);
    let rest = stream::unfold(under_way, |mut under_way| async move { Some((under_way.next().await?, under_way)) });
    let first = [beginning, first].into_iter().filter(|text| !text.is_empty());
    let first = stream::iter(first.map(|text| Ok(Frame::data(text))));
    *response.body_mut() = Body::new(StreamBody::new(first.chain(rest)));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(form.content_type()));
    headers.insert(VARY, HeaderValue::from_static("accept-encoding"));
    headers.insert(TRAILER, HeaderValue::from_static("flowtrail-complete, flowtrail-count"));
    if let Some(name) = encoding.name() {
        headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
    }
    let file = format!("attachment; filename=\"{}.{}\"", F::NAME, form.name());
    headers.insert(CONTENT_DISPOSITION, HeaderValue::try_from(file).map_err(|_| Refusal::Internal)?);
    Ok(response)
}

pub(crate) fn describe_export<F: Listed>(title: &'static str) -> Operation {
    let text = "All that the list has, newest first, as of one moment. NDJSON has an item in each line, and ends with one that \
                has `flowtrail.complete`; an answer without it broke off. CSV has the same fields by name; a text that a \
                spreadsheet would take for a formula stands behind an apostrophe. Where CSV breaks off, so does the \
                connection, and the trailers `Flowtrail-Complete` and `Flowtrail-Count` are missing. `docs/query.md` says more.";
    selecting(Operation::new(title, text))
        .query("format", "The form; `ndjson` where none is given.", schema::choice(&FORMS))
        .header("Accept-Encoding", "With `zstd` or `gzip` the answer is compressed.", schema::text())
        .answers_in(Form::Ndjson.content_type(), StatusCode::OK, "All of it, piece by piece.", |_| schema::text())
        .or_in("text/csv", |_| schema::text())
        .or_in(Form::Parquet.content_type(), |_| schema::bytes())
        .tells_freshness()
        .refuses(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many requests came before this one, or the account has too many exports.",
        )
}

/// What is sent next.
enum Next {
    Rows(Writing),
    /// There are no more rows.
    End(Writing),
    /// So many rows were sent, and the end too.
    Trailers(u64),
    /// It is whole.
    Nothing,
    /// It broke off.
    Broken,
}

/// Asks for the next rows, and writes them off the threads that serve connections.
async fn step<F: Listed>(
    lists: &Lists,
    caller: &Caller,
    question: Export<F>,
    mut writing: Writing,
) -> Result<Reply<(Bytes, Next)>, Refusal> {
    let write = move |exported: Option<Exported<F::Shown>>| {
        let exported = exported.ok_or(Refusal::Unavailable("there are too many exports, or this one took too long"))?;
        let text = writing.rows::<F>(&exported).map_err(|error| failed(&error))?;
        Ok::<_, Refusal>((text, if exported.is_last { Next::End(writing) } else { Next::Rows(writing) }))
    };
    let Reply { answer, freshness } = lists.ask_then(caller, question, write).await?;
    Ok(Reply { answer: answer?, freshness })
}

fn failed(error: &io::Error) -> Refusal {
    warn!(%error, "an export cannot be written");
    Refusal::Internal
}

/// An export behind its first rows.
struct UnderWay<F: Listed> {
    lists: Lists,
    caller: Caller,
    standing: Standing,
    question: Export<F>,
    next: Next,
    /// As of when the rows are.
    freshness: Freshness,
    checks_at: Instant,
    leaving: Leaving,
    _seat: Seat,
}

impl<F: Listed> UnderWay<F> {
    /// What is sent next; none at the end. An error breaks the answer off.
    async fn next(&mut self) -> Option<io::Result<Frame<Bytes>>> {
        loop {
            match std::mem::replace(&mut self.next, Next::Nothing) {
                Next::Rows(writing) => match self.rows(writing).await {
                    Ok((text, next)) => {
                        self.next = next;
                        // Nothing is sent while what was found waits to be compressed with more.
                        if !text.is_empty() {
                            return Some(Ok(Frame::data(text)));
                        }
                    }
                    Err(refusal) => {
                        self.next = Next::Broken;
                        warn!(account = %self.question.account, %refusal, "an export breaks off");
                        return Some(Err(io::Error::other(refusal)));
                    }
                },
                Next::End(writing) => {
                    self.next = Next::Trailers(writing.count());
                    return Some(writing.end(&freshness::positions(&self.freshness)).map(Frame::data));
                }
                Next::Trailers(count) => return Some(Ok(Frame::trailers(trailers(count)))),
                Next::Nothing | Next::Broken => return None,
            }
        }
    }

    async fn rows(&mut self, writing: Writing) -> Result<(Bytes, Next), Refusal> {
        if self.checks_at <= Instant::now() {
            self.checks_at = Instant::now() + CHECKS_EVERY;
            if !self.standing.holds().await {
                return Err(Refusal::UnknownToken);
            }
        }
        let question = Export { step: Step::Next, ..self.question.clone() };
        Ok(step(&self.lists, &self.caller, question, writing).await?.answer)
    }
}

impl<F: Listed> Drop for UnderWay<F> {
    /// What is kept for an export that its client has left is let go of now; else it would be some minutes later.
    fn drop(&mut self) {
        let (Next::Rows(_) | Next::Broken, Ok(runtime)) = (&self.next, Handle::try_current()) else { return };
        let (lists, caller) = (self.lists.clone(), self.caller.clone());
        let question = Export { step: Step::End, ..self.question.clone() };
        let mut leaving = self.leaving.lock().unwrap_or_else(PoisonError::into_inner);
        while leaving.try_join_next().is_some() {}
        let say = async move {
            // Where nobody takes it, it is let go of some minutes later all the same.
            let _ = lists.ask(&caller, question).await;
        };
        leaving.spawn_on(say, &runtime);
    }
}

fn trailers(count: u64) -> HeaderMap {
    [(COMPLETE, HeaderValue::from_static("true")), (COUNT, HeaderValue::from(count))].into_iter().collect()
}
