//! Records the events of all receivers with group commit: the events of all waiting callers are
//! written in one transaction, and each caller is answered after the commit. An idle recorder
//! writes at once. Under load a batch waits for further callers, for at most the linger time.

use std::{
    collections::{HashMap, VecDeque},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::FutureExt;
use rollcall_platform::settings::Settings;
use rollcall_store::{
    Pool,
    batch::{self, Outcomes, Recorded},
    events::Reported,
    recording::Writer,
};
use tokio::{
    runtime::Handle,
    sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot},
    time::{Duration, Instant, timeout_at},
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

/// Events of one caller, and what is needed to answer the caller.
struct Job {
    events: Vec<Reported>,
    answer: oneshot::Sender<Answer>,
    /// Runtime of the caller. Each HTTP worker has its own runtime.
    runtime: Handle,
    /// Capacity that the events occupy in the queue. It is released when the job is dropped.
    _occupied: OwnedSemaphorePermit,
}

/// Queues events and answers when they are on disk.
pub struct Recorder {
    queue: Arc<Queue>,
    /// Free capacity of the queue, in events.
    capacity: Arc<Semaphore>,
}

impl Recorder {
    /// Starts the writers. They end when the recorder is dropped and the queue is empty.
    #[must_use]
    pub fn start(pool: &Pool, settings: &Settings) -> Self {
        let session_timeout = settings.reporting.session_timeout();
        let settings = &settings.ingestion;
        let queue = Arc::new(Queue::new(settings.batch_events.max(1)));
        for _ in 0..settings.writers.max(1) {
            tokio::spawn(write_batches(pool.writer(session_timeout), queue.clone()));
        }
        let capacity = Arc::new(Semaphore::new(
            settings.queue_events.max(queue.batch_events),
        ));
        Self { queue, capacity }
    }

    /// Records events. Returns the outcome of each event, in order.
    ///
    /// # Errors
    /// At least one event was not recorded. Others may be recorded.
    pub async fn record(&self, events: Vec<Reported>) -> Result<Vec<Recorded>, Unrecorded> {
        let mut recorded = Vec::with_capacity(events.len());
        let mut events = events.into_iter().peekable();
        while events.peek().is_some() {
            let part: Vec<Reported> = events.by_ref().take(self.queue.batch_events).collect();
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

/// Linger time: maximum time that a batch waits for further callers, measured from the end of the
/// previous batch. Under load, the callers that were just answered soon send again. The next batch
/// therefore waits for half of all callers, and takes the jobs of no more than half. So the events
/// of one half are written while the other half sends its next events. A single caller never waits.
const LINGER_TIME: Duration = Duration::from_millis(4);

/// Jobs that wait for the writers. One writer is active at a time, so that batches are large and
/// the cost per event is low. A second writer starts only for a full batch.
struct Queue {
    state: Mutex<State>,
    /// Wakes a writer when a batch is due.
    due: Notify,
    /// Number of events that make a batch full.
    batch_events: usize,
}

struct State {
    jobs: VecDeque<Job>,
    /// Number of events in `jobs`.
    events: usize,
    /// Number of batches that are being written.
    writing: usize,
    /// Number of callers that a batch waits for: about half of all callers.
    awaited_callers: usize,
    lingers_until: Instant,
    closed: bool,
}

impl State {
    fn linger_is_over(&self) -> bool {
        self.jobs.len() >= self.awaited_callers
            || self.closed
            || Instant::now() >= self.lingers_until
    }
}

impl Queue {
    fn new(batch_events: usize) -> Self {
        let state = State {
            jobs: VecDeque::new(),
            events: 0,
            writing: 0,
            awaited_callers: 1,
            lingers_until: Instant::now(),
            closed: false,
        };
        Self {
            state: state.into(),
            due: Notify::new(),
            batch_events,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_due(&self, state: &State) -> bool {
        state.events >= self.batch_events
            || state.writing == 0 && !state.jobs.is_empty() && state.linger_is_over()
    }

    fn put(&self, job: Job) {
        let mut state = self.lock();
        state.events += job.events.len();
        state.jobs.push_back(job);
        self.notify(&state);
    }

    fn close(&self) {
        self.lock().closed = true;
        self.due.notify_waiters();
    }

    /// Waits until a batch is due. Returns `None` when the queue is closed and empty.
    async fn next_batch(&self) -> Option<Vec<Job>> {
        loop {
            let due = self.due.notified();
            let deadline = {
                let mut state = self.lock();
                // Read the deadline before checking the queue, so that a deadline that passes in
                // between is not missed.
                let lingers = Instant::now() < state.lingers_until;
                if self.is_due(&state) {
                    return Some(self.take(&mut state));
                }
                if state.closed {
                    return None;
                }
                lingers.then_some(state.lingers_until)
            };
            match deadline {
                Some(deadline) => drop(timeout_at(deadline, due).await),
                None => due.await,
            }
        }
    }

    fn take(&self, state: &mut State) -> Vec<Job> {
        let mut batch = Vec::new();
        let mut size = 0;
        let mut max_callers = state.jobs.len();
        // Only a full batch may take the jobs of all callers.
        if state.events < self.batch_events {
            // If the linger time has passed, fewer callers came than were awaited. Do not wait for
            // the others again.
            state.awaited_callers = state.awaited_callers.min(max_callers);
            max_callers = state.awaited_callers;
        }
        while batch.len() < max_callers
            && size < self.batch_events
            && let Some(job) = state.jobs.pop_front()
        {
            size += job.events.len();
            batch.push(job);
        }
        state.events -= size;
        state.writing += 1;
        self.notify(state);
        batch
    }

    /// Counts a batch of `callers` callers as written, so that the next batch can begin while these
    /// callers are answered.
    fn written(&self, callers: usize) {
        let mut state = self.lock();
        state.writing -= 1;
        // Callers that are about to send again are not in the queue yet, so this count is too low.
        // The previous number therefore decays slowly.
        state.awaited_callers = (callers + state.jobs.len())
            .div_ceil(2)
            .max(state.awaited_callers * 7 / 8);
        state.lingers_until = Instant::now() + LINGER_TIME;
        self.notify(&state);
    }

    fn notify(&self, state: &State) {
        if self.is_due(state) {
            self.due.notify_one();
        }
    }
}

async fn write_batches(mut writer: Writer, queue: Arc<Queue>) {
    while let Some(mut batch) = queue.next_batch().await {
        let sizes: Vec<usize> = batch.iter().map(|job| job.events.len()).collect();
        let events: Vec<Reported> = batch
            .iter_mut()
            .flat_map(|job| std::mem::take(&mut job.events))
            .collect();
        // Catch panics so that `writing` is always decremented. Otherwise one panic would stall the
        // queue.
        let outcomes = AssertUnwindSafe(batch::record(&mut writer, &events))
            .catch_unwind()
            .await;
        queue.written(batch.len());
        let outcomes = outcomes.unwrap_or_else(|_| vec![Err(batch::Unavailable); events.len()]);
        answer(batch, &sizes, outcomes);
    }
}

/// Sends the answers. Waking a caller in another runtime is a system call, so all answers for one
/// runtime are sent by one task there.
fn answer(batch: Vec<Job>, sizes: &[usize], outcomes: Outcomes) {
    let mut outcomes = outcomes
        .into_iter()
        .map(|outcome| outcome.map_err(Unrecorded::from));
    let mut runtimes = HashMap::new();
    for (job, &size) in batch.into_iter().zip(sizes) {
        let answer = outcomes.by_ref().take(size).collect::<Vec<_>>();
        let answer: Answer = answer.into_iter().collect();
        let (_, answers) = runtimes
            .entry(job.runtime.id())
            .or_insert((job.runtime, Vec::new()));
        answers.push((job.answer, answer));
    }
    for (runtime, answers) in runtimes.into_values() {
        runtime.spawn(async move {
            for (caller, answer) in answers {
                // Sending fails if the caller has disconnected. Its events are recorded
                // nevertheless.
                let _ = caller.send(answer);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use rollcall_attendance::event::{Arrival, Event, RawEvent};

    use super::*;

    fn job(events: usize) -> Job {
        let raw = RawEvent {
            event_id: Some("1".into()),
            kind: Some("restart".into()),
            occurred_at: Some("1970-01-01T00:00:00Z".into()),
            ..RawEvent::default()
        };
        let at = Timestamp::UNIX_EPOCH;
        let arrival = Arrival {
            at,
            earliest: Timestamp::MIN,
            ahead: SignedDuration::ZERO,
            skew: SignedDuration::ZERO,
        };
        let event = Event::parse(raw, &arrival).expect("an event");
        let permit = Arc::new(Semaphore::new(1))
            .try_acquire_owned()
            .expect("capacity");
        let events = vec![
            Reported {
                source_id: 1,
                event
            };
            events
        ];
        Job {
            events,
            answer: oneshot::channel().0,
            runtime: Handle::current(),
            _occupied: permit,
        }
    }

    /// Returns the number of events in the batch that is due.
    fn due(queue: &Queue) -> Option<usize> {
        let batch = queue.next_batch().now_or_never()??;
        Some(batch.iter().map(|job| job.events.len()).sum())
    }

    #[tokio::test]
    async fn second_batch_is_written_concurrently_only_if_it_is_full() {
        let queue = Queue::new(10);
        assert_eq!(due(&queue), None);
        queue.put(job(1));
        assert_eq!(due(&queue), Some(1), "an idle recorder writes at once");
        queue.put(job(4));
        assert_eq!(due(&queue), None, "a batch is being written");
        queue.put(job(6));
        queue.put(job(3));
        assert_eq!(due(&queue), Some(10), "a full batch does not wait");
        queue.written(1);
        assert_eq!(due(&queue), None, "the other batch is still being written");
        queue.close();
        queue.written(2);
        assert_eq!(
            due(&queue),
            Some(3),
            "the waiting jobs are written before the writers end"
        );
        assert!(
            queue
                .next_batch()
                .now_or_never()
                .expect("the end")
                .is_none()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn batch_waits_for_half_of_the_callers_until_the_linger_time_ends() {
        let queue = Queue::new(100);
        let put = |callers| (0..callers).for_each(|_| queue.put(job(1)));
        put(1);
        assert_eq!(due(&queue), Some(1), "an idle recorder writes at once");
        put(7);
        queue.written(1);
        assert_eq!(due(&queue), Some(4), "half of the eight callers");
        queue.written(4);
        put(1);
        assert_eq!(due(&queue), Some(4));
        put(3);
        queue.written(4);
        assert_eq!(due(&queue), None, "the batch waits for the other callers");
        put(1);
        assert_eq!(due(&queue), Some(4));
        put(1);
        let began = Instant::now();
        queue.written(4);
        assert_eq!(queue.next_batch().await.expect("a batch").len(), 1);
        assert!(began.elapsed() >= LINGER_TIME, "no other caller came");
        queue.written(1);
        put(1);
        assert_eq!(due(&queue), Some(1), "a single caller does not wait");
        queue.written(1);
        tokio::time::advance(LINGER_TIME).await;
        put(1);
        assert_eq!(due(&queue), Some(1), "an idle recorder writes at once");
    }
}
