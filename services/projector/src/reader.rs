//! Reads and decodes one stream ahead of a view's writer.

use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use bus::Bus;
use feed::read::Entry;
use model::log::Stream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use views::store::Checkpoint;

use crate::error::Error;
use crate::log_watch::LogWatch;
use crate::thread::Thread;
use crate::work::Work;

/// The most messages that are taken at once.
const BATCH_MESSAGES: usize = 2000;
/// The most bytes of messages that are taken at once; the message that reaches them is the last.
const BATCH_BYTES: usize = 2 << 20;
/// So many pieces of work that are done with wait to be dropped; more are dropped by who is done with them.
const SPENT: usize = 16;
/// How often an idle stream is looked at, to know that nothing is waiting.
const IDLE: Duration = Duration::from_millis(250);
/// How often it is asked what the log has forgotten.
const RETENTION_EVERY: Duration = Duration::from_secs(60);

/// A reader of one stream, until `stop` or until its writer has ended.
pub(crate) struct Reader {
    pub(crate) bus: Bus,
    pub(crate) stream: Stream,
    pub(crate) news: mpsc::Sender<News>,
    pub(crate) stop: CancellationToken,
    pub(crate) log_watch: LogWatch,
}

/// What a reader tells the writer.
pub(crate) enum News {
    /// Messages to project.
    Work(Work),
    /// There is nothing to read in this stream: all that it holds up to this sequence was read.
    Idle(Stream, u64),
    /// The stream has forgotten everything before this sequence.
    Forgotten(u64),
}

impl Reader {
    /// Reads and decodes what comes after a checkpoint; without one, all that there is.
    ///
    /// # Errors
    /// When the log was lost or rolled back, or cannot be decoded.
    pub(crate) async fn read(self, from: Option<Checkpoint>) -> Result<(), Error> {
        // Asked before anything is read. Should the stream be made again in between, the checkpoints name the time of the
        // old one, and the next start rebuilds the view.
        let created = self.bus.state(self.stream).await?.created;
        // A stream that was away may come back as another one, such as from a backup, and have grown past the
        // checkpoint.
        let mut consumer = match from {
            Some(Checkpoint { sequence, fingerprint, stream_created }) => {
                self.bus.consume(self.stream, sequence).of_log(stream_created, fingerprint)
            }
            None => self.bus.consume(self.stream, 0),
        };
        let mut decoder = Thread::start();
        let (back, mut spent) = sync_channel(SPENT);
        loop {
            let messages = tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                messages = consumer.next_batch(BATCH_MESSAGES, BATCH_BYTES, IDLE) => messages?,
            };
            self.log_watch.passed_over(self.stream, consumer.passed_over());
            if messages.is_empty() && consumer.pending() == Some(0) {
                // Nothing is decoded for a while that would take what is spent back.
                spent = decoder.run(move || taken_back(spent)).await?;
                let idle = News::Idle(self.stream, consumer.complete_to());
                if self.news.send(idle).await.is_err() {
                    return Ok(());
                }
            }
            let mut rest = messages;
            while !rest.is_empty() {
                let back = back.clone();
                let decode = move || {
                    let spent = taken_back(spent);
                    (Work::decode(created, rest, &back), spent)
                };
                let (work, others);
                ((work, others), spent) = decoder.run(decode).await?;
                rest = others;
                let Some(work) = work else { break };
                if self.news.send(News::Work(work)).await.is_err() {
                    return Ok(());
                }
            }
        }
    }

    /// Tells the writer what the log has forgotten, as often as that matters.
    ///
    /// # Errors
    /// None; readers all end alike.
    pub(crate) async fn watch_retention(self) -> Result<(), Error> {
        let mut first = 0;
        loop {
            // A log that is away forgets nothing.
            if let Ok(state) = self.bus.state(self.stream).await
                && state.first_sequence > first
            {
                first = state.first_sequence;
                if self.news.send(News::Forgotten(first)).await.is_err() {
                    return Ok(());
                }
            }
            tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                () = tokio::time::sleep(RETENTION_EVERY) => {}
            }
        }
    }
}

/// Drops what was decoded and is done with.
fn taken_back(spent: Receiver<Vec<Entry>>) -> Receiver<Vec<Entry>> {
    spent.try_iter().for_each(drop);
    spent
}
