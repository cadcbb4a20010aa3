//! RADIUS accounting packets (RFC 2866), authenticated with the shared secret of a source.

mod accounting;

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};

pub use accounting::raw_event;

const ACCOUNTING_REQUEST: u8 = 4;
const ACCOUNTING_RESPONSE: u8 = 5;
/// Size of code, identifier, length and authenticator.
const HEADER_BYTES: usize = 20;
/// Maximum size of a packet (RFC 2865, section 3).
const MAX_PACKET_BYTES: usize = 4096;
const PROXY_STATE: u8 = 33;
const MESSAGE_AUTHENTICATOR: u8 = 80;

/// An Accounting-Request whose authenticators have been verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    identifier: u8,
    authenticator: [u8; 16],
    attributes: Vec<(u8, Vec<u8>)>,
}

/// Reason why a packet is rejected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PacketError {
    /// The packet is not a valid RADIUS packet.
    #[error("the packet is not a valid RADIUS packet: {0}")]
    Malformed(&'static str),
    /// The packet is not an Accounting-Request.
    #[error("the code must be Accounting-Request, 4 (got {0})")]
    Code(u8),
    /// The packet was created with another shared secret, or was altered.
    #[error("the packet is not authentic, because its {0} is wrong: check the shared secret")]
    WrongAuthenticator(&'static str),
}

impl Request {
    /// Parses a datagram and verifies the Request Authenticator (RFC 2866, section 3) and, if
    /// present, the Message-Authenticator (RFC 3579, section 3.2).
    ///
    /// # Errors
    /// See [`PacketError`].
    pub fn parse(datagram: &[u8], secret: &[u8]) -> Result<Self, PacketError> {
        let packet = framed(datagram)?;
        if packet[0] != ACCOUNTING_REQUEST {
            return Err(PacketError::Code(packet[0]));
        }
        let mut authenticator = [0; 16];
        authenticator.copy_from_slice(&packet[4..HEADER_BYTES]);
        if signature(&packet[..4], &[0; 16], &packet[HEADER_BYTES..], secret) != authenticator {
            return Err(PacketError::WrongAuthenticator("authenticator"));
        }
        let attributes = attributes(packet)?;
        check_message_authenticator(packet, &attributes, secret)?;
        Ok(Self {
            identifier: packet[1],
            authenticator,
            attributes,
        })
    }

    /// Returns the Accounting-Response, which acknowledges that the request is recorded.
    /// Proxy-State attributes are copied from the request (RFC 2866, section 5).
    #[must_use]
    pub fn response(&self, secret: &[u8]) -> Vec<u8> {
        let mut attributes = Vec::new();
        for (_, value) in self
            .attributes
            .iter()
            .filter(|(kind, _)| *kind == PROXY_STATE)
        {
            // The length fits, because the value was parsed with a length field of one byte.
            attributes.extend([
                PROXY_STATE,
                u8::try_from(value.len() + 2).unwrap_or(u8::MAX),
            ]);
            attributes.extend(value);
        }
        let length = u16::try_from(HEADER_BYTES + attributes.len())
            .unwrap_or(u16::MAX)
            .to_be_bytes();
        let head = [ACCOUNTING_RESPONSE, self.identifier, length[0], length[1]];
        let signature = signature(&head, &self.authenticator, &attributes, secret);
        [&head[..], &signature, &attributes].concat()
    }

    /// Returns the identifier and the authenticator. A retransmission has the same values (RFC
    /// 5080, section 2.2.2).
    #[must_use]
    pub fn repetition(&self) -> (u8, [u8; 16]) {
        (self.identifier, self.authenticator)
    }

    /// Returns true if the packet has a Message-Authenticator, which [`Request::parse`] has
    /// verified.
    #[must_use]
    pub fn has_message_authenticator(&self) -> bool {
        self.first(MESSAGE_AUTHENTICATOR).is_some()
    }

    /// Returns the value of the first attribute of a type.
    fn first(&self, kind: u8) -> Option<&[u8]> {
        self.attributes
            .iter()
            .find(|(known, _)| *known == kind)
            .map(|(_, value)| value.as_slice())
    }
}

/// Returns the packet in a datagram. Bytes beyond the length of the packet are padding.
fn framed(datagram: &[u8]) -> Result<&[u8], PacketError> {
    if datagram.len() < HEADER_BYTES {
        return Err(PacketError::Malformed("it must have at least 20 bytes"));
    }
    let length = usize::from(u16::from_be_bytes([datagram[2], datagram[3]]));
    if !(HEADER_BYTES..=MAX_PACKET_BYTES).contains(&length) || length > datagram.len() {
        return Err(PacketError::Malformed(
            "its length field must be 20 to 4096 and at most the size of the datagram",
        ));
    }
    Ok(&datagram[..length])
}

fn attributes(packet: &[u8]) -> Result<Vec<(u8, Vec<u8>)>, PacketError> {
    let mut attributes = Vec::new();
    let mut rest = &packet[HEADER_BYTES..];
    while let [kind, length, ..] = *rest {
        let length = usize::from(length);
        if length < 2 || length > rest.len() {
            return Err(PacketError::Malformed(
                "the length of an attribute is wrong",
            ));
        }
        attributes.push((kind, rest[2..length].to_vec()));
        rest = &rest[length..];
    }
    if rest.is_empty() {
        Ok(attributes)
    } else {
        Err(PacketError::Malformed("it ends within an attribute"))
    }
}

fn signature(head: &[u8], authenticator: &[u8], attributes: &[u8], secret: &[u8]) -> [u8; 16] {
    Md5::new()
        .chain_update(head)
        .chain_update(authenticator)
        .chain_update(attributes)
        .chain_update(secret)
        .finalize()
        .into()
}

/// Verifies the Message-Authenticator, if the packet has one: an HMAC-MD5 of the packet in which
/// the Request Authenticator and the Message-Authenticator itself are zero.
fn check_message_authenticator(
    packet: &[u8],
    attributes: &[(u8, Vec<u8>)],
    secret: &[u8],
) -> Result<(), PacketError> {
    let Some(index) = attributes
        .iter()
        .position(|(kind, _)| *kind == MESSAGE_AUTHENTICATOR)
    else {
        return Ok(());
    };
    let given = &attributes[index].1;
    let before: usize = attributes[..index]
        .iter()
        .map(|(_, value)| value.len() + 2)
        .sum();
    let at = HEADER_BYTES + before + 2;
    let mut blank = packet.to_vec();
    blank[4..HEADER_BYTES].fill(0);
    blank[at..at + given.len()].fill(0);
    let hmac = Hmac::<Md5>::new_from_slice(secret)
        .map_err(|_| PacketError::Malformed("the shared secret cannot be used"))?;
    hmac.chain_update(&blank)
        .verify_slice(given)
        .map_err(|_| PacketError::WrongAuthenticator("Message-Authenticator"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &[u8] = b"a secret of 24 characters";

    pub(super) fn packet(attributes: &[(u8, &[u8])]) -> Vec<u8> {
        let mut body = Vec::new();
        for (kind, value) in attributes {
            body.extend([*kind, u8::try_from(value.len() + 2).expect("short")]);
            body.extend(*value);
        }
        let length = u16::try_from(HEADER_BYTES + body.len())
            .expect("short")
            .to_be_bytes();
        let head = [ACCOUNTING_REQUEST, 7, length[0], length[1]];
        let signature = signature(&head, &[0; 16], &body, SECRET);
        [&head[..], &signature, &body].concat()
    }

    pub(super) fn request(attributes: &[(u8, &[u8])]) -> Request {
        Request::parse(&packet(attributes), SECRET).expect("a request")
    }

    #[test]
    fn packet_with_another_secret_or_altered_byte_is_rejected() {
        let packet = packet(&[(1, b"user_4")]);
        assert_eq!(
            Request::parse(&packet, b"another"),
            Err(PacketError::WrongAuthenticator("authenticator"))
        );
        for index in 4..packet.len() {
            let mut changed = packet.clone();
            changed[index] ^= 1;
            assert!(Request::parse(&changed, SECRET).is_err(), "byte {index}");
        }
    }

    #[test]
    fn wrong_message_authenticator_is_rejected() {
        let forged = packet(&[(1, b"user_4"), (MESSAGE_AUTHENTICATOR, &[0; 16])]);
        assert_eq!(
            Request::parse(&forged, SECRET),
            Err(PacketError::WrongAuthenticator("Message-Authenticator"))
        );
    }

    #[test]
    fn response_ignores_padding_and_copies_proxy_state() {
        let mut padded = packet(&[(PROXY_STATE, b"one"), (1, b"user_4"), (PROXY_STATE, b"two")]);
        padded.extend([0; 8]);
        let request = Request::parse(&padded, SECRET).expect("a request");
        let response = request.response(SECRET);
        assert_eq!((response[0], response[1], response.len()), (5, 7, 30));
        assert_eq!(&response[HEADER_BYTES..], b"\x21\x05one\x21\x05two");
        assert_eq!(
            &response[4..HEADER_BYTES],
            signature(
                &response[..4],
                &request.authenticator,
                &response[HEADER_BYTES..],
                SECRET
            )
        );
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_are_parsed_without_panic(
            body in prop::collection::vec(any::<u8>(), 0..200),
            seal in any::<bool>(),
        ) {
            let mut body = body;
            if seal && body.len() >= HEADER_BYTES {
                body[0] = ACCOUNTING_REQUEST;
                let length = u16::try_from(body.len()).expect("short").to_be_bytes();
                body[2..4].copy_from_slice(&length);
                let right = signature(&body[..4], &[0; 16], &body[HEADER_BYTES..], SECRET);
                body[4..HEADER_BYTES].copy_from_slice(&right);
            }
            let now = jiff::Timestamp::UNIX_EPOCH;
            let _ = Request::parse(&body, SECRET).map(|request| raw_event(&request, now));
        }
    }
}
