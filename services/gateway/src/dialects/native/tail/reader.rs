//! One who follows: from the log until they have caught up, then along with the others.
//!
//! Invariant: what waits for a reader is one piece of text. Who takes none for so long that the others' events are gone is
//! told how many were lost, and cut off; who comes back with the last id that they have goes on there.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use bus::Bus;
use feed::erasures::Erased;
use model::log::AccountId;
use runtime::telemetry::chain;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::warn;

use super::live::{Cursor, Live, Next};
use super::piece::{Piece, Writing, write_place};
use crate::access::auth::standing::Standing;
use crate::dialects::native::events::Listed;
use crate::dialects::native::wanted::Wanted;
use crate::http::at_once::Seat;
use crate::upstream::follow::{Follow, OfStream, Places};

/// How often something is sent, also where nothing happens: soon enough for what stands between and ends idle connections.
const BEATS_EVERY: Duration = Duration::from_secs(10);
/// How often the token is looked up again.
const CHECKS_EVERY: Duration = Duration::from_secs(5);
/// How often one who reads the log looks whether that is all.
const LOOKS_EVERY: Duration = Duration::from_millis(50);
/// After how many milliseconds a client that was cut off is to come back.
const RETRY_MILLIS: u32 = 1000;

/// Where a reader begins.
pub(super) struct Start {
    /// What stands before it was seen.
    pub(super) places: Places,
    /// The end of the log, as it was a moment ago.
    pub(super) end: Places,
}

/// What a reader ends with.
pub(super) struct Terms {
    pub(super) standing: Standing,
    pub(super) stop: CancellationToken,
    #[expect(dead_code, reason = "held as long as the tail is told")]
    pub(super) seat: Seat,
}

/// One who follows an account.
pub(super) struct Reader<F: Listed> {
    live: Arc<Live<F>>,
    wanted: Wanted<F>,
    terms: Terms,
    source: Source,
    /// What stands before this was told, or is not wanted.
    places: Places,
    checks_at: Instant,
    beats_at: Instant,
    is_over: bool,
}

/// Where events come from.
enum Source {
    /// The log, up to where it ended when reading began; then the others are joined.
    Log { follow: Follow, end: Places },
    /// What all of the account's readers are told.
    Live {
        news: watch::Receiver<()>,
        cursor: Cursor,
        /// More was seen than stands at the cursor.
        is_ahead: bool,
    },
}

/// What a source has.
enum Got<F: Listed> {
    Events(OfStream),
    Piece(Arc<Piece<F>>),
    Nothing,
    Lost(u64),
    Over,
}

impl<F: Listed> Reader<F> {
    pub(super) fn new(
        (log, account): ((&Bus, &Erased), &AccountId),
        live: Arc<Live<F>>,
        Start { places, end }: Start,
        (wanted, terms): (Wanted<F>, Terms),
    ) -> Self {
        let source = joined(&live, &places).unwrap_or_else(|| {
            let follow = Follow::open(log, F::VIEW.streams(), account, &places);
            Source::Log { follow, end }
        });
        let now = Instant::now();
        let (checks_at, beats_at) = (now + CHECKS_EVERY, now + BEATS_EVERY);
        Self { live, wanted, terms, source, places, checks_at, beats_at, is_over: false }
    }

    /// What is sent first: where to come back to, also before the first event.
    pub(super) fn greeting(&self) -> Bytes {
        let mut text = format!("retry: {RETRY_MILLIS}\n").into_bytes();
        self.write_end(&mut text);
        text.into()
    }

    /// What is sent next; none at the end.
    pub(super) async fn next(&mut self) -> Option<Bytes> {
        while !self.is_over {
            let got = tokio::select! {
                // In this order, so that neither the end nor a look at the token waits for events to cease.
                biased;
                () = self.terms.stop.cancelled() => return Some(self.end("stop")),
                () = sleep_until(self.checks_at) => None,
                got = self.source.next(&self.live) => Some(got),
                () = sleep_until(self.beats_at) => return Some(self.beat()),
            };
            let text = match got {
                None => {
                    self.checks_at = Instant::now() + CHECKS_EVERY;
                    if !self.terms.standing.holds().await {
                        return Some(self.end("token"));
                    }
                    continue;
                }
                Some(got) => self.take(got),
            };
            if !text.is_empty() {
                self.beats_at = Instant::now() + BEATS_EVERY;
                return Some(text);
            }
            // Where nothing of much is wanted, others have their turn.
            tokio::task::yield_now().await;
        }
        None
    }

    fn take(&mut self, got: Got<F>) -> Bytes {
        match got {
            Got::Events((stream, events)) => {
                let mut writing = Writing::new(self.places.clone());
                events.into_iter().for_each(|placed| writing.add(stream, placed));
                let text = writing.take().map(|piece: Piece<F>| piece.text_for(&self.wanted, &mut self.places, false));
                self.try_to_join();
                text.unwrap_or_default()
            }
            Got::Nothing => {
                self.try_to_join();
                Bytes::new()
            }
            Got::Piece(piece) => {
                let Source::Live { is_ahead, .. } = &mut self.source else { return Bytes::new() };
                let text = piece.text_for(&self.wanted, &mut self.places, *is_ahead);
                *is_ahead = *is_ahead && !piece.after.covers(&self.places);
                text
            }
            Got::Lost(lost) => {
                self.is_over = true;
                Bytes::from(format!("event: overflow\ndata: {{\"lost\":{lost}}}\n\n"))
            }
            Got::Over => self.end("log"),
        }
    }

    /// Goes on with the others, once all that they do not have any more was read.
    fn try_to_join(&mut self) {
        let Source::Log { follow, end } = &self.source else { return };
        if follow.is_at_end() {
            // Where the streams ended before they were read, nothing of the account's is left.
            self.places.pass_all(end);
        }
        if let Some(joined) = joined(&self.live, &self.places) {
            self.source = joined;
        }
    }

    /// A comment, and how far everything was told or passed over: so that who comes back need not be told from further
    /// back what they do not want.
    fn beat(&mut self) -> Bytes {
        self.beats_at = Instant::now() + BEATS_EVERY;
        let mut text = b":\n".to_vec();
        self.write_end(&mut text);
        text.into()
    }

    fn end(&mut self, reason: &str) -> Bytes {
        self.is_over = true;
        Bytes::from(format!("event: end\ndata: {{\"reason\":\"{reason}\"}}\n\n"))
    }

    fn write_end(&self, text: &mut Vec<u8>) {
        // Memory takes whatever is written.
        let _ = write_place(text, &self.places);
        text.push(b'\n');
    }
}

fn joined<F: Listed>(live: &Live<F>, places: &Places) -> Option<Source> {
    // Before it is looked at what there is: what comes then is news.
    let news = live.news();
    let cursor = live.join(places)?;
    Some(Source::Live { news, cursor, is_ahead: true })
}

impl Source {
    /// Can be dropped half-way without losing anything.
    async fn next<F: Listed>(&mut self, live: &Live<F>) -> Got<F> {
        match self {
            Self::Log { follow, .. } => tokio::select! {
                biased;
                events = follow.next() => match events {
                    Ok(events) => Got::Events(events),
                    Err(failure) => {
                        warn!(error = %chain(&failure), "one who follows an account is cut off");
                        Got::Over
                    }
                },
                () = sleep(LOOKS_EVERY) => Got::Nothing,
            },
            Self::Live { news, cursor, .. } => loop {
                news.mark_unchanged();
                match live.next(cursor) {
                    Next::Piece(piece) => return Got::Piece(piece),
                    Next::Lost(lost) => return Got::Lost(lost),
                    Next::Over => return Got::Over,
                    Next::Nothing => {
                        if news.changed().await.is_err() {
                            return Got::Over;
                        }
                    }
                }
            },
        }
    }
}
