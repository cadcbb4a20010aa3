//! RADIUS accounting over UDP (RFC 2866): answered only when the event is on disk, so that the gateway sends again until then.

use std::{
    collections::HashSet,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rollcall_attendance::event::Event;
use rollcall_formats::radius::{Request, drafts};
use rollcall_store::{events::Reported, sources::Sender};
use tokio::net::UdpSocket;

use crate::{
    arrivals::Arrivals,
    counts,
    recorder::{Recorded, Recorder},
    senders::{Senders, behind_proxy},
};

const DOOR: &str = "radius";

/// Sender, identifier and authenticator.
type Repetition = (SocketAddr, (u8, [u8; 16]));

#[derive(Clone)]
struct Door {
    socket: Arc<UdpSocket>,
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

/// Binds the door and serves it; tells where it was bound.
///
/// # Errors
/// The address cannot be bound.
pub fn open(
    address: SocketAddr,
    senders: Senders,
    recorder: Arc<Recorder>,
    arrivals: Arrivals,
) -> std::io::Result<SocketAddr> {
    let socket = Arc::new(super::bind(address)?);
    let bound = socket.local_addr()?;
    let door = Door {
        socket: socket.clone(),
        senders,
        recorder,
        arrivals,
        in_work: InWork::default(),
    };
    tokio::spawn(super::serve(DOOR, socket, move |datagram, vip| {
        let door = door.clone();
        async move { door.handle(&datagram, vip).await }
    }));
    Ok(bound)
}

impl Door {
    async fn handle(&self, datagram: &[u8], vip: SocketAddr) {
        let Some((sender, packet)) = behind_proxy(datagram) else {
            return counts::reject(DOOR, "-", &"it does not come from the VIP");
        };
        let Some(source) = self.senders.source_of(DOOR, sender.ip()).await else {
            return;
        };
        let Some(secret) = source.radius_secret.as_deref().map(str::as_bytes) else {
            let reason = "this source has no RADIUS secret: see scripts/rollcall source rotate-radius-secret";
            return counts::reject(DOOR, &source.name, &reason);
        };
        let request = match Request::parse(packet, secret) {
            Ok(request) => request,
            Err(reason) => return counts::reject(DOOR, &source.name, &reason),
        };
        let Some(_place) = self.in_work.place((sender, request.repetition())) else {
            return;
        };
        if self.record(&request, &source).await.is_ok() {
            // The gateway sends again when it does not get this.
            let _ = self.socket.send_to(&request.response(secret), vip).await;
        }
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
