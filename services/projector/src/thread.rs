//! A thread that does one piece of work after the other.
//!
//! Decoding and projecting make and drop many small values. An allocator keeps memory by thread: work that wanders
//! over a pool of threads takes fresh memory on each, which costs a sixth of a rebuild.

use tokio::sync::{mpsc, oneshot};

type Piece = Box<dyn FnOnce() + Send>;

/// A thread of its own for work that blocks. It ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Thread(mpsc::Sender<Piece>);

/// Work that was handed over.
#[derive(Debug)]
pub(crate) struct Begun<T>(oneshot::Receiver<T>);

/// The thread has panicked.
#[derive(Debug, thiserror::Error)]
#[error("its thread panicked")]
pub struct Panicked;

impl Thread {
    pub(crate) fn start() -> Self {
        // Not more than one piece waits here: the one who gives it waits for its result.
        let (pieces, mut inbox) = mpsc::channel::<Piece>(1);
        tokio::task::spawn_blocking(move || {
            while let Some(piece) = inbox.blocking_recv() {
                piece();
            }
        });
        Self(pieces)
    }

    /// Does `work` and gives its result. Work that was begun is done to its end, whether its result is waited for or not.
    ///
    /// # Errors
    /// When it panics, or something before it has.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Panicked> {
        self.begin(work).await?.done().await
    }

    /// Hands `work` over, which is done once all is that was handed over before; waits as long as another piece waits.
    ///
    /// # Errors
    /// When something before it has panicked.
    pub(crate) async fn begin<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Begun<T>, Panicked> {
        let (result, done) = oneshot::channel();
        let piece = move || {
            // Nobody waits any more when the process ends.
            let _ = result.send(work());
        };
        self.0.send(Box::new(piece)).await.map_err(|_| Panicked)?;
        Ok(Begun(done))
    }
}

impl<T> Begun<T> {
    /// Waits for the result.
    ///
    /// # Errors
    /// When it panics, or something before it has.
    pub(crate) async fn done(self) -> Result<T, Panicked> {
        self.0.await.map_err(|_| Panicked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn all_work_is_done_on_one_thread_until_a_piece_panics() {
        let thread = Thread::start();
        let first = thread.run(|| std::thread::current().id()).await.unwrap();
        assert_ne!(first, std::thread::current().id());
        for _ in 0..100 {
            assert_eq!(thread.run(|| std::thread::current().id()).await.unwrap(), first);
        }
        assert!(thread.run(|| panic!("as it is meant to")).await.is_err());
        assert!(thread.run(|| ()).await.is_err());
    }
}
