//! The queue between callers and writers. [`GroupCommit`] decides when a batch begins.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rollcall_store::events::Reported;
use tokio::{
    runtime::Handle,
    sync::{Notify, OwnedSemaphorePermit, oneshot},
    time::{Instant, timeout_at},
};

use super::{
    Answer,
    group_commit::{GroupCommit, Waiting},
};

/// Events of one caller, and what is needed to answer the caller.
pub struct Job {
    pub events: Vec<Reported>,
    pub answer: oneshot::Sender<Answer>,
    /// Runtime of the caller. Each HTTP worker has its own runtime.
    pub runtime: Handle,
    /// Capacity that the events occupy in the queue. It is released when the job is dropped.
    pub _occupied: OwnedSemaphorePermit,
}

/// Jobs that wait for the writers.
pub struct Queue {
    state: Mutex<State>,
    /// Wakes a writer when a batch is due.
    due: Notify,
    /// Number of events that make a batch full.
    max_batch_events: usize,
}

struct State {
    jobs: VecDeque<Job>,
    /// Number of events in `jobs`.
    events: usize,
    policy: GroupCommit,
    closed: bool,
}

impl State {
    fn waiting(&self) -> Waiting {
        Waiting {
            callers: self.jobs.len(),
            events: self.events,
        }
    }

    fn is_due(&self) -> bool {
        self.policy.is_due(self.waiting(), Instant::now())
    }

    fn take_batch(&mut self, max_batch_events: usize) -> Vec<Job> {
        let max_callers = self.policy.begin(self.waiting());
        let mut batch = Vec::new();
        let mut events = 0;
        while batch.len() < max_callers
            && events < max_batch_events
            && let Some(job) = self.jobs.pop_front()
        {
            events += job.events.len();
            batch.push(job);
        }
        self.events -= events;
        batch
    }
}

impl Queue {
    pub fn new(max_batch_events: usize) -> Self {
        let state = State {
            jobs: VecDeque::new(),
            events: 0,
            policy: GroupCommit::new(max_batch_events, Instant::now()),
            closed: false,
        };
        Self {
            state: state.into(),
            due: Notify::new(),
            max_batch_events,
        }
    }

    /// Adds a job.
    pub fn put(&self, job: Job) {
        let mut state = self.lock();
        state.events += job.events.len();
        state.jobs.push_back(job);
        self.notify(&state);
    }

    /// States that no further job comes. The writers end when the queue is empty.
    pub fn close(&self) {
        self.lock().closed = true;
        self.due.notify_waiters();
    }

    /// Waits until a batch is due. Returns `None` when the queue is closed and empty.
    pub async fn next_batch(&self) -> Option<Vec<Job>> {
        loop {
            let due = self.due.notified();
            let linger_end = {
                let mut state = self.lock();
                // Read the linger time before checking the queue, so that an end that passes in
                // between is not missed.
                let linger_end = state.policy.linger_end(Instant::now());
                if state.is_due() {
                    let batch = state.take_batch(self.max_batch_events);
                    self.notify(&state);
                    return Some(batch);
                }
                if state.closed && state.jobs.is_empty() {
                    // Another writer may wait for a batch that this writer has taken.
                    self.due.notify_waiters();
                    return None;
                }
                linger_end
            };
            match linger_end {
                Some(end) => drop(timeout_at(end, due).await),
                None => due.await,
            }
        }
    }

    /// States that a batch is written, so that the next one can begin while its callers are
    /// answered.
    pub fn end_batch(&self, callers: usize) {
        let mut state = self.lock();
        let waiting = state.waiting();
        state.policy.end(callers, waiting, Instant::now());
        self.notify(&state);
    }

    fn notify(&self, state: &State) {
        if state.is_due() {
            self.due.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use futures::FutureExt;
    use jiff::{SignedDuration, Timestamp};
    use rollcall_attendance::event::{Arrival, Event, RawEvent};
    use rollcall_store::events::Receiver;
    use tokio::sync::Semaphore;

    use super::{super::group_commit::LINGER_TIME, *};

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
        let reported = Reported {
            source_id: 1,
            event,
            receiver: Receiver::Http,
        };
        Job {
            events: vec![reported; events],
            answer: oneshot::channel().0,
            runtime: Handle::current(),
            _occupied: permit,
        }
    }

    /// Puts a job with each of these numbers of events.
    fn put(queue: &Queue, events: &[usize]) {
        for &events in events {
            queue.put(job(events));
        }
    }

    fn size(batch: &[Job]) -> usize {
        batch.iter().map(|job| job.events.len()).sum()
    }

    /// Returns the number of events in the batch that is due.
    fn due(queue: &Queue) -> Option<usize> {
        Some(size(&queue.next_batch().now_or_never()??))
    }

    #[tokio::test(start_paused = true)]
    async fn full_batch_takes_jobs_until_it_is_full() {
        let queue = Queue::new(10);
        put(&queue, &[4, 6, 3]);
        assert_eq!(due(&queue), Some(10));
        assert_eq!(due(&queue), None, "the rest waits for the end of the batch");
        queue.end_batch(2);
        assert_eq!(size(&queue.next_batch().await.expect("a batch")), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn batch_begins_when_the_linger_time_ends() {
        let queue = Queue::new(10);
        put(&queue, &[1, 1]);
        assert_eq!(due(&queue), Some(1));
        assert_eq!(due(&queue), None, "a batch is being written");
        // Two callers of this batch and the one in the queue make a half of two.
        queue.end_batch(2);
        let began = Instant::now();
        assert_eq!(size(&queue.next_batch().await.expect("a batch")), 1);
        assert!(began.elapsed() >= LINGER_TIME);
    }

    #[tokio::test(start_paused = true)]
    async fn all_writers_end_when_the_queue_is_closed_and_empty() {
        let queue = Queue::new(10);
        put(&queue, &[1, 1]);
        queue.close();
        let write = async || {
            while let Some(batch) = queue.next_batch().await {
                tokio::task::yield_now().await;
                queue.end_batch(batch.len());
            }
        };
        tokio::join!(write(), write());
        assert_eq!(due(&queue), None);
    }
}
