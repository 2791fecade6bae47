//! The async half of an import: publishes batches, a bounded number of them at once.

use bus::Bus;
use feed::write;
use model::log::Subject;
use tokio::sync::mpsc;

use super::batch::Batch;
use super::known;
use crate::progress::Progress;

/// How many messages are under way at most: 16 MiB of batches.
const IN_FLIGHT: usize = 32;

/// What the log has acknowledged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Published {
    /// Events in all messages.
    pub(super) events: u64,
    /// Messages.
    pub(super) messages: u64,
    /// Of these, the ones that the broker remembered from before.
    pub(super) known_messages: u64,
    /// Events that the account had already, which were not published.
    pub(super) known_events: u64,
}

/// Publishes until there are no more batches, and waits until all are acknowledged.
///
/// # Errors
/// When one is not, after several attempts; when nobody answers which events are known.
pub(super) async fn publish(
    bus: &Bus,
    subject: &Subject,
    mut batches: mpsc::Receiver<Batch>,
    progress: &Progress,
) -> anyhow::Result<Published> {
    let mut publisher = bus.publisher(IN_FLIGHT);
    let (mut events, mut known_events) = (0, 0);
    while let Some(batch) = batches.recv().await {
        let read = batch.events;
        let batch = known::without_known(bus, subject.account(), batch).await?;
        known_events += read - batch.events;
        if batch.events == 0 {
            continue;
        }
        publisher.publish(write::batch(subject.clone(), batch.payload)).await?;
        events += batch.events;
        progress.show(events);
    }
    let acknowledged = publisher.finish().await?;
    let messages = acknowledged.stored + acknowledged.duplicates;
    Ok(Published { events, messages, known_messages: acknowledged.duplicates, known_events })
}
