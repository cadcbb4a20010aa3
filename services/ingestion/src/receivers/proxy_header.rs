//! The PROXY header (version 1), in which the reverse proxy sends the address of the peer of a
//! connection. It is only read from the sockets of the reverse proxy.

use std::net::SocketAddr;

use ppp::v1::{Addresses, Header};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Maximum length of the header in bytes, including the line end.
const MAX_HEADER_BYTES: usize = 107;

/// Reads the header and nothing after it. Returns `None` if the stream does not begin with a header
/// that contains an address.
pub async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<SocketAddr> {
    let mut header = Vec::with_capacity(MAX_HEADER_BYTES);
    while header.last() != Some(&b'\n') && header.len() < MAX_HEADER_BYTES {
        header.push(stream.read_u8().await.ok()?);
    }
    match Header::try_from(&header[..]).ok()?.addresses {
        Addresses::Tcp4(addresses) => {
            Some((addresses.source_address, addresses.source_port).into())
        }
        Addresses::Tcp6(addresses) => {
            Some((addresses.source_address, addresses.source_port).into())
        }
        Addresses::Unknown => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn header_is_parsed_and_following_bytes_are_not_read() {
        for (header, peer) in [
            (
                "PROXY TCP4 192.0.2.7 192.0.2.1 40000 514\r\n",
                "192.0.2.7:40000",
            ),
            (
                "PROXY TCP6 2001:db8::7 2001:db8::1 40000 514\r\n",
                "[2001:db8::7]:40000",
            ),
        ] {
            let bytes = [header.as_bytes(), b"\x16\x03\x01"].concat();
            let mut stream = &bytes[..];
            assert_eq!(
                read(&mut stream)
                    .await
                    .map(|peer| peer.to_string())
                    .as_deref(),
                Some(peer)
            );
            assert_eq!(stream, b"\x16\x03\x01");
        }
    }

    #[tokio::test]
    async fn stream_without_valid_header_returns_none() {
        let long = "PROXY TCP4 ".to_owned() + &"1".repeat(200);
        for bytes in [
            &b"\x04\xff"[..],
            b"PROXY UNKNOWN\r\n",
            b"PROXY TCP4 192.0.2.7\r\n",
            b"<86>1 - - - - - -\n",
            long.as_bytes(),
            b"",
        ] {
            let mut stream = bytes;
            assert_eq!(read(&mut stream).await, None, "{bytes:?}");
        }
    }
}
