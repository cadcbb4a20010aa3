//! Starts the receiver.

use std::{net::SocketAddr, sync::Arc};

use rollcall_platform::{datagram::Protocol, health, server, settings::Settings};

use crate::{forwarder::Forwarder, heartbeats, replicas};

/// The running receiver.
pub struct Receiver {
    /// UDP address for RADIUS.
    pub radius: SocketAddr,
    /// UDP address for syslog.
    pub syslog: SocketAddr,
    /// Address of health and metrics.
    pub internal: SocketAddr,
    /// State shared by all tasks.
    pub forwarder: Arc<Forwarder>,
}

/// Binds the addresses in the settings and starts to forward. Port 0 chooses a free port.
///
/// # Errors
/// An address cannot be bound; the error names its setting.
pub fn build(settings: &Settings) -> std::io::Result<Receiver> {
    let forwarder = Arc::new(Forwarder::bind(&settings.receiver)?);
    let checked = forwarder.clone();
    let check = health::check(move || {
        let checked = checked.clone();
        async move { checked.check() }
    });
    let (internal, internal_address) = server::internal(&settings.server, vec![check])?;
    tokio::spawn(internal);
    let directory = settings.receiver.socket_directory.clone();
    tokio::spawn(replicas::discover(directory, forwarder.clone()));
    tokio::spawn(forwarder.counters.clone().report());
    tokio::spawn(heartbeats::send(forwarder.clone()));
    for protocol in Protocol::ALL {
        tokio::spawn(forwarder.clone().forward(protocol));
    }
    Ok(Receiver {
        radius: forwarder.socket(Protocol::Radius).local_addr()?,
        syslog: forwarder.socket(Protocol::Syslog).local_addr()?,
        internal: internal_address,
        forwarder,
    })
}

/// Serves until SIGTERM or SIGINT.
///
/// # Errors
/// See [`build`].
pub async fn serve(settings: Settings) -> Result<(), Box<dyn std::error::Error>> {
    let receiver = build(&settings)?;
    let (radius, syslog) = (receiver.radius, receiver.syslog);
    tracing::info!(%radius, %syslog, "Receiving datagrams");
    server::stop_signal().await;
    Ok(())
}
