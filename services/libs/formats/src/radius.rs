//! RADIUS accounting packets (RFC 2866), signed with a secret that gateway and source share.

mod accounting;

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};

pub use accounting::raw_event;

const ACCOUNTING_REQUEST: u8 = 4;
const ACCOUNTING_RESPONSE: u8 = 5;
/// Code, identifier, length and authenticator.
const HEADER: usize = 20;
/// RFC 2865 section 3.
const LONGEST: usize = 4096;
const PROXY_STATE: u8 = 33;
const MESSAGE_AUTHENTICATOR: u8 = 80;

/// An authentic Accounting-Request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    identifier: u8,
    authenticator: [u8; 16],
    attributes: Vec<(u8, Vec<u8>)>,
}

/// Why a packet gets no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unacceptable {
    /// It is no RADIUS packet.
    #[error("it is no RADIUS packet: {0}")]
    Malformed(&'static str),
    /// It is one of another kind.
    #[error("it has code {0}, and this port takes Accounting-Request (4) alone")]
    Code(u8),
    /// It was made with another secret, or changed on its way.
    #[error("its {0} is wrong: does the gateway have this source's RADIUS secret?")]
    Forged(&'static str),
}

impl Request {
    /// Reads a datagram and checks that it was made with `secret` (RFC 2866 section 3, RFC 3579 section 3.2).
    ///
    /// # Errors
    /// It is no Accounting-Request, or was not made with `secret`.
    pub fn parse(datagram: &[u8], secret: &[u8]) -> Result<Self, Unacceptable> {
        let packet = framed(datagram)?;
        if packet[0] != ACCOUNTING_REQUEST {
            return Err(Unacceptable::Code(packet[0]));
        }
        let mut authenticator = [0; 16];
        authenticator.copy_from_slice(&packet[4..HEADER]);
        if signature(&packet[..4], &[0; 16], &packet[HEADER..], secret) != authenticator {
            return Err(Unacceptable::Forged("authenticator"));
        }
        let attributes = attributes(packet)?;
        check_message_authenticator(packet, &attributes, secret)?;
        Ok(Self {
            identifier: packet[1],
            authenticator,
            attributes,
        })
    }

    /// The answer that says: it is recorded. Proxy-State goes back as it came.
    #[must_use]
    pub fn response(&self, secret: &[u8]) -> Vec<u8> {
        let mut attributes = Vec::new();
        for (_, value) in self
            .attributes
            .iter()
            .filter(|(kind, _)| *kind == PROXY_STATE)
        {
            // A value was read from a length of one byte, and fits into one.
            attributes.extend([
                PROXY_STATE,
                u8::try_from(value.len() + 2).unwrap_or(u8::MAX),
            ]);
            attributes.extend(value);
        }
        let length = u16::try_from(HEADER + attributes.len())
            .unwrap_or(u16::MAX)
            .to_be_bytes();
        let head = [ACCOUNTING_RESPONSE, self.identifier, length[0], length[1]];
        let signature = signature(&head, &self.authenticator, &attributes, secret);
        [&head[..], &signature, &attributes].concat()
    }

    /// Identifier and authenticator: a repeated request has the same (RFC 5080 section 2.2.2).
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

    /// The first attribute of a type.
    fn first(&self, kind: u8) -> Option<&[u8]> {
        self.attributes
            .iter()
            .find(|(known, _)| *known == kind)
            .map(|(_, value)| value.as_slice())
    }
}

/// The packet in the datagram: what follows its length is padding.
fn framed(datagram: &[u8]) -> Result<&[u8], Unacceptable> {
    if datagram.len() < HEADER {
        return Err(Unacceptable::Malformed("it has fewer than 20 bytes"));
    }
    let length = usize::from(u16::from_be_bytes([datagram[2], datagram[3]]));
    if !(HEADER..=LONGEST).contains(&length) || length > datagram.len() {
        return Err(Unacceptable::Malformed(
            "its length is not that of the datagram",
        ));
    }
    Ok(&datagram[..length])
}

fn attributes(packet: &[u8]) -> Result<Vec<(u8, Vec<u8>)>, Unacceptable> {
    let mut attributes = Vec::new();
    let mut rest = &packet[HEADER..];
    while let [kind, length, ..] = *rest {
        let length = usize::from(length);
        if length < 2 || length > rest.len() {
            return Err(Unacceptable::Malformed("an attribute has a bad length"));
        }
        attributes.push((kind, rest[2..length].to_vec()));
        rest = &rest[length..];
    }
    if rest.is_empty() {
        Ok(attributes)
    } else {
        Err(Unacceptable::Malformed("it ends within an attribute"))
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

/// HMAC-MD5 over the packet, with zeros for the request's authenticator and for itself, where the gateway sends it.
fn check_message_authenticator(
    packet: &[u8],
    attributes: &[(u8, Vec<u8>)],
    secret: &[u8],
) -> Result<(), Unacceptable> {
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
    let at = HEADER + before + 2;
    let mut blank = packet.to_vec();
    blank[4..HEADER].fill(0);
    blank[at..at + given.len()].fill(0);
    let hmac =
        Hmac::<Md5>::new_from_slice(secret).map_err(|_| Unacceptable::Malformed("the secret"))?;
    hmac.chain_update(&blank)
        .verify_slice(given)
        .map_err(|_| Unacceptable::Forged("Message-Authenticator"))
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
        let length = u16::try_from(HEADER + body.len())
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
    fn a_packet_made_with_another_secret_or_changed_is_refused() {
        let packet = packet(&[(1, b"user_4")]);
        assert_eq!(
            Request::parse(&packet, b"another"),
            Err(Unacceptable::Forged("authenticator"))
        );
        for index in 4..packet.len() {
            let mut changed = packet.clone();
            changed[index] ^= 1;
            assert!(Request::parse(&changed, SECRET).is_err(), "byte {index}");
        }
    }

    #[test]
    fn a_wrong_message_authenticator_is_refused_though_the_authenticator_is_right() {
        let forged = packet(&[(1, b"user_4"), (MESSAGE_AUTHENTICATOR, &[0; 16])]);
        assert_eq!(
            Request::parse(&forged, SECRET),
            Err(Unacceptable::Forged("Message-Authenticator"))
        );
    }

    #[test]
    fn padding_is_left_out_and_proxy_state_goes_back() {
        let mut padded = packet(&[(PROXY_STATE, b"one"), (1, b"user_4"), (PROXY_STATE, b"two")]);
        padded.extend([0; 8]);
        let request = Request::parse(&padded, SECRET).expect("a request");
        let response = request.response(SECRET);
        assert_eq!((response[0], response[1], response.len()), (5, 7, 30));
        assert_eq!(&response[HEADER..], b"\x21\x05one\x21\x05two");
        assert_eq!(
            &response[4..HEADER],
            signature(
                &response[..4],
                &request.authenticator,
                &response[HEADER..],
                SECRET
            )
        );
    }

    proptest! {
        #[test]
        fn any_bytes_are_answered(body in prop::collection::vec(any::<u8>(), 0..200), seal in any::<bool>()) {
            let mut body = body;
            if seal && body.len() >= HEADER {
                body[0] = ACCOUNTING_REQUEST;
                let length = u16::try_from(body.len()).expect("short").to_be_bytes();
                body[2..4].copy_from_slice(&length);
                let right = signature(&body[..4], &[0; 16], &body[HEADER..], SECRET);
                body[4..HEADER].copy_from_slice(&right);
            }
            let _ = Request::parse(&body, SECRET).map(|request| raw_event(&request, jiff::Timestamp::UNIX_EPOCH));
        }
    }
}
