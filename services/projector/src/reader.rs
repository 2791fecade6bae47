//! Reads and decodes one stream ahead of a view's writer.

use std::time::Duration;

use bus::Bus;
use model::log::Stream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use views::View;
use views::store::Checkpoint;

use crate::decoders::Decoders;
use crate::error::Error;
use crate::log_watch::LogWatch;
use crate::thread::Begun;
use crate::work::Work;

/// The most messages that are taken at once.
const BATCH_MESSAGES: usize = 2000;
/// The most bytes of messages that are taken at once; the message that reaches them is the last.
const BATCH_BYTES: usize = 512 << 10;
/// How often an idle stream is looked at, to know that nothing is waiting.
const IDLE: Duration = Duration::from_millis(250);
/// How often it is asked what the log has forgotten.
const RETENTION_EVERY: Duration = Duration::from_secs(60);

/// A reader of one stream, until `stop` or until its writer has ended.
pub(crate) struct Reader {
    /// Whose writer it reads for.
    pub(crate) view: View,
    pub(crate) bus: Bus,
    pub(crate) stream: Stream,
    pub(crate) news: mpsc::Sender<News>,
    pub(crate) stop: CancellationToken,
    pub(crate) log_watch: LogWatch,
}

/// What a reader tells the writer.
pub(crate) enum News {
    /// Messages to project.
    Work(Box<Work>),
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
        let mut decoders = Decoders::new(self.view, created);
        let (decoding, decoded) = mpsc::channel(decoders.limit());
        let read = async {
            loop {
                let messages = tokio::select! {
                    () = self.stop.cancelled() => return Ok(()),
                    messages = consumer.next_batch(BATCH_MESSAGES, BATCH_BYTES, IDLE) => messages?,
                };
                self.log_watch.passed_over(self.stream, consumer.passed_over());
                let next = if !messages.is_empty() {
                    Next::Decoding(decoders.begin(messages).await?)
                } else if consumer.pending() == Some(0) {
                    decoders.rest().await?;
                    Next::Idle(consumer.complete_to())
                } else {
                    continue;
                };
                // Who takes it in ends first where the writer has ended.
                if decoding.send(next).await.is_err() {
                    return Ok(());
                }
            }
        };
        tokio::select! {
            ended = read => ended,
            ended = hand_over(self.stream, decoded, &self.news) => ended,
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

/// What comes next of a stream, in its order.
enum Next {
    Decoding(Begun<Vec<Work>>),
    /// All that it holds up to this sequence was read.
    Idle(u64),
}

/// Gives the writer what was decoded, in order, until nothing more comes or the writer has ended.
async fn hand_over(stream: Stream, mut decoded: mpsc::Receiver<Next>, news: &mpsc::Sender<News>) -> Result<(), Error> {
    while let Some(next) = decoded.recv().await {
        let told = match next {
            Next::Idle(complete_to) => vec![News::Idle(stream, complete_to)],
            Next::Decoding(begun) => begun.done().await?.into_iter().map(|work| News::Work(Box::new(work))).collect(),
        };
        for told in told {
            if news.send(told).await.is_err() {
                return Ok(());
            }
        }
    }
    Ok(())
}
