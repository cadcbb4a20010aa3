//! Permits to stream. Callers wait for a permit in a fair queue.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::sync::oneshot;

use super::queue::{FairQueue, Limits};

type Queue = Mutex<FairQueue<oneshot::Sender<Permit>>>;

/// The limit that prevented a stream from starting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LimitError {
    /// Limit of the API client.
    Client,
    /// Limit of all API clients together.
    Total,
}

/// Permits to stream of one replica of the service.
#[derive(Debug)]
pub struct Permits {
    queue: Arc<Queue>,
    wait: Duration,
}

/// Permission to run a stream. Dropping this value releases the permit.
#[derive(Debug)]
pub struct Permit {
    client: String,
    queue: Arc<Queue>,
}

impl Permits {
    /// Creates permits within `limits`. A caller waits at most `wait`.
    #[must_use]
    pub fn new(limits: Limits, wait: Duration) -> Self {
        Self {
            queue: Arc::new(Mutex::new(FairQueue::new(limits))),
            wait,
        }
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// Returns the limit that was reached, if there is no permit in time.
    pub async fn acquire(&self, client: &str) -> Result<Permit, LimitError> {
        let (ticket, permit) = oneshot::channel();
        {
            let mut queue = lock(&self.queue);
            queue.retain(|ticket| !ticket.is_closed());
            queue.push(client, ticket).map_err(|_| LimitError::Client)?;
        }
        start_waiting(&self.queue);
        match tokio::time::timeout(self.wait, permit).await {
            Ok(Ok(permit)) => Ok(permit),
            _ if lock(&self.queue).is_at_limit(client) => Err(LimitError::Client),
            _ => Err(LimitError::Total),
        }
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        lock(&self.queue).end(&self.client);
        start_waiting(&self.queue);
    }
}

/// Hands out all permits that the limits allow.
fn start_waiting(queue: &Arc<Queue>) {
    loop {
        let next = {
            let mut queue = lock(queue);
            queue.retain(|ticket| !ticket.is_closed());
            queue.start_next()
        };
        let Some((client, ticket)) = next else { return };
        let queue = queue.clone();
        // If the caller has stopped waiting, sending fails and drops the permit, which releases it.
        drop(ticket.send(Permit { client, queue }));
    }
}

fn lock(queue: &Queue) -> MutexGuard<'_, FairQueue<oneshot::Sender<Permit>>> {
    queue.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(wait: Duration) -> Permits {
        let limits = Limits {
            per_client: 1,
            total: 2,
            waiting_per_client: 2,
        };
        Permits::new(limits, wait)
    }

    #[tokio::test]
    async fn acquire_without_free_permit_returns_the_limit_reached() {
        let permits = permits(Duration::ZERO);
        let _a = permits.acquire("a").await.expect("a permit");
        assert_eq!(
            permits.acquire("a").await.expect_err("a limit"),
            LimitError::Client
        );
        let _b = permits.acquire("b").await.expect("a permit");
        assert_eq!(
            permits.acquire("c").await.expect_err("a limit"),
            LimitError::Total
        );
    }

    #[tokio::test]
    async fn dropped_permit_goes_to_waiting_caller() {
        let permits = permits(Duration::from_mins(1));
        let first = permits.acquire("a").await.expect("a permit");
        let (second, ()) = tokio::join!(permits.acquire("a"), async { drop(first) });
        assert!(second.is_ok());
    }

    #[tokio::test]
    async fn caller_that_stops_waiting_holds_no_permit() {
        let permits = permits(Duration::from_mins(1));
        let first = permits.acquire("a").await.expect("a permit");
        for _ in 0..10 {
            let waiting = permits.acquire("a");
            let given_up = tokio::time::timeout(Duration::ZERO, waiting).await;
            assert!(given_up.is_err());
        }
        drop(first);
        assert!(permits.acquire("a").await.is_ok());
    }
}
