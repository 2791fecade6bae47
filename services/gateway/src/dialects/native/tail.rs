//! `GET /flowtrail/v1/audit/tail` and `GET /flowtrail/v1/traffic/tail`: events as they arrive, as server-sent events.
//!
//! An account's events are followed and written once, however many want them; each reader judges them by itself.

mod live;
mod piece;
mod reader;

use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, Uri};
use axum::response::Response;
use bus::Bus;
use feed::erasures::Erased;
use futures_util::{StreamExt, stream};
use model::log::AccountId;
use model::paging::{Page, Period};
use tokio_util::sync::CancellationToken;
use views::lists::List;

use self::live::Live;
use self::reader::{Reader, Start, Terms};
use crate::access::auth::standing::Standing;
use crate::access::caller::Caller;
use crate::describe::{Operation, schema};
use crate::dialects::native::events::Listed;
use crate::dialects::native::wanted::Wanted;
use crate::http::at_once::AtOnce;
use crate::lists::ask::Lists;
use crate::lists::language::{self, ABOUT_Q, Q};
use crate::lists::query::{ABOUT_READS, Parameters, READS};
use crate::render::refusal::Refusal;
use crate::upstream::follow::{Follow, Places};

/// The setting of how many there may be.
const SETTING: &str = "FLOWTRAIL_TAILS";
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Proxies that gather answers before they pass them on are asked not to.
const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");
const EVENT_STREAM: &str = "text/event-stream";

/// The tails of a family. Cheap to clone.
pub(crate) struct Tails<F: Listed> {
    bus: Arc<Bus>,
    erased: Erased,
    followed: Arc<Mutex<HashMap<AccountId, Weak<Live<F>>>>>,
    seats: AtOnce,
    stop: CancellationToken,
}

impl<F: Listed> Clone for Tails<F> {
    fn clone(&self) -> Self {
        let Self { bus, erased, followed, seats, stop } = self;
        let (bus, erased, followed) = (bus.clone(), erased.clone(), followed.clone());
        Self { bus, erased, followed, seats: seats.clone(), stop: stop.clone() }
    }
}

impl<F: Listed> std::fmt::Debug for Tails<F> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Tails").field("seats", &self.seats).finish_non_exhaustive()
    }
}

impl<F: Listed> Tails<F> {
    /// They end with `stop`. The seats are an account's in all families.
    pub(crate) fn new((bus, erased): (Arc<Bus>, Erased), seats: AtOnce, stop: CancellationToken) -> Self {
        Self { bus, erased, followed: Arc::default(), seats, stop }
    }

    /// Where one begins who comes with the last id that they have, or with none.
    async fn start(&self, account: &AccountId, last: Option<Places>) -> Result<Start, Refusal> {
        if last.is_none()
            && let Some(end) = self.known(account).and_then(|live| live.end())
        {
            return Ok(Start { places: end.clone(), end });
        }
        let end = Places::end_of(&self.bus, F::VIEW.streams()).await?;
        let places = last.unwrap_or_else(|| end.clone());
        if end.covers(&places) { Ok(Start { places, end }) } else { Err(no_such_id()) }
    }

    /// What is followed of an account; from `end` on where nobody did.
    fn live(&self, account: &AccountId, end: &Places) -> Arc<Live<F>> {
        let mut followed = self.followed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(live) = followed.get(account).and_then(Weak::upgrade).filter(|live| live.end().is_some()) {
            return live;
        }
        followed.retain(|_, live| live.strong_count() > 0);
        let follow = Follow::open((&self.bus, &self.erased), F::VIEW.streams(), account, end);
        let live = Arc::new(Live::start(follow, end.clone()));
        followed.insert(account.clone(), Arc::downgrade(&live));
        live
    }

    fn known(&self, account: &AccountId) -> Option<Arc<Live<F>>> {
        self.followed.lock().unwrap_or_else(PoisonError::into_inner).get(account)?.upgrade()
    }
}

/// Events as they arrive, until the client goes.
pub(crate) async fn tail<F: Listed>(
    State(tails): State<Tails<F>>,
    State(lists): State<Lists>,
    (caller, standing): (Caller, Standing),
    headers: HeaderMap,
    uri: Uri,
) -> Result<Response, Refusal> {
    let parameters = Parameters::parse(uri.query())?;
    parameters.are_among(&[Q, "reads"])?;
    let account = caller.principal.account.clone();
    let filter = F::filter(Period::default(), parameters.includes_reads()?);
    let page = Page::newest(0);
    let list = List::<F> { account, filter, q: language::query(parameters.text(Q)?)?, page };
    let last = last_id::<F>(&headers)?;
    let seat = tails.seats.take(list.account.to_string()).ok_or_else(|| Refusal::Crowded {
        what: "tails",
        most: tails.seats.most(),
        setting: SETTING,
    })?;
    let start = tails.start(&list.account, last).await?;
    lists.record_begun(&caller, F::TAIL, &list);

    let live = tails.live(&list.account, &start.end);
    let wanted = Wanted::of(&list);
    let terms = Terms { standing, stop: tails.stop.clone(), seat };
    let reader = Reader::new(((&tails.bus, &tails.erased), &list.account), live, start, (wanted, terms));
    let greeting = stream::iter([reader.greeting()]);
    let rest = stream::unfold(reader, |mut reader| async move { Some((reader.next().await?, reader)) });
    let mut response = Response::new(Body::from_stream(greeting.chain(rest).map(Ok::<_, Infallible>)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(EVENT_STREAM));
    response.headers_mut().insert(ACCEL_BUFFERING, HeaderValue::from_static("no"));
    Ok(response)
}

pub(crate) fn describe_tail<F: Listed>(title: &'static str) -> Operation {
    let text = "Server-sent events: `data` is an item as in the list, as it was published; `id` leads back to where it ends. A \
                comment comes where nothing else does for 10 seconds. `overflow` says how many events a reader who was too \
                slow has lost, `end` why the answer ends: `token`, `stop` or `log`; the answer ends with either. `docs/query.md` \
                says more.";
    Operation::new(title, text)
        .query(Q, ABOUT_Q, schema::text())
        .query("reads", ABOUT_READS, schema::choice(&READS))
        .header("Last-Event-ID", "The last `id` that the client has: the answer goes on there.", schema::text())
        .answers_in(EVENT_STREAM, StatusCode::OK, "Events, until the client goes.", |_| schema::text())
        .refuses(
            StatusCode::TOO_MANY_REQUESTS,
            "Too many requests came before this one, or the account has too many tails.",
        )
}

/// The last id that the client has, which must be of this family.
fn last_id<F: Listed>(headers: &HeaderMap) -> Result<Option<Places>, Refusal> {
    let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) else { return Ok(None) };
    let places = value.to_str().ok().and_then(|text| text.parse::<Places>().ok());
    let is_of_family = |places: &Places| places.streams() == F::VIEW.streams().len();
    places.filter(is_of_family).map(Some).ok_or_else(no_such_id)
}

fn no_such_id() -> Refusal {
    Refusal::field(LAST_EVENT_ID.as_str(), "must be an id that a tail of this kind gave")
}
