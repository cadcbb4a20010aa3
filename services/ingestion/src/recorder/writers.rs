//! The writers: each takes a batch from the queue, records it and answers its callers.

use std::{collections::HashMap, panic::AssertUnwindSafe, sync::Arc};

use futures::FutureExt;
use rollcall_store::{
    batch::{self, Outcomes, Unavailable},
    events::Reported,
    recording::Writer,
};

use super::{
    Answer, Unrecorded,
    queue::{Job, Queue},
};

/// Writes batches until the queue is closed and empty.
pub async fn write_batches(mut writer: Writer, queue: Arc<Queue>) {
    while let Some(mut batch) = queue.next_batch().await {
        let sizes: Vec<usize> = batch.iter().map(|job| job.events.len()).collect();
        let events: Vec<Reported> = batch
            .iter_mut()
            .flat_map(|job| std::mem::take(&mut job.events))
            .collect();
        // Catch panics so that `end_batch` is always called. Otherwise one panic would stall the
        // queue.
        let outcomes = AssertUnwindSafe(batch::record(&mut writer, &events))
            .catch_unwind()
            .await;
        queue.end_batch(batch.len());
        let outcomes = outcomes.unwrap_or_else(|_| vec![Err(Unavailable); events.len()]);
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
        let answer: Answer = outcomes
            .by_ref()
            .take(size)
            .collect::<Vec<_>>()
            .into_iter()
            .collect();
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
