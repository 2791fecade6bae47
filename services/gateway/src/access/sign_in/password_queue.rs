//! Turns at verifying passwords, which takes a processor and much memory on purpose.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::http::off_thread::off_thread;
use crate::render::refusal::Refusal;

/// How many passwords are verified at once: each takes a processor, and memory on purpose.
const MAX_AT_ONCE: usize = 2;
/// How long a sign-in waits for its turn.
const TURN_WITHIN: Duration = Duration::from_secs(10);

/// Where sign-ins wait for their turn.
#[derive(Debug)]
pub(crate) struct PasswordQueue {
    turns: Arc<Semaphore>,
    within: Duration,
}

impl Default for PasswordQueue {
    fn default() -> Self {
        Self::new(TURN_WITHIN)
    }
}

impl PasswordQueue {
    fn new(within: Duration) -> Self {
        Self { turns: Arc::new(Semaphore::new(MAX_AT_ONCE)), within }
    }

    /// Does `work` off the threads that serve connections, when its turn has come. It keeps its turn until it is done,
    /// even when the client has gone.
    ///
    /// # Errors
    /// [`Refusal::Unavailable`] when its turn does not come in time.
    pub(super) async fn in_turn<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let turn = timeout(self.within, self.turns.clone().acquire_owned()).await;
        let turn = turn.map_err(|_| Refusal::Unavailable("too many sign in at once, try again"))?;
        let turn = turn.map_err(|_| Refusal::Internal)?;
        // The turn goes along: were it dropped with the request, clients that hang up would have any number of
        // passwords verified at once.
        off_thread(move || {
            let done = work();
            drop(turn);
            done
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc::{Receiver, sync_channel};
    use std::sync::{Mutex, PoisonError};

    use testkit::eventually;
    use tokio::task::JoinSet;

    use super::*;

    /// Passwords that are being verified, as long as the test wants.
    struct Verifying {
        now: AtomicUsize,
        most: AtomicUsize,
        go_on: Mutex<Receiver<()>>,
    }

    impl Verifying {
        fn verify(&self) {
            let now = self.now.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(now, Ordering::SeqCst);
            self.go_on.lock().unwrap_or_else(PoisonError::into_inner).recv().unwrap();
            self.now.fetch_sub(1, Ordering::SeqCst);
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn at_most_two_passwords_are_verified_at_once_and_the_others_wait_or_are_told_to_come_again() {
        let (go_on, wait) = sync_channel(16);
        let verifying = Arc::new(Verifying { now: AtomicUsize::new(0), most: AtomicUsize::new(0), go_on: wait.into() });
        let (patient, hasty) = (Arc::new(PasswordQueue::new(Duration::from_secs(60))), Duration::from_millis(20));
        let hasty = PasswordQueue { turns: patient.turns.clone(), within: hasty };
        let mut sign_ins = JoinSet::new();
        for _ in 0..8 {
            let (queue, verifying) = (patient.clone(), verifying.clone());
            sign_ins.spawn(async move { queue.in_turn(move || verifying.verify()).await });
        }
        eventually("two are verified", async || (verifying.now.load(Ordering::SeqCst) == 2).then_some(())).await;
        let refused = hasty.in_turn(|| ()).await;
        assert_eq!(refused, Err(Refusal::Unavailable("too many sign in at once, try again")));
        for _ in 0..8 {
            go_on.send(()).unwrap();
        }
        while let Some(ended) = sign_ins.join_next().await {
            assert_eq!(ended.unwrap(), Ok(()));
        }
        assert_eq!((verifying.most.load(Ordering::SeqCst), verifying.now.load(Ordering::SeqCst)), (2, 0));
        assert_eq!(hasty.in_turn(|| 7).await, Ok(7));
    }
}
