//! RADIUS accounting over UDP (RFC 2866): answered only when the event is on disk, so that the gateway sends again until then.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use attendance::event::Event;
use formats::radius::{Request, drafts};
use moka::future::Cache;
use store::{events::Reported, sources::Sender};
use tokio::net::UdpSocket;

use crate::{
    arrivals::Arrivals,
    counts,
    recorder::{Recorded, Recorder},
    senders::{Senders, behind_proxy},
};

const DOOR: &str = "radius";
/// A request that is sent again within this is answered as before (RFC 5080 section 2.2.2); after it, by the event's id.
const REPEATED: Duration = Duration::from_secs(10);

/// Sender, identifier and authenticator.
type Repetition = (SocketAddr, (u8, [u8; 16]));

#[derive(Clone)]
struct Door {
    socket: Arc<UdpSocket>,
    senders: Senders,
    recorder: Arc<Recorder>,
    arrivals: Arrivals,
    answers: Cache<Repetition, Arc<Vec<u8>>>,
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
    let answers = Cache::builder().max_capacity(100_000).time_to_live(REPEATED).build();
    let door = Door { socket: socket.clone(), senders, recorder, arrivals, answers };
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
        let Some(source) = self.senders.source_of(DOOR, sender.ip()).await else { return };
        let Some(secret) = source.radius_secret.as_deref().map(str::as_bytes) else {
            let reason = "this source has no RADIUS secret: see scripts/rollcall source rotate-radius-secret";
            return counts::reject(DOOR, &source.name, &reason);
        };
        let request = match Request::parse(packet, secret) {
            Ok(request) => request,
            Err(reason) => return counts::reject(DOOR, &source.name, &reason),
        };
        // Whoever sends again while the first is being recorded waits for it too.
        let answer = self.answers.try_get_with((sender, request.repetition()), async {
            self.record(&request, &source).await?;
            Ok::<_, ()>(Arc::new(request.response(secret)))
        });
        if let Ok(answer) = answer.await {
            // The gateway sends again when it does not get this.
            let _ = self.socket.send_to(&answer, vip).await;
        }
    }

    /// An error is no answer: what was wrong is counted and logged.
    async fn record(&self, request: &Request, source: &Sender) -> Result<(), ()> {
        let arrival = self.arrivals.now();
        let events = drafts(request, arrival.at)
            .and_then(|drafts| {
                drafts.into_iter().map(|draft| Event::parse(draft, &arrival)).collect::<Result<Vec<_>, _>>()
            })
            .map_err(|refusal| counts::reject(DOOR, &source.name, &refusal))?;
        let reported = events.into_iter().map(|event| Reported { source_id: source.source_id, event }).collect();
        let recorded = self.recorder.record(reported).await.map_err(|_| counts::count(DOOR, "unrecorded", 1))?;
        counts::count_recorded(DOOR, &source.name, &recorded);
        if recorded.iter().any(|outcome| matches!(outcome, Recorded::Refused(_))) { Err(()) } else { Ok(()) }
    }
}
