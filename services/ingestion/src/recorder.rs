//! One way to the disk for every door: what is waiting is written in one transaction, and each caller
//! is answered after its commit. An idle recorder writes at once; under load a batch waits a moment for its callers.

use std::{
    collections::{HashMap, VecDeque},
    panic::AssertUnwindSafe,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{FutureExt, future::BoxFuture};
use rollcall_platform::settings;
use rollcall_store::{
    Pool,
    events::{self, Outcome, Reported},
    failure::Failure,
    recording::Writer,
    set_aside,
};
use tokio::{
    runtime::Handle,
    sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot},
    time::{Duration, Instant, timeout_at},
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

type Answer = Result<Vec<Recorded>, Unrecorded>;
/// What became of each event of a batch: the failure of one is not that of its neighbours.
type Outcomes = Vec<Result<Recorded, Unrecorded>>;

struct Job {
    events: Vec<Reported>,
    answer: oneshot::Sender<Answer>,
    /// Where its caller runs: each HTTP worker has a runtime of its own.
    runtime: Handle,
    _room: OwnedSemaphorePermit,
}

/// Takes events and answers when they are on disk.
pub struct Recorder {
    queue: Arc<Queue>,
    /// Bounds the queue, in events.
    room: Arc<Semaphore>,
}

impl Recorder {
    /// Starts the writers. They end when the recorder is dropped and the queue is empty.
    #[must_use]
    pub fn start(pool: &Pool, settings: &settings::Ingestion) -> Self {
        let queue = Arc::new(Queue::new(settings.batch_events.max(1)));
        for _ in 0..settings.writers.max(1) {
            tokio::spawn(write_batches(pool.writer(), queue.clone()));
        }
        let room = Arc::new(Semaphore::new(
            settings.queue_events.max(queue.batch_events),
        ));
        Self { queue, room }
    }

    /// Records the events of one source, and tells the outcome of each, in order.
    ///
    /// # Errors
    /// Some were not recorded; which, is not known.
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
        let room = self
            .room
            .clone()
            .try_acquire_many_owned(size)
            .map_err(|_| Unrecorded::Busy)?;
        let (answer, answered) = oneshot::channel();
        self.queue.put(Job {
            events,
            answer,
            runtime: Handle::current(),
            _room: room,
        });
        answered.await.unwrap_or(Err(Unrecorded::Unavailable))
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Under load, those who were just answered are about to send again: for so long after a batch, the next waits for half of
/// all callers, and takes no more, so that one half is written while the other is on its way. An idle recorder writes at
/// once, and a caller who is alone never waits.
const GATHERING: Duration = Duration::from_millis(4);

/// What waits for the writers. One of them writes at a time, so that batches are large and each costs the database little;
/// another joins in while there is a full batch for it.
struct Queue {
    waiting: Mutex<Waiting>,
    due: Notify,
    batch_events: usize,
}

struct Waiting {
    jobs: VecDeque<Job>,
    events: usize,
    writing: usize,
    /// How many callers make a batch, and until when they are waited for.
    half: usize,
    gathering_until: Instant,
    closed: bool,
}

impl Waiting {
    fn is_gathered(&self) -> bool {
        self.jobs.len() >= self.half || self.closed || Instant::now() >= self.gathering_until
    }
}

impl Queue {
    fn new(batch_events: usize) -> Self {
        let gathering_until = Instant::now();
        let waiting = Waiting {
            jobs: VecDeque::new(),
            events: 0,
            writing: 0,
            half: 1,
            gathering_until,
            closed: false,
        };
        Self {
            waiting: waiting.into(),
            due: Notify::new(),
            batch_events,
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_due(&self, waiting: &Waiting) -> bool {
        waiting.events >= self.batch_events
            || waiting.writing == 0 && !waiting.jobs.is_empty() && waiting.is_gathered()
    }

    fn put(&self, job: Job) {
        let mut waiting = self.waiting();
        waiting.events += job.events.len();
        waiting.jobs.push_back(job);
        self.notify(&waiting);
    }

    fn close(&self) {
        self.waiting().closed = true;
        self.due.notify_waiters();
    }

    /// Waits until a batch is due; none when there will be no more.
    async fn next_batch(&self) -> Option<Vec<Job>> {
        loop {
            let due = self.due.notified();
            let gathering_until = {
                let mut waiting = self.waiting();
                // Looked at before, or its end could go by unseen in between.
                let gathering = Instant::now() < waiting.gathering_until;
                if self.is_due(&waiting) {
                    return Some(self.take(&mut waiting));
                }
                if waiting.closed {
                    return None;
                }
                gathering.then_some(waiting.gathering_until)
            };
            match gathering_until {
                Some(end) => drop(timeout_at(end, due).await),
                None => due.await,
            }
        }
    }

    fn take(&self, waiting: &mut Waiting) -> Vec<Job> {
        let mut batch = Vec::new();
        let mut size = 0;
        let mut callers = waiting.jobs.len();
        // A full batch is taken whole.
        if waiting.events < self.batch_events {
            // Who did not come is not waited for again.
            waiting.half = waiting.half.min(callers);
            callers = waiting.half;
        }
        while batch.len() < callers
            && size < self.batch_events
            && let Some(job) = waiting.jobs.pop_front()
        {
            size += job.events.len();
            batch.push(job);
        }
        waiting.events -= size;
        waiting.writing += 1;
        self.notify(waiting);
        batch
    }

    /// Lets the next begin while this one answers its callers, who were so many.
    fn written(&self, callers: usize) {
        let mut waiting = self.waiting();
        waiting.writing -= 1;
        // Those who are on their way are not seen here: what was seen before counts for more, and fades.
        waiting.half = (callers + waiting.jobs.len())
            .div_ceil(2)
            .max(waiting.half * 7 / 8);
        waiting.gathering_until = Instant::now() + GATHERING;
        self.notify(&waiting);
    }

    fn notify(&self, waiting: &Waiting) {
        if self.is_due(waiting) {
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
        // Or a writer that panicked would count as writing for ever.
        let outcomes = AssertUnwindSafe(write(&mut writer, &events))
            .catch_unwind()
            .await;
        queue.written(batch.len());
        let outcomes = outcomes.unwrap_or_else(|_| unavailable(events.len()));
        answer(batch, &sizes, outcomes);
    }
}

fn unavailable(events: usize) -> Outcomes {
    vec![Err(Unrecorded::Unavailable); events]
}

/// To wake a caller in another runtime is a system call: the answers to those of one runtime go there together.
fn answer(batch: Vec<Job>, sizes: &[usize], outcomes: Outcomes) {
    let mut outcomes = outcomes.into_iter();
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
                // The caller may have gone away; its events are recorded all the same.
                let _ = caller.send(answer);
            }
        });
    }
}

/// Halves a batch in which an event is at fault, until that event stands alone.
fn write<'a>(writer: &'a mut Writer, batch: &'a [Reported]) -> BoxFuture<'a, Outcomes> {
    async move {
        let written = writer.ask(async |connection| events::record(connection, batch).await);
        match (written.await, batch) {
            (Ok(outcomes), _) => outcomes
                .into_iter()
                .map(|outcome| Ok(Recorded::As(outcome)))
                .collect(),
            (Err(Failure::Unavailable(cause)), _) => {
                tracing::error!(%cause, events = batch.len(), "events were not recorded");
                unavailable(batch.len())
            }
            (Err(Failure::Refused(why)), [_]) => vec![Ok(Recorded::Refused(why))],
            (Err(Failure::Unknown { sqlstate, message }), [reported]) => {
                vec![set_aside(writer, reported, &sqlstate, &message).await]
            }
            (Err(_), _) => {
                let (left, right) = batch.split_at(batch.len() / 2);
                let mut outcomes = write(writer, left).await;
                outcomes.extend(write(writer, right).await);
                outcomes
            }
        }
    }
    .boxed()
}

async fn set_aside(
    writer: &mut Writer,
    reported: &Reported,
    sqlstate: &str,
    message: &str,
) -> Result<Recorded, Unrecorded> {
    let (source_id, event_id) = (reported.source_id, &reported.event.event_id);
    tracing::error!(
        source_id,
        event_id,
        sqlstate,
        message,
        "event is set aside: the database refused it"
    );
    let added = writer
        .ask(async |connection| set_aside::add(connection, reported, sqlstate, message).await);
    added
        .await
        .map(|()| Recorded::As(Outcome::SetAside))
        .map_err(|error| {
            tracing::error!(%error, source_id, event_id, "event could not be set aside");
            Unrecorded::Unavailable
        })
}

#[cfg(test)]
mod tests {
    use jiff::{SignedDuration, Timestamp};
    use rollcall_attendance::event::{Arrival, Draft, Event};

    use super::*;

    fn job(events: usize) -> Job {
        let draft = Draft {
            event_id: Some("1".into()),
            kind: Some("restart".into()),
            occurred_at: Some("1970-01-01T00:00:00Z".into()),
            ..Draft::default()
        };
        let at = Timestamp::UNIX_EPOCH;
        let arrival = Arrival {
            at,
            earliest: Timestamp::MIN,
            ahead: SignedDuration::ZERO,
            skew: SignedDuration::ZERO,
        };
        let event = Event::parse(draft, &arrival).expect("an event");
        let permit = Arc::new(Semaphore::new(1))
            .try_acquire_owned()
            .expect("room");
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
            _room: permit,
        }
    }

    /// How many events the batch has that is due.
    fn due(queue: &Queue) -> Option<usize> {
        let batch = queue.next_batch().now_or_never()??;
        Some(batch.iter().map(|job| job.events.len()).sum())
    }

    #[tokio::test]
    async fn one_writes_at_a_time_but_for_full_batches() {
        let queue = Queue::new(10);
        assert_eq!(due(&queue), None);
        queue.put(job(1));
        assert_eq!(due(&queue), Some(1), "an idle one writes at once");
        queue.put(job(4));
        assert_eq!(due(&queue), None, "one writes");
        queue.put(job(6));
        queue.put(job(3));
        assert_eq!(due(&queue), Some(10), "a full batch is not kept waiting");
        queue.written(1);
        assert_eq!(due(&queue), None, "one still writes");
        queue.close();
        queue.written(2);
        assert_eq!(due(&queue), Some(3), "what waits is written before the end");
        assert!(
            queue
                .next_batch()
                .now_or_never()
                .expect("the end")
                .is_none()
        );
    }

    #[tokio::test(start_paused = true)]
    async fn half_of_those_who_were_answered_are_waited_for_a_moment() {
        let queue = Queue::new(100);
        let put = |callers| (0..callers).for_each(|_| queue.put(job(1)));
        put(1);
        assert_eq!(due(&queue), Some(1), "an idle one writes at once");
        put(7);
        queue.written(1);
        assert_eq!(due(&queue), Some(4), "half of eight callers, and no more");
        queue.written(4);
        put(1);
        assert_eq!(due(&queue), Some(4));
        put(3);
        queue.written(4);
        assert_eq!(due(&queue), None, "the others are on their way");
        put(1);
        assert_eq!(due(&queue), Some(4));
        put(1);
        let began = Instant::now();
        queue.written(4);
        assert_eq!(queue.next_batch().await.expect("a batch").len(), 1);
        assert!(began.elapsed() >= GATHERING, "nobody else came");
        queue.written(1);
        put(1);
        assert_eq!(due(&queue), Some(1), "a caller who is alone does not wait");
        queue.written(1);
        tokio::time::advance(GATHERING).await;
        put(1);
        assert_eq!(due(&queue), Some(1), "an idle one writes at once");
    }
}
