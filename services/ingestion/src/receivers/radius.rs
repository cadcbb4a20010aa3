//! RADIUS accounting (RFC 2866). A request is answered only after its events are on disk. Until
//! then the gateway retransmits it.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rollcall_attendance::event::Event;
use rollcall_formats::radius::{Request, raw_event};
use rollcall_store::{
    batch::Recorded,
    events::{Receiver, Reported},
    sources::SourceOfAddress,
};

use crate::{
    arrivals::Arrivals, counts, recorder::Recorder, rejected_inputs::RejectedInputs,
    source_networks::SourceNetworks,
};

const RECEIVER: &str = "radius";

/// Identifies a retransmission: address and port of the NAS, identifier, Request Authenticator.
type Retransmission = (SocketAddr, (u8, [u8; 16]));

/// Handles Accounting-Requests.
#[derive(Clone)]
pub struct Radius {
    source_networks: SourceNetworks,
    recorder: Arc<Recorder>,
    rejected: RejectedInputs,
    arrivals: Arrivals,
    in_flight: InFlight,
}

/// Requests in flight. A retransmission of an answered request is recognized by its event ID and
/// answered again.
#[derive(Clone, Default)]
struct InFlight(Arc<Mutex<HashSet<Retransmission>>>);

/// A request in flight. Dropping this value removes the request.
struct Registration<'a>(&'a InFlight, Retransmission);

impl InFlight {
    /// Adds a request. Returns `None` if the same request is already in flight: its answer also
    /// answers the retransmission (RFC 5080, section 2.2.2).
    fn register(&self, request: Retransmission) -> Option<Registration<'_>> {
        let is_first = self.requests().insert(request);
        // Do not use `then_some`. It would create a `Registration` even for a retransmission, and
        // dropping that value would remove the first request.
        is_first.then(|| Registration(self, request))
    }

    fn requests(&self) -> MutexGuard<'_, HashSet<Retransmission>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.0.requests().remove(&self.1);
    }
}

impl Radius {
    /// Creates a handler without requests in flight.
    #[must_use]
    pub fn new(
        source_networks: SourceNetworks,
        recorder: Arc<Recorder>,
        rejected: RejectedInputs,
        arrivals: Arrivals,
    ) -> Self {
        Self {
            source_networks,
            recorder,
            rejected,
            arrivals,
            in_flight: InFlight::default(),
        }
    }

    /// Returns the response to a packet after its events are on disk. Returns `None` for a packet
    /// that is rejected, which is counted and logged, and for a retransmission of a request in
    /// flight.
    pub async fn handle(&self, peer: SocketAddr, packet: &[u8]) -> Option<Vec<u8>> {
        let source = self.source_networks.source_of(RECEIVER, peer.ip()).await?;
        let (request, secret) = authentic(packet, &source)
            .map_err(|reason| self.rejected.reject(RECEIVER, &source, &reason, packet))
            .ok()?;
        let _registration = self.in_flight.register((peer, request.repetition()))?;
        self.record(&request, packet, &source).await.ok()?;
        Some(request.response(secret.as_bytes()))
    }

    /// Records the events of a request. After an error, which is counted and logged, the request is
    /// not answered.
    async fn record(
        &self,
        request: &Request,
        packet: &[u8],
        source: &SourceOfAddress,
    ) -> Result<(), ()> {
        let arrival = self.arrivals.now();
        let events = raw_event(request, arrival.at)
            .and_then(|raw| Event::parse_all(raw, &arrival))
            .map_err(|error| self.rejected.reject(RECEIVER, source, &error, packet))?;
        let reported = events
            .into_iter()
            .map(|event| reported(event, source))
            .collect();
        let recorded = self
            .recorder
            .record(reported)
            .await
            .map_err(|_| counts::count(RECEIVER, "unrecorded", 1))?;
        self.rejected.count_recorded(RECEIVER, source, &recorded);
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

/// RADIUS does not tell the interval of interim updates, so the settings of the source do.
fn reported(mut event: Event, source: &SourceOfAddress) -> Reported {
    if let Some(seconds) = source.interim_seconds {
        event.set_next_in(seconds.into());
    }
    Reported::new(
        source.source_id,
        event,
        &source.name_rules,
        Receiver::Radius,
    )
}

/// Parses a packet of `source` and checks it with the shared secret. Returns the request and the
/// secret.
fn authentic<'a>(packet: &[u8], source: &'a SourceOfAddress) -> Result<(Request, &'a str), String> {
    let secret = source.radius_secret.as_deref().ok_or(
        "the source has no shared secret: see scripts/rollcall source rotate-radius-secret",
    )?;
    let request = Request::parse(packet, secret.as_bytes()).map_err(|error| error.to_string())?;
    if source.require_message_authenticator && !request.has_message_authenticator() {
        return Err(
            "the packet has no Message-Authenticator, which this source requires: see \
             scripts/rollcall source require-message-authenticator"
                .into(),
        );
    }
    Ok((request, secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_is_in_flight_once() {
        let in_flight = InFlight::default();
        let gateway = ([192, 0, 2, 7], 1813).into();
        let (request, next) = ((gateway, (1, [0; 16])), (gateway, (1, [1; 16])));
        let registration = in_flight.register(request);
        assert!(registration.is_some());
        assert!(in_flight.register(request).is_none());
        assert!(in_flight.register(next).is_some());
        drop(registration);
        assert!(in_flight.register(request).is_some());
    }
}
