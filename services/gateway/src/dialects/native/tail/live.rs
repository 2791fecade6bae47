//! One account's newest events, followed once for all who want them as they arrive.
//!
//! Invariant: what is kept has a bound in bytes. Who is further behind than that has lost what went, and is told how many
//! events that were.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bus::ConsumeError;
use runtime::telemetry::chain;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::error;

use super::piece::{Piece, Writing};
use crate::dialects::native::events::Listed;
use crate::upstream::follow::{Follow, Places};

/// What is kept of an account's events of one family: at 5,000 events a second about the last two seconds.
const MAX_BYTES: usize = 16 << 20;
/// What arrives within this time is told at once, so that readers are not woken for each event.
const GATHERED_WITHIN: Duration = Duration::from_millis(5);

/// The newest events of an account. They are followed until it is dropped.
pub(super) struct Live<F: Listed> {
    shared: Arc<Shared<F>>,
    _following: JoinSet<()>,
}

struct Shared<F: Listed> {
    kept: Mutex<Kept<F>>,
    news: watch::Sender<()>,
}

struct Kept<F: Listed> {
    pieces: VecDeque<Arc<Piece<F>>>,
    bytes: usize,
    /// What went, and so where the first piece stands.
    gone: Cursor,
    /// What stands behind this and before `end` is in the pieces.
    start: Places,
    end: Places,
    /// The log cannot be followed any more.
    is_over: bool,
}

/// Where a reader stands.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cursor {
    pieces: u64,
    events: u64,
}

/// What there is at a cursor.
pub(super) enum Next<F: Listed> {
    Piece(Arc<Piece<F>>),
    /// Nothing yet.
    Nothing,
    /// It is gone, and so many events with it and before the first that is there.
    Lost(u64),
    /// There is nothing, and nothing will come.
    Over,
}

impl<F: Listed> Live<F> {
    /// Follows from `places` on.
    pub(super) fn start(follow: Follow, places: Places) -> Self {
        let kept = Kept {
            pieces: VecDeque::new(),
            bytes: 0,
            gone: Cursor::default(),
            start: places.clone(),
            end: places.clone(),
            is_over: false,
        };
        let shared = Arc::new(Shared { kept: Mutex::new(kept), news: watch::Sender::new(()) });
        let mut following = JoinSet::new();
        following.spawn(run(follow, places, shared.clone()));
        Self { shared, _following: following }
    }

    /// Where the newest event ends; none once the log cannot be followed any more.
    pub(super) fn end(&self) -> Option<Places> {
        let kept = self.shared.kept();
        (!kept.is_over).then(|| kept.end.clone())
    }

    /// Where one who is at `places` goes on; none where that is gone.
    pub(super) fn join(&self, places: &Places) -> Option<Cursor> {
        let kept = self.shared.kept();
        if !places.covers(&kept.start) {
            return None;
        }
        let passed = kept.pieces.iter().take_while(|piece| places.covers(&piece.after));
        Some(passed.fold(kept.gone, Cursor::past))
    }

    /// What stands at a cursor, which goes on behind it.
    pub(super) fn next(&self, cursor: &mut Cursor) -> Next<F> {
        let kept = self.shared.kept();
        let Some(index) = cursor.pieces.checked_sub(kept.gone.pieces) else {
            return Next::Lost(kept.gone.events - cursor.events);
        };
        match usize::try_from(index).ok().and_then(|index| kept.pieces.get(index)) {
            Some(piece) => {
                *cursor = cursor.past(piece);
                Next::Piece(piece.clone())
            }
            None if kept.is_over => Next::Over,
            None => Next::Nothing,
        }
    }

    /// Changes whenever there is more.
    pub(super) fn news(&self) -> watch::Receiver<()> {
        self.shared.news.subscribe()
    }
}

impl Cursor {
    fn past<F: Listed>(self, piece: &Arc<Piece<F>>) -> Self {
        Self { pieces: self.pieces + 1, events: self.events + piece.len() as u64 }
    }
}

impl<F: Listed> Shared<F> {
    fn kept(&self) -> MutexGuard<'_, Kept<F>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, piece: Piece<F>) {
        {
            let mut kept = self.kept();
            kept.end.clone_from(&piece.after);
            kept.bytes += piece.weight;
            kept.pieces.push_back(Arc::new(piece));
            while kept.bytes > MAX_BYTES
                && kept.pieces.len() > 1
                && let Some(oldest) = kept.pieces.pop_front()
            {
                kept.bytes -= oldest.weight;
                kept.gone = kept.gone.past(&oldest);
                kept.start.clone_from(&oldest.after);
            }
        }
        self.news.send_replace(());
    }
}

async fn run<F: Listed>(follow: Follow, places: Places, shared: Arc<Shared<F>>) {
    let Err(failure) = follow_on(follow, places, &shared).await;
    error!(error = %chain(&failure), "those who follow an account are cut off");
    shared.kept().is_over = true;
    shared.news.send_replace(());
}

async fn follow_on<F: Listed>(
    mut follow: Follow,
    places: Places,
    shared: &Shared<F>,
) -> Result<std::convert::Infallible, ConsumeError> {
    let mut writing = Writing::new(places);
    loop {
        let mut read = Some(follow.next().await?);
        while let Some((stream, events)) = read {
            for placed in events {
                writing.add(stream, placed);
                if writing.is_full()
                    && let Some(piece) = writing.take()
                {
                    shared.add(piece);
                    // Others have work to do on this thread, also while a million events come.
                    tokio::task::yield_now().await;
                }
            }
            read = follow.ready();
        }
        if let Some(piece) = writing.take() {
            shared.add(piece);
        }
        // Who is behind does not wait.
        if follow.is_at_end() {
            sleep(GATHERED_WITHIN).await;
        }
    }
}
