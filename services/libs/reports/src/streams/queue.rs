//! The order in which waiting streams start. No I/O, no clock.

use std::collections::{HashMap, VecDeque};

/// Maximum numbers of running and waiting streams.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Maximum number of running streams of one client.
    pub per_client: u32,
    /// Maximum number of running streams of all clients.
    pub total: u32,
    /// Maximum number of waiting streams of one client.
    pub waiting_per_client: usize,
}

/// Error for a client that has the maximum number of waiting streams.
#[derive(Debug, PartialEq, Eq)]
pub struct FullError;

/// A queue for each client. The clients take turns, so that a client with many waiting streams does
/// not delay the others.
#[derive(Debug)]
pub struct FairQueue<T> {
    limits: Limits,
    /// Number of running streams by client.
    running: HashMap<String, u32>,
    /// Waiting streams by client. The client whose turn is next comes first.
    waiting: VecDeque<(String, VecDeque<T>)>,
}

impl<T> FairQueue<T> {
    /// Creates an empty queue.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            running: HashMap::new(),
            waiting: VecDeque::new(),
        }
    }

    /// Adds a stream behind the other waiting streams of its client.
    ///
    /// # Errors
    /// The client has the maximum number of waiting streams.
    pub fn push(&mut self, client: &str, ticket: T) -> Result<(), FullError> {
        let queue = self.waiting.iter_mut().find(|(name, _)| name == client);
        match queue {
            Some((_, tickets)) if tickets.len() >= self.limits.waiting_per_client => {
                return Err(FullError);
            }
            Some((_, tickets)) => tickets.push_back(ticket),
            None => self
                .waiting
                .push_back((client.to_owned(), VecDeque::from([ticket]))),
        }
        Ok(())
    }

    /// Starts the next stream that the limits allow. Returns its client and ticket, or `None`.
    pub fn start_next(&mut self) -> Option<(String, T)> {
        if self.running.values().sum::<u32>() >= self.limits.total {
            return None;
        }
        let position = self
            .waiting
            .iter()
            .position(|(client, _)| !self.is_at_limit(client))?;
        let (client, mut tickets) = self.waiting.remove(position)?;
        let ticket = tickets.pop_front()?;
        if !tickets.is_empty() {
            self.waiting.push_back((client.clone(), tickets));
        }
        *self.running.entry(client.clone()).or_default() += 1;
        Some((client, ticket))
    }

    /// Counts a running stream of a client as ended.
    pub fn end(&mut self, client: &str) {
        if let Some(running) = self.running.get_mut(client) {
            *running -= 1;
            if *running == 0 {
                self.running.remove(client);
            }
        }
    }

    /// Removes the waiting streams for which `keep` returns false.
    pub fn retain(&mut self, keep: impl Fn(&T) -> bool) {
        for (_, tickets) in &mut self.waiting {
            tickets.retain(&keep);
        }
        self.waiting.retain(|(_, tickets)| !tickets.is_empty());
    }

    /// Returns true if a client has the maximum number of running streams.
    #[must_use]
    pub fn is_at_limit(&self, client: &str) -> bool {
        self.running.get(client).copied().unwrap_or_default() >= self.limits.per_client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> FairQueue<u32> {
        FairQueue::new(Limits {
            per_client: 2,
            total: 3,
            waiting_per_client: 4,
        })
    }

    fn start_all(queue: &mut FairQueue<u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.start_next().map(|(_, ticket)| ticket)).collect()
    }

    #[test]
    fn client_at_its_limit_does_not_delay_other_clients() {
        let mut queue = queue();
        for ticket in 1..=3 {
            queue.push("a", ticket).expect("capacity");
        }
        queue.push("b", 4).expect("capacity");
        assert_eq!(start_all(&mut queue), [1, 4, 2]);
        assert!(queue.is_at_limit("a") && !queue.is_at_limit("b"));
    }

    #[test]
    fn clients_with_waiting_streams_take_turns() {
        let mut queue = queue();
        for (client, ticket) in [("a", 1), ("a", 2), ("a", 3), ("b", 4), ("b", 5), ("c", 6)] {
            queue.push(client, ticket).expect("capacity");
        }
        let mut order = Vec::new();
        while let Some((client, ticket)) = queue.start_next() {
            queue.end(&client);
            order.push(ticket);
        }
        assert_eq!(order, [1, 4, 6, 2, 5, 3]);
    }

    #[test]
    fn waiting_stream_starts_when_another_ends() {
        let mut queue = queue();
        for (client, ticket) in [("a", 1), ("b", 2), ("c", 3), ("d", 4)] {
            queue.push(client, ticket).expect("capacity");
        }
        assert_eq!(start_all(&mut queue), [1, 2, 3], "the total is reached");
        assert!(!queue.is_at_limit("d"));
        queue.end("b");
        assert_eq!(start_all(&mut queue), [4]);
    }

    #[test]
    fn push_beyond_the_waiting_limit_returns_error() {
        let mut queue = queue();
        for ticket in 1..=4 {
            queue.push("a", ticket).expect("capacity");
        }
        assert_eq!(queue.push("a", 5), Err(FullError));
        assert_eq!(queue.push("b", 6), Ok(()));
    }

    #[test]
    fn removed_stream_does_not_start() {
        let mut queue = queue();
        queue.push("a", 1).expect("capacity");
        queue.push("b", 2).expect("capacity");
        queue.retain(|ticket| *ticket != 1);
        assert_eq!(start_all(&mut queue), [2]);
    }
}
