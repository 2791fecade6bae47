//! The loop that keeps one generation of one view up with the log.
//!
//! A [`Reader`] per stream reads and decodes ahead; one task projects and commits, so a view has a single writer.

use std::collections::BTreeMap;

use model::log::Stream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use views::store::Checkpoint;

use crate::error::Error;
use crate::generation::{Generation, Purpose, Sequences};
use crate::reader::{News, Reader};
use crate::writer::Writer;

/// Keeps a generation up with the log.
pub(crate) struct Worker(pub(crate) Generation);

impl Worker {
    /// Works until `stop`, or until a rebuild has reached its targets. Gives the sequences that it has reached.
    ///
    /// # Errors
    /// When the log was lost or rolled back, or the storage cannot be read.
    pub(crate) async fn run(self, stop: CancellationToken) -> Result<Sequences, Error> {
        let Generation { view, store, .. } = &self.0;
        let failed = |cause| Error::View { view: *view, cause };
        let checkpoints = store.checkpoints().map_err(failed)?;
        // Readers end with the writer, however it ends.
        let readers_stop = stop.child_token();
        let _end_readers = readers_stop.clone().drop_guard();
        // The checkpoint was committed in one write with the rows that it stands for, so the next message is the first that
        // is not in the view. A consumer on the server could not know that: it is told of a message before or after the
        // commit, and a crash between the two would lose or repeat it.
        let after = |stream: &Stream| checkpoints.get(stream).map_or(0, |checkpoint| checkpoint.sequence);
        let reached: Sequences = view.reads().map(|stream| (stream, after(&stream))).collect();
        let (mut readers, mut inbox) = self.start_readers(&checkpoints, &readers_stop);
        let mut writer = Writer::start(&self.0, reached, &stop);
        writer.begin(checkpoints.is_empty()).await?;
        while !self.is_done(writer.reached()) {
            let next = tokio::select! {
                () = stop.cancelled() => break,
                next = inbox.recv() => next,
                Some(ended) = readers.join_next() => {
                    ended??;
                    continue;
                }
                () = writer.is_due() => {
                    if !writer.commit().await? {
                        break;
                    }
                    continue;
                }
            };
            let goes_on = match next {
                None => {
                    // Why they ended may be known only now: a rebuild whose readers failed must not pass for whole.
                    while let Some(ended) = readers.join_next().await {
                        ended??;
                    }
                    false
                }
                Some(News::Idle(stream, complete_to)) => writer.idle(stream, complete_to).await?,
                Some(News::Forgotten(sequence)) => writer.forget(sequence).await?,
                Some(News::Work(work)) => writer.take_in(*work).await?,
            };
            if !goes_on {
                break;
            }
        }
        Ok(writer.reached().clone())
    }

    /// Starts a reader for each stream, after what is in the view of it.
    fn start_readers(
        &self,
        checkpoints: &BTreeMap<Stream, Checkpoint>,
        stop: &CancellationToken,
    ) -> (JoinSet<Result<(), Error>>, mpsc::Receiver<News>) {
        let mut readers = JoinSet::new();
        // One decoded batch waits while another is written, for all streams together: that keeps the writer busy, and more
        // would only take memory.
        let (news, inbox) = mpsc::channel(1);
        let Generation { view, bus, log_watch, .. } = &self.0;
        let reader = |stream| Reader {
            view: *view,
            bus: bus.clone(),
            stream,
            news: news.clone(),
            stop: stop.clone(),
            log_watch: log_watch.clone(),
        };
        for stream in self.0.view.reads() {
            readers.spawn(reader(stream).read(checkpoints.get(&stream).cloned()));
        }
        if let (Purpose::Live(_), Some(stream)) = (&self.0.purpose, self.0.view.forgets_with()) {
            readers.spawn(reader(stream).watch_retention());
        }
        (readers, inbox)
    }

    /// The last message may be gone since a target was named, and the target with it. So what counts is not that it was
    /// read but that nothing up to it is left to read, which the news that a stream is idle says.
    fn is_done(&self, reached: &Sequences) -> bool {
        match &self.0.purpose {
            Purpose::Live(_) => false,
            Purpose::Rebuild(targets, _) => {
                targets.iter().all(|(stream, target)| reached.get(stream).is_some_and(|sequence| sequence >= target))
            }
        }
    }
}
