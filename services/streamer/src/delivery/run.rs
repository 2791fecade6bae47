//! The loop that delivers one integration's events: gather a batch, record the plan, deliver it, record that it is
//! done.
//!
//! Invariants: a batch is recorded before its first attempt and done before the next one of any stream begins; the
//! place in a stream moves on only when everything before it was delivered or is a dead letter.

use std::sync::Arc;
use std::time::Duration;

use model::delivery::{Data, Standing, Step};
use tokio_util::sync::CancellationToken;

use super::worker::{End, Task, Worker, WorkerError};

/// How long it may take to record, once delivery is to stop, what was passed over. If it takes longer, it is passed over again.
const TELLS_WITHIN: Duration = Duration::from_millis(500);

impl<'a> Worker<'a> {
    /// Delivers until `stop`, or until a person must act.
    ///
    /// # Errors
    /// When the log cannot be used; what was done is recorded, so the next worker goes on from there.
    pub(super) async fn run(task: &Task<'a>, stop: CancellationToken) -> Result<End, WorkerError> {
        let (mut worker, is_new) = Self::open(task, stop).await?;
        worker.begin(is_new).await?;
        if matches!(worker.state.standing, Standing::Suspended { .. }) && !worker.reopen().await? {
            return Ok(End::Suspended);
        }
        if !worker.connect().await? {
            return Ok(End::Suspended);
        }
        let Some(wanted) = worker.wanted().await? else { return Ok(End::Suspended) };
        worker.open_lanes(&Arc::new(wanted)).await?;
        worker.show();
        let end = worker.deliver_all().await?;
        // While it rests, the log's retention is not to seem to take what was only passed over.
        if worker.passed_at.is_some() {
            let told = tokio::time::timeout(TELLS_WITHIN, worker.record(Step::Kept, Data::default())).await;
            told.unwrap_or(Ok(()))?;
        }
        Ok(end)
    }

    async fn deliver_all(&mut self) -> Result<End, WorkerError> {
        // First what the last worker had planned: it may have arrived, and nothing may overtake it.
        if let Some(batch) = self.unfinished().await?
            && let Some(end) = self.finish(batch).await?
        {
            return Ok(end);
        }
        loop {
            if self.stop.is_cancelled() {
                // What is unfinished stays recorded as it is.
                return Ok(End::Stopped);
            }
            self.find_guarantee().await?;
            let batch = match self.next_letter().await? {
                Some(batch) => Some(batch),
                None => self.gather().await?,
            };
            if let Standing::Suspended { .. } = self.state.standing {
                return Ok(End::Suspended);
            }
            let Some(batch) = batch else { return Ok(End::Stopped) };
            if !self.connect().await? {
                return Ok(End::Suspended);
            }
            self.look_for_gaps(&batch).await?;
            // Recorded before it is sent: after a crash it is known what may be on its way, and exactly that is sent
            // again. A batch that was cut in another way would repeat some events under a new name.
            self.state.plan = Some(batch.plan);
            self.record(Step::Planned, Data::default()).await?;
            if let Some(end) = self.finish(batch).await? {
                return Ok(end);
            }
        }
    }
}
