//! Threads that decode messages of one stream, side by side, for one who takes what comes of it in order.
//!
//! They take turns: another begins where messages come before the stream was found to be idle; when it is, one is left.

use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::available_parallelism;

use bus::Message;
use feed::read::Entry;
use views::View;

use crate::thread::{Begun, Panicked, Thread};
use crate::work::Work;

/// More would wait for the one who projects.
const MAX_THREADS: usize = 4;
/// So many pieces of work that are done with wait to be dropped, by who decoded them; more are dropped by who is done with
/// them.
const SPENT: usize = 16;

/// What decodes the messages of a stream.
pub(crate) struct Decoders {
    view: View,
    stream_created: i64,
    threads: Vec<Decoder>,
    next: usize,
    limit: usize,
}

/// One thread of it.
struct Decoder {
    thread: Thread,
    back: SyncSender<Vec<Entry>>,
    spent: Arc<Mutex<Receiver<Vec<Entry>>>>,
}

impl Decoders {
    /// For a view, of a stream that was made at a time (microseconds since 1970).
    pub(crate) fn new(view: View, stream_created: i64) -> Self {
        let cores = available_parallelism().map_or(1, usize::from);
        Self::with_threads(view, stream_created, cores.min(MAX_THREADS))
    }

    fn with_threads(view: View, stream_created: i64, limit: usize) -> Self {
        Self { view, stream_created, threads: Vec::new(), next: 0, limit }
    }

    /// How many lots of messages can be decoded at a time.
    pub(crate) fn limit(&self) -> usize {
        self.limit
    }

    /// Begins to decode messages. What comes of it comes in the order of the messages, as far as it is waited for in the
    /// order in which it was begun.
    ///
    /// # Errors
    /// When a thread has panicked.
    pub(crate) async fn begin(&mut self, messages: Vec<Message>) -> Result<Begun<Vec<Work>>, Panicked> {
        if self.threads.len() <= self.next {
            self.threads.push(Decoder::start());
        }
        let decoder = &self.threads[self.next];
        self.next = (self.next + 1) % self.limit;
        let (view, created) = (self.view, self.stream_created);
        let (back, spent) = (decoder.back.clone(), decoder.spent.clone());
        let decode = move || {
            drop_spent(&spent);
            let (mut works, mut rest) = (Vec::new(), messages);
            while let (Some(work), others) = Work::decode(view, created, rest, &back) {
                works.push(work);
                rest = others;
            }
            works
        };
        decoder.thread.begin(decode).await
    }

    /// Notes that there is nothing to decode for a while: what is spent is dropped, and one thread is left.
    pub(crate) async fn rest(&mut self) -> Result<(), Panicked> {
        self.threads.truncate(1);
        self.next = 0;
        let Some(decoder) = self.threads.first() else { return Ok(()) };
        let spent = decoder.spent.clone();
        decoder.thread.begin(move || drop_spent(&spent)).await?.done().await
    }
}

impl Decoder {
    fn start() -> Self {
        let (back, spent) = sync_channel(SPENT);
        Self { thread: Thread::start(), back, spent: Arc::new(Mutex::new(spent)) }
    }
}

/// Drops what was decoded and is done with. To be called on the thread that decoded it.
fn drop_spent(spent: &Mutex<Receiver<Vec<Entry>>>) {
    spent.lock().unwrap_or_else(PoisonError::into_inner).try_iter().for_each(drop);
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;

    use model::log::{LogPosition, Stream};

    use super::*;

    fn message(sequence: u64) -> Message {
        let data = "x".repeat(if sequence.is_multiple_of(7) { 10_000 } else { 10 });
        let payload = format!(
            r#"{{"specversion":"1.0","id":"{sequence}","source":"s","type":"t","data":{{"error_message":"{data}"}}}}"#
        );
        Message {
            position: LogPosition { stream: Stream::Audit, sequence },
            subject: "flowtrail.v1.audit.main.test".to_owned(),
            headers: Vec::new(),
            payload: payload.into_bytes().into(),
            received_at: 0,
            pending: 0,
        }
    }

    #[tokio::test]
    async fn what_is_decoded_comes_in_order_from_any_number_of_threads() {
        for threads in [1, 2, 8] {
            let mut decoders = Decoders::with_threads(views::audit::VIEW, 1, threads);
            let (mut begun, mut ids) = (VecDeque::new(), Vec::new());
            for lot in 0..60_u64 {
                if begun.len() == threads {
                    ids.extend(ids_of(begun.pop_front().unwrap()).await);
                }
                begun.push_back(decoders.begin((lot * 10..lot * 10 + 10).map(message).collect()).await.unwrap());
                if lot == 30 {
                    for begun in begun.drain(..) {
                        ids.extend(ids_of(begun).await);
                    }
                    decoders.rest().await.unwrap();
                    assert_eq!(decoders.threads.len(), 1);
                }
            }
            for begun in begun {
                ids.extend(ids_of(begun).await);
            }
            assert!(ids.into_iter().eq((0..600).map(|id| id.to_string())), "{threads} threads");
        }
    }

    async fn ids_of(begun: Begun<Vec<Work>>) -> Vec<String> {
        let mut ids = Vec::new();
        for mut work in begun.done().await.unwrap() {
            for entry in work.take_entries().all() {
                ids.extend(entry.decoded.iter().filter_map(|decoded| decoded.id.clone()));
            }
        }
        ids
    }
}
