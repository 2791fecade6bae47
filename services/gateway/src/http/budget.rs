//! The memory that bodies with events may take, of all requests together: as they came, unpacked, read and packed again.
//!
//! Invariants: what is taken is counted before it is; a request that ends, however it ends, gives back what it took; of one
//! account, requests take three quarters at most, so that its flood leaves others some.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use model::log::AccountId;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::{Registry, Unit};
use runtime::metrics::{Audience, Source};
use tokio::sync::{mpsc, oneshot};

use crate::render::refusal::Refusal;

/// What the client is told while others take all there is.
const FULL: Refusal = Refusal::Unavailable("too many events are being taken in at once, try again");

/// The memory there is. Clones share it.
#[derive(Clone, Debug)]
pub(crate) struct Budget {
    taken: Arc<Mutex<Taken>>,
    bytes: usize,
    readers: Arc<OnceLock<mpsc::Sender<Piece>>>,
}

type Piece = Box<dyn FnOnce() + Send>;

/// How many bodies are read at once.
const READERS: usize = 2;

#[derive(Debug, Default)]
struct Taken {
    bytes: usize,
    by_account: HashMap<AccountId, usize>,
}

/// What one request takes of it, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    budget: Budget,
    account: AccountId,
    bytes: usize,
}

impl Budget {
    /// So many MiB for all requests together.
    pub(crate) fn of_mib(mib: u32) -> Self {
        Self::new(usize::try_from(mib).map_or(usize::MAX, |mib| mib.saturating_mul(1 << 20)))
    }

    fn new(bytes: usize) -> Self {
        Self { taken: Arc::default(), bytes, readers: Arc::default() }
    }

    /// The share of a request, which has taken nothing yet.
    pub(crate) fn share(&self, account: &AccountId) -> Share {
        Share { budget: self.clone(), account: account.clone(), bytes: 0 }
    }

    /// Reads a body in its turn: one that waits takes what it came as, one that is being read many times that.
    ///
    /// # Errors
    /// [`Refusal::Internal`] when reading panics.
    pub(crate) async fn in_turn<T: Send + 'static>(
        &self,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let (result, done) = oneshot::channel();
        let piece = move || {
            // Who has gone away wants nothing read.
            if !result.is_closed() {
                let _ = result.send(read());
            }
        };
        let readers = self.readers.get_or_init(start);
        readers.send(Box::new(piece)).await.map_err(|_| Refusal::Internal)?;
        done.await.map_err(|_| Refusal::Internal)
    }

    /// What is shown of it to the operator.
    pub(crate) fn meter(&self) -> Meter {
        Meter(self.taken.clone())
    }

    /// The most bytes that one account may have.
    fn most(&self) -> usize {
        self.bytes / 4 * 3
    }
}

impl Share {
    /// Takes more.
    ///
    /// # Errors
    /// When others have what is wanted, or nobody ever could have so much.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Refusal> {
        let most = self.budget.most();
        if self.bytes.saturating_add(bytes) > most {
            return Err(Refusal::field(
                "body",
                format_args!("takes more than {most} bytes to be read; send it in parts"),
            ));
        }
        let mut taken = self.budget.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let of_account = taken.by_account.get(&self.account).copied().unwrap_or_default();
        if taken.bytes + bytes > self.budget.bytes || of_account + bytes > most {
            return Err(FULL);
        }
        taken.bytes += bytes;
        taken.by_account.insert(self.account.clone(), of_account + bytes);
        self.bytes += bytes;
        Ok(())
    }

    /// Gives some of it back.
    pub(crate) fn give_back(&mut self, bytes: usize) {
        let bytes = bytes.min(self.bytes);
        self.bytes -= bytes;
        let mut taken = self.budget.taken.lock().unwrap_or_else(PoisonError::into_inner);
        taken.bytes -= bytes;
        let Some(of_account) = taken.by_account.get_mut(&self.account) else { return };
        *of_account -= bytes;
        if *of_account == 0 {
            taken.by_account.remove(&self.account);
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.give_back(self.bytes);
    }
}

/// Starts the threads that read, which end when nobody can give them anything any more. They are few and stay, as an allocator
/// keeps what a thread has let go of for that thread: on each of a pool's threads that would be a body's worth.
fn start() -> mpsc::Sender<Piece> {
    let (pieces, inbox) = mpsc::channel::<Piece>(READERS);
    let inbox = Arc::new(Mutex::new(inbox));
    for _ in 0..READERS {
        let inbox = inbox.clone();
        tokio::task::spawn_blocking(move || {
            while let Some(piece) = next(&inbox) {
                // Whoever waits for it is told that there is no result; the panic itself is in the log.
                let _ = catch_unwind(AssertUnwindSafe(piece));
            }
        });
    }
    pieces
}

fn next(inbox: &Mutex<mpsc::Receiver<Piece>>) -> Option<Piece> {
    inbox.lock().unwrap_or_else(PoisonError::into_inner).blocking_recv()
}

/// What is taken of a budget, for metrics.
#[derive(Debug)]
pub(crate) struct Meter(Arc<Mutex<Taken>>);

impl Source for Meter {
    fn add_to(&self, registry: &mut Registry, _: Audience<'_>) {
        let taken = self.0.lock().unwrap_or_else(PoisonError::into_inner).bytes;
        let gauge = ConstGauge::new(i64::try_from(taken).unwrap_or(i64::MAX));
        registry.register_with_unit("ingest_memory", "What events on their way in take", Unit::Bytes, gauge);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(budget: &Budget, account: &str) -> Share {
        budget.share(&AccountId::parse(account).unwrap())
    }

    #[test]
    fn what_is_taken_is_missing_until_it_is_given_back() {
        let budget = Budget::new(100);
        let (mut one, mut other) = (share(&budget, "one"), share(&budget, "other"));
        one.take(70).unwrap();
        assert_eq!(other.take(31), Err(FULL));
        other.take(30).unwrap();
        one.give_back(20);
        other.take(20).unwrap();
        drop((one, other));
        let taken = budget.taken.lock().unwrap();
        assert_eq!((taken.bytes, taken.by_account.len()), (0, 0));
    }

    #[test]
    fn an_account_leaves_others_a_quarter() {
        let budget = Budget::new(100);
        let (mut one, mut again) = (share(&budget, "one"), share(&budget, "one"));
        one.take(50).unwrap();
        assert_eq!(again.take(26), Err(FULL));
        share(&budget, "other").take(26).unwrap();
        again.take(25).unwrap();
    }

    #[tokio::test]
    async fn a_panic_costs_its_own_body_only() {
        let budget = Budget::new(100);
        for _ in 0..2 * READERS {
            assert_eq!(budget.in_turn(|| panic!("as it is meant to")).await, Err::<(), _>(Refusal::Internal));
        }
        assert_eq!(budget.in_turn(|| 7).await, Ok(7));
    }

    #[test]
    fn a_request_that_never_fits_is_not_told_to_try_again() {
        let refused = share(&Budget::new(100), "one").take(76);
        assert!(matches!(refused, Err(Refusal::Invalid(_))), "{refused:?}");
    }
}
