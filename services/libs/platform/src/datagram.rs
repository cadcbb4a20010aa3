//! The frames in which the datagram receiver and ingestion exchange datagrams over a Unix stream
//! socket.
//!
//! All integers are big-endian. An IPv4 address is written as an IPv4-mapped IPv6 address.
//!
//! | field | bytes | meaning |
//! |---|---|---|
//! | length | 4 | number of bytes after this field |
//! | kind | 1 | 1 RADIUS, 2 syslog, 3 source networks, 4 heartbeat |
//! | peer | 16 + 2 | RADIUS and syslog: address and port of the peer |
//! | payload | rest | RADIUS and syslog: the datagram, in either direction |
//! | networks | 17 each | source networks: address and prefix length of each |
//! | heartbeat | rest | heartbeat of the receiver: a JSON object |

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use bytes::{Buf, BufMut, Bytes, BytesMut};
use ipnet::{IpNet, Ipv6Net};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Maximum size of the payload of a UDP datagram.
pub const MAX_PAYLOAD_BYTES: usize = 65_535;
/// Maximum number of source networks in a frame. Adjacent networks are joined before they are sent.
pub const MAX_NETWORKS: usize = 100_000;

const KIND_BYTES: usize = 1;
const PEER_BYTES: usize = 18;
const NETWORK_BYTES: usize = 17;
const SOURCE_NETWORKS: u8 = 3;
const HEARTBEAT: u8 = 4;
/// Length of the prefix of IPv4-mapped addresses.
const MAPPED_PREFIX: u8 = 96;

/// Protocol of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    /// RADIUS accounting (RFC 2866).
    Radius = 1,
    /// Syslog over UDP (RFC 5426).
    Syslog = 2,
}

impl Protocol {
    /// Both protocols.
    pub const ALL: [Self; 2] = [Self::Radius, Self::Syslog];

    /// Name in logs and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Radius => "radius",
            Self::Syslog => "syslog",
        }
    }
}

/// A message between the receiver and ingestion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// To ingestion: a datagram that `peer` sent. To the receiver: a datagram to send to `peer`.
    Datagram {
        /// Protocol of the datagram, which selects the UDP socket.
        protocol: Protocol,
        /// Address and port of the gateway.
        peer: SocketAddr,
        /// The datagram.
        payload: Bytes,
    },
    /// To the receiver: all source networks. They replace those of an earlier frame.
    Networks(Vec<IpNet>),
    /// To ingestion: the health of the receiver.
    Heartbeat(Heartbeat),
}

/// Health of a receiver, which ingestion writes into the database.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Host name of the container.
    pub replica: String,
    /// Version of the receiver.
    pub version: String,
    /// Time at which the receiver started.
    pub started_at: Timestamp,
    /// Message of the health check. Empty if the receiver is healthy.
    pub missing: String,
}

/// A frame that does not follow the format. The stream cannot be read any further.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// The frame is larger than any frame may be, or shorter than its kind requires.
    #[error("a frame with {0} bytes is too long, or too short for its kind")]
    Length(usize),
    /// The kind is unknown.
    #[error("the frame kind must be 1 to 4 (got {0})")]
    Kind(u8),
    /// A prefix length is out of range.
    #[error("the prefix length is out of range (got {0})")]
    Prefix(u8),
    /// A heartbeat must be a JSON object with the fields of [`Heartbeat`].
    #[error("the heartbeat is not a valid JSON object")]
    Heartbeat,
}

/// Appends a frame with a datagram to `buffer`. A payload longer than [`MAX_PAYLOAD_BYTES`] is
/// truncated.
pub fn put_datagram(buffer: &mut BytesMut, protocol: Protocol, peer: SocketAddr, payload: &[u8]) {
    let payload = &payload[..payload.len().min(MAX_PAYLOAD_BYTES)];
    put_length(buffer, KIND_BYTES + PEER_BYTES + payload.len());
    buffer.put_u8(protocol as u8);
    buffer.put_slice(&mapped(peer.ip()).octets());
    buffer.put_u16(peer.port());
    buffer.put_slice(payload);
}

/// Appends a frame with source networks to `buffer`. Networks beyond [`MAX_NETWORKS`] are left out.
pub fn put_networks(buffer: &mut BytesMut, networks: &[IpNet]) {
    let networks = &networks[..networks.len().min(MAX_NETWORKS)];
    put_length(buffer, KIND_BYTES + NETWORK_BYTES * networks.len());
    buffer.put_u8(SOURCE_NETWORKS);
    for network in networks {
        buffer.put_slice(&mapped(network.network()).octets());
        buffer.put_u8(match network {
            IpNet::V4(network) => MAPPED_PREFIX + network.prefix_len(),
            IpNet::V6(network) => network.prefix_len(),
        });
    }
}

/// Appends a frame with a heartbeat to `buffer`.
pub fn put_heartbeat(buffer: &mut BytesMut, heartbeat: &Heartbeat) {
    // Texts and an instant can always be written as JSON.
    let json = serde_json::to_vec(heartbeat).unwrap_or_default();
    put_length(buffer, KIND_BYTES + json.len());
    buffer.put_u8(HEARTBEAT);
    buffer.put_slice(&json);
}

/// Takes the next frame off the front of `buffer`. Returns `None` until the whole frame has
/// arrived.
///
/// # Errors
/// [`FrameError`] if the bytes are not a frame.
pub fn take(buffer: &mut BytesMut) -> Result<Option<Frame>, FrameError> {
    let mut head = &buffer[..];
    let Ok(length) = head.try_get_u32() else {
        return Ok(None);
    };
    let length = length as usize;
    if length > KIND_BYTES + NETWORK_BYTES * MAX_NETWORKS {
        return Err(FrameError::Length(length));
    }
    if head.len() < length {
        return Ok(None);
    }
    buffer.advance(size_of::<u32>());
    parse(buffer.split_to(length).freeze()).map(Some)
}

fn parse(mut frame: Bytes) -> Result<Frame, FrameError> {
    let length = frame.len();
    let too_short = |_| FrameError::Length(length);
    let protocol = match frame.try_get_u8().map_err(too_short)? {
        1 => Protocol::Radius,
        2 => Protocol::Syslog,
        SOURCE_NETWORKS => return networks(&frame).map(Frame::Networks),
        HEARTBEAT => {
            let heartbeat = serde_json::from_slice(&frame).map_err(|_| FrameError::Heartbeat);
            return heartbeat.map(Frame::Heartbeat);
        }
        other => return Err(FrameError::Kind(other)),
    };
    let address = Ipv6Addr::from(frame.try_get_u128().map_err(too_short)?);
    let port = frame.try_get_u16().map_err(too_short)?;
    if frame.len() > MAX_PAYLOAD_BYTES {
        return Err(FrameError::Length(length));
    }
    Ok(Frame::Datagram {
        protocol,
        peer: (address.to_canonical(), port).into(),
        payload: frame,
    })
}

fn networks(bytes: &[u8]) -> Result<Vec<IpNet>, FrameError> {
    if !bytes.len().is_multiple_of(NETWORK_BYTES) {
        return Err(FrameError::Length(KIND_BYTES + bytes.len()));
    }
    bytes.chunks_exact(NETWORK_BYTES).map(network).collect()
}

fn network(mut bytes: &[u8]) -> Result<IpNet, FrameError> {
    let address = Ipv6Addr::from(bytes.get_u128());
    let prefix = bytes.get_u8();
    let network = match (address.to_ipv4_mapped(), prefix.checked_sub(MAPPED_PREFIX)) {
        (Some(address), Some(prefix)) => IpNet::new(address.into(), prefix),
        _ => Ipv6Net::new(address, prefix).map(IpNet::V6),
    };
    network.map_err(|_| FrameError::Prefix(prefix))
}

fn put_length(buffer: &mut BytesMut, length: usize) {
    // All callers keep the length far below `u32::MAX`.
    buffer.put_u32(u32::try_from(length).unwrap_or(u32::MAX));
}

fn mapped(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(address) => address.to_ipv6_mapped(),
        IpAddr::V6(address) => address,
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn address() -> impl Strategy<Value = IpAddr> {
        prop_oneof![
            any::<u32>().prop_map(|bits| IpAddr::V4(bits.into())),
            // An IPv4-mapped address reads as IPv4.
            any::<u128>().prop_map(|bits| Ipv6Addr::from(bits).to_canonical()),
        ]
    }

    fn frame() -> impl Strategy<Value = Frame> {
        let protocol = prop_oneof![Just(Protocol::Radius), Just(Protocol::Syslog)];
        let network = (address(), any::<u8>()).prop_map(|(address, prefix)| {
            let longest = if address.is_ipv4() { 32 } else { 128 };
            IpNet::new(address, prefix % (longest + 1))
                .expect("a network")
                .trunc()
        });
        prop_oneof![
            (protocol, address(), any::<u16>(), vec(any::<u8>(), 0..300)).prop_map(
                |(protocol, address, port, payload)| Frame::Datagram {
                    protocol,
                    peer: (address, port).into(),
                    payload: payload.into(),
                }
            ),
            vec(network, 0..20).prop_map(Frame::Networks),
            "\\PC{0,20}".prop_map(|missing| Frame::Heartbeat(Heartbeat {
                replica: "replica-1".into(),
                version: "1.2.3".into(),
                started_at: Timestamp::UNIX_EPOCH,
                missing,
            })),
        ]
    }

    fn put(buffer: &mut BytesMut, frame: &Frame) {
        match frame {
            Frame::Datagram {
                protocol,
                peer,
                payload,
            } => put_datagram(buffer, *protocol, *peer, payload),
            Frame::Networks(networks) => put_networks(buffer, networks),
            Frame::Heartbeat(heartbeat) => put_heartbeat(buffer, heartbeat),
        }
    }

    proptest! {
        #[test]
        fn frames_are_read_as_written_when_the_stream_arrives_in_parts(
            frames in vec(frame(), 1..8),
            part_bytes in 1..64_usize,
        ) {
            let mut written = BytesMut::new();
            for frame in &frames {
                put(&mut written, frame);
            }
            let (mut buffer, mut read) = (BytesMut::new(), Vec::new());
            for part in written.chunks(part_bytes) {
                buffer.extend_from_slice(part);
                while let Some(frame) = take(&mut buffer).expect("a frame") {
                    read.push(frame);
                }
            }
            prop_assert_eq!(read, frames);
            prop_assert!(buffer.is_empty());
        }

        #[test]
        fn arbitrary_bytes_are_read_without_panic(bytes in vec(any::<u8>(), 0..200)) {
            let mut buffer = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = take(&mut buffer) {}
        }
    }

    #[test]
    fn malformed_frame_returns_error() {
        let mapped = Ipv6Addr::LOCALHOST.octets();
        let network = |prefix: u8| [&[SOURCE_NETWORKS][..], &mapped, &[prefix]].concat();
        for (content, error) in [
            (vec![], FrameError::Length(0)),
            (vec![1], FrameError::Length(1)),
            (vec![1; 18], FrameError::Length(18)),
            (vec![5; 40], FrameError::Kind(5)),
            (vec![HEARTBEAT; 40], FrameError::Heartbeat),
            (vec![1; 65_600], FrameError::Length(65_600)),
            (vec![SOURCE_NETWORKS; 18 + 1], FrameError::Length(19)),
            (network(129), FrameError::Prefix(129)),
        ] {
            let mut buffer = BytesMut::new();
            put_length(&mut buffer, content.len());
            buffer.extend_from_slice(&content);
            assert_eq!(take(&mut buffer), Err(error));
        }
        let mut buffer = BytesMut::from(&u32::MAX.to_be_bytes()[..]);
        assert_eq!(
            take(&mut buffer),
            Err(FrameError::Length(u32::MAX as usize))
        );
    }
}
