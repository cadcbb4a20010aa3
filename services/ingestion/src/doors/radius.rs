//! RADIUS accounting (RFC 2866): answered only when the event is on disk, so that the gateway sends
//! again until then.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rollcall_attendance::event::Event;
use rollcall_formats::radius::{Request, drafts};
use rollcall_store::{events::Reported, sources::Sender};

use crate::{
    arrivals::Arrivals,
    counts,
    recorder::{Recorded, Recorder},
    senders::Senders,
};

const DOOR: &str = "radius";

/// Sender, identifier and authenticator.
type Repetition = (SocketAddr, (u8, [u8; 16]));

/// Handles Accounting-Requests.
#[derive(Clone)]
pub struct Radius {
    senders: Senders,
    recorder: Arc<Recorder>,
    arrivals: Arrivals,
    in_work: InWork,
}

/// Requests that are not answered yet. One that was is told by its event's id when it comes again, and answered as before.
#[derive(Clone, Default)]
struct InWork(Arc<Mutex<HashSet<Repetition>>>);

/// A place among them, given up when it is dropped.
struct Place<'a>(&'a InWork, Repetition);

impl InWork {
    /// None when the same request is in work already: the answer to that one answers this one (RFC 5080 section 2.2.2).
    fn place(&self, request: Repetition) -> Option<Place<'_>> {
        let is_first = self.requests().insert(request);
        // Not then_some: a place that is made is given up.
        is_first.then(|| Place(self, request))
    }

    fn requests(&self) -> MutexGuard<'_, HashSet<Repetition>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.requests().remove(&self.1);
    }
}

impl Radius {
    /// A handler without requests in flight.
    #[must_use]
    pub fn new(senders: Senders, recorder: Arc<Recorder>, arrivals: Arrivals) -> Self {
        Self {
            senders,
            recorder,
            arrivals,
            in_work: InWork::default(),
        }
    }

    /// Returns the response to a packet once its events are on disk. A packet without a response is
    /// counted and logged.
    pub async fn handle(&self, peer: SocketAddr, packet: &[u8]) -> Option<Vec<u8>> {
        let source = self.senders.source_of(DOOR, peer.ip()).await?;
        let (request, secret) = authentic(packet, &source)
            .map_err(|reason| counts::reject(DOOR, &source.name, &reason))
            .ok()?;
        let _place = self.in_work.place((peer, request.repetition()))?;
        self.record(&request, &source).await.ok()?;
        Some(request.response(secret.as_bytes()))
    }

    /// An error is no answer: what was wrong is counted and logged.
    async fn record(&self, request: &Request, source: &Sender) -> Result<(), ()> {
        let arrival = self.arrivals.now();
        let events = drafts(request, arrival.at)
            .and_then(|drafts| Event::parse_all(drafts, &arrival))
            .map_err(|refusal| counts::reject(DOOR, &source.name, &refusal))?;
        let reported = events
            .into_iter()
            .map(|event| Reported {
                source_id: source.source_id,
                event,
            })
            .collect();
        let recorded = self
            .recorder
            .record(reported)
            .await
            .map_err(|_| counts::count(DOOR, "unrecorded", 1))?;
        counts::count_recorded(DOOR, &source.name, &recorded);
        if recorded
            .iter()
            .any(|outcome| matches!(outcome, Recorded::Refused(_)))
        {
            Err(())
        } else {
            Ok(())
        }
    }
}

/// Parses a packet of `source` and checks it with the source's secret, which is returned with it.
fn authentic<'a>(packet: &[u8], source: &'a Sender) -> Result<(Request, &'a str), String> {
    let secret = source.radius_secret.as_deref().ok_or(
        "this source has no RADIUS secret: see scripts/rollcall source rotate-radius-secret",
    )?;
    let request = Request::parse(packet, secret.as_bytes()).map_err(|error| error.to_string())?;
    if source.require_message_authenticator && !request.has_message_authenticator() {
        return Err("it has no Message-Authenticator, which this source requires: see scripts/rollcall source require-message-authenticator".into());
    }
    Ok((request, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_request_is_in_work_once() {
        let in_work = InWork::default();
        let gateway = ([192, 0, 2, 7], 1813).into();
        let (request, next) = ((gateway, (1, [0; 16])), (gateway, (1, [1; 16])));
        let place = in_work.place(request);
        assert!(place.is_some());
        assert!(in_work.place(request).is_none());
        assert!(in_work.place(next).is_some());
        drop(place);
        assert!(in_work.place(request).is_some());
    }
}
