//! One way to the disk for every door: what is waiting is written in one transaction, and each caller
//! is answered after its commit. Nothing waits for a batch to fill: an idle recorder writes at once.

use std::sync::Arc;

use futures::{FutureExt, future::BoxFuture};
use platform::settings;
use store::{
    Pool,
    events::{self, Outcome, Reported},
};
use tokio::sync::{
    Mutex, OwnedSemaphorePermit, Semaphore,
    mpsc::{self, UnboundedReceiver, UnboundedSender},
    oneshot,
};

/// What became of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Recorded {
    /// As of the store.
    As(Outcome),
    /// The database refuses this event; its neighbours are recorded.
    Refused(String),
}

/// Why events were not recorded. Sending them again is safe.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unrecorded {
    /// Too many events wait already.
    #[error("too many events are waiting for the database")]
    Busy,
    /// The database gives no answer; the cause is in the log.
    #[error("the database does not answer")]
    Unavailable,
}

struct Job {
    events: Vec<Reported>,
    answer: oneshot::Sender<Result<Vec<Recorded>, Unrecorded>>,
    _room: OwnedSemaphorePermit,
}

/// Takes events and answers when they are on disk.
pub struct Recorder {
    queue: UnboundedSender<Job>,
    /// Bounds the queue, in events.
    room: Arc<Semaphore>,
    batch_events: usize,
}

impl Recorder {
    /// Starts the writers. They end when the recorder is dropped and the queue is empty.
    #[must_use]
    pub fn start(pool: &Pool, settings: &settings::Ingestion) -> Self {
        let (queue, jobs) = mpsc::unbounded_channel();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..settings.writers.max(1) {
            tokio::spawn(write_batches(pool.clone(), jobs.clone(), settings.batch_events));
        }
        let batch_events = settings.batch_events.max(1);
        Self { queue, room: Arc::new(Semaphore::new(settings.queue_events.max(batch_events))), batch_events }
    }

    /// Records the events of one source, and tells the outcome of each, in order.
    ///
    /// # Errors
    /// Some were not recorded; which, is not known.
    pub async fn record(&self, events: Vec<Reported>) -> Result<Vec<Recorded>, Unrecorded> {
        let mut recorded = Vec::with_capacity(events.len());
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            let part: Vec<Reported> = events.by_ref().take(self.batch_events).collect();
            recorded.extend(self.record_part(part).await?);
        }
        Ok(recorded)
    }

    async fn record_part(&self, events: Vec<Reported>) -> Result<Vec<Recorded>, Unrecorded> {
        let size = u32::try_from(events.len()).map_err(|_| Unrecorded::Busy)?;
        let room = self.room.clone().try_acquire_many_owned(size).map_err(|_| Unrecorded::Busy)?;
        let (answer, answered) = oneshot::channel();
        self.queue.send(Job { events, answer, _room: room }).map_err(|_| Unrecorded::Unavailable)?;
        answered.await.unwrap_or(Err(Unrecorded::Unavailable))
    }
}

async fn write_batches(pool: Pool, jobs: Arc<Mutex<UnboundedReceiver<Job>>>, batch_events: usize) {
    while let Some(mut batch) = next_batch(&jobs, batch_events).await {
        let sizes: Vec<usize> = batch.iter().map(|job| job.events.len()).collect();
        let events: Vec<Reported> = batch.iter_mut().flat_map(|job| std::mem::take(&mut job.events)).collect();
        let mut outcome = write(&pool, &events).await.map(Vec::into_iter);
        for (job, size) in batch.into_iter().zip(sizes) {
            let answer = match &mut outcome {
                Ok(recorded) => Ok(recorded.by_ref().take(size).collect()),
                Err(unrecorded) => Err(*unrecorded),
            };
            // Its caller may have gone away; the events are recorded all the same.
            let _ = job.answer.send(answer);
        }
    }
}

/// Waits for one job and takes what else is there.
async fn next_batch(jobs: &Mutex<UnboundedReceiver<Job>>, batch_events: usize) -> Option<Vec<Job>> {
    let mut jobs = jobs.lock().await;
    let mut batch = vec![jobs.recv().await?];
    let mut size = batch[0].events.len();
    while size < batch_events {
        let Ok(job) = jobs.try_recv() else { break };
        size += job.events.len();
        batch.push(job);
    }
    Some(batch)
}

/// A batch that the database refuses is halved until the event at fault stands alone.
fn write<'a>(pool: &'a Pool, batch: &'a [Reported]) -> BoxFuture<'a, Result<Vec<Recorded>, Unrecorded>> {
    async move {
        match pool.ask(async |connection| events::record(connection, batch).await).await {
            Ok(outcomes) => Ok(outcomes.into_iter().map(Recorded::As).collect()),
            Err(store::Error::Refused(why)) if batch.len() == 1 => Ok(vec![Recorded::Refused(why)]),
            Err(store::Error::Refused(_)) => {
                let (left, right) = batch.split_at(batch.len() / 2);
                let mut recorded = write(pool, left).await?;
                recorded.extend(write(pool, right).await?);
                Ok(recorded)
            }
            Err(error) => {
                tracing::error!(%error, events = batch.len(), "events were not recorded");
                Err(Unrecorded::Unavailable)
            }
        }
    }
    .boxed()
}
