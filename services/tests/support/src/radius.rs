//! RADIUS accounting packets (RFC 2866), as a gateway makes them.

use hmac::{Hmac, KeyInit, Mac};
use md5::{Digest, Md5};

const ACCOUNTING_REQUEST: u8 = 4;
const MESSAGE_AUTHENTICATOR: u8 = 80;

/// An Accounting-Request with these attributes, made with `secret`.
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

/// The same with a valid Message-Authenticator (RFC 2869 section 5.14).
#[must_use]
pub fn signed_request(secret: &str, attributes: &[(u8, &[u8])]) -> Vec<u8> {
    let with = |signature: &[u8]| {
        request(
            secret,
            &[&[(MESSAGE_AUTHENTICATOR, signature)], attributes].concat(),
        )
    };
    let mut unsigned = with(&[0; 16]);
    unsigned[4..20].fill(0);
    let signature = Hmac::<Md5>::new_from_slice(secret.as_bytes())
        .expect("a key")
        .chain_update(&unsigned)
        .finalize();
    with(&signature.into_bytes())
}

/// Attributes of a Start of the session, at 2025-01-01 10:00 UTC.
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
