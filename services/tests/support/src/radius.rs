//! RADIUS accounting packets (RFC 2866) as a gateway sends them.

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};

const ACCOUNTING_REQUEST: u8 = 4;
const MESSAGE_AUTHENTICATOR: u8 = 80;

/// Builds an Accounting-Request with these attributes and a Request Authenticator by `secret`.
#[must_use]
pub fn request(secret: &str, attributes: &[(u8, &[u8])]) -> Vec<u8> {
    let body: Vec<u8> = attributes
        .iter()
        .flat_map(|(kind, value)| {
            let length = u8::try_from(value.len() + 2).expect("a short value");
            [&[*kind, length], *value].concat()
        })
        .collect();
    let length = u16::try_from(20 + body.len())
        .expect("a short packet")
        .to_be_bytes();
    let mut packet = [&[ACCOUNTING_REQUEST, 1], &length[..], &[0; 16], &body].concat();
    let authenticator = Md5::new()
        .chain_update(&packet)
        .chain_update(secret)
        .finalize();
    packet[4..20].copy_from_slice(&authenticator);
    packet
}

/// Builds an Accounting-Request with a valid Message-Authenticator (RFC 2869 section 5.14).
#[must_use]
pub fn signed_request(secret: &str, attributes: &[(u8, &[u8])]) -> Vec<u8> {
    let request_with = |message_authenticator: &[u8]| {
        request(
            secret,
            &[
                &[(MESSAGE_AUTHENTICATOR, message_authenticator)],
                attributes,
            ]
            .concat(),
        )
    };
    let mut unauthenticated = request_with(&[0; 16]);
    unauthenticated[4..20].fill(0);
    let message_authenticator = Hmac::<Md5>::new_from_slice(secret.as_bytes())
        .expect("a key")
        .chain_update(&unauthenticated)
        .finalize();
    request_with(&message_authenticator.into_bytes())
}

/// Returns the attributes of a Start of the session at 2025-01-01 10:00 UTC.
#[must_use]
pub fn start(session: &str) -> Vec<(u8, &[u8])> {
    vec![
        (1, b"asha"),
        (32, b"gateway"),
        (40, &[0, 0, 0, 1]),
        (44, session.as_bytes()),
        (55, &[0x67, 0x75, 0x11, 0xa0]),
    ]
}
