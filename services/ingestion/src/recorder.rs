//! Records the events of all receivers with group commit: the events of all waiting callers are
//! written in one transaction, and each caller is answered after the commit.

mod group_commit;
mod queue;
mod writers;

use std::sync::Arc;

use rollcall_platform::settings::Settings;
use rollcall_store::{
    Pool,
    batch::{self, Recorded},
    events::Reported,
};
use tokio::{
    runtime::Handle,
    sync::{Semaphore, oneshot},
};

use self::{
    queue::{Job, Queue},
    writers::write_batches,
};

/// Reason why events were not recorded. Sending the events again is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unrecorded {
    /// The queue is full.
    #[error("too many events are waiting for the database")]
    Busy,
    /// The database does not answer. The cause is in the log.
    #[error("the database does not answer")]
    Unavailable,
}

impl From<batch::Unavailable> for Unrecorded {
    fn from(_: batch::Unavailable) -> Self {
        Self::Unavailable
    }
}

type Answer = Result<Vec<Recorded>, Unrecorded>;

/// Queues events and answers when they are on disk.
pub struct Recorder {
    queue: Arc<Queue>,
    /// Free capacity of the queue, in events.
    capacity: Arc<Semaphore>,
    /// Maximum number of events of a job.
    max_batch_events: usize,
}

impl Recorder {
    /// Starts the writers. They end when the recorder is dropped and the queue is empty.
    #[must_use]
    pub fn start(pool: &Pool, settings: &Settings) -> Self {
        let session_timeout = settings.reporting.session_timeout();
        let settings = &settings.ingestion;
        let max_batch_events = settings.batch_events.max(1);
        let queue = Arc::new(Queue::new(max_batch_events));
        for _ in 0..settings.writers.max(1) {
            tokio::spawn(write_batches(pool.writer(session_timeout), queue.clone()));
        }
        let max_queue_events = settings.queue_events.max(max_batch_events);
        Self {
            queue,
            capacity: Arc::new(Semaphore::new(max_queue_events)),
            max_batch_events,
        }
    }

    /// Records events. Returns the outcome of each event, in order.
    ///
    /// # Errors
    /// At least one event was not recorded. Others may be recorded.
    pub async fn record(&self, events: Vec<Reported>) -> Result<Vec<Recorded>, Unrecorded> {
        let mut recorded = Vec::with_capacity(events.len());
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            let part: Vec<Reported> = events.by_ref().take(self.max_batch_events).collect();
            recorded.extend(self.record_part(part).await?);
        }
        Ok(recorded)
    }

    async fn record_part(&self, events: Vec<Reported>) -> Answer {
        let size = u32::try_from(events.len()).map_err(|_| Unrecorded::Busy)?;
        let occupied = self
            .capacity
            .clone()
            .try_acquire_many_owned(size)
            .map_err(|_| Unrecorded::Busy)?;
        let (answer, answered) = oneshot::channel();
        self.queue.put(Job {
            events,
            answer,
            runtime: Handle::current(),
            _occupied: occupied,
        });
        answered.await.unwrap_or(Err(Unrecorded::Unavailable))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.queue.close();
    }
}
