//! Receives and decompresses the body of a request within the memory budget, the size limit and the
//! time limit.

use std::{io, pin::Pin};

use actix_web::{
    HttpRequest,
    error::PayloadError,
    http::{StatusCode, header},
    web::{Bytes, BytesMut, Payload},
};
use async_compression::{
    tokio::bufread::{GzipDecoder, ZstdDecoder},
    zstd::DParameter,
};
use futures::{StreamExt, TryStreamExt};
use rollcall_platform::envelope::Problem;
use rollcall_wire::quote::quoted;
use tokio::{
    io::{AsyncRead, AsyncReadExt},
    time::{Duration, Instant, timeout_at},
};
use tokio_util::io::StreamReader;

use crate::budget::{Budget, EXPANSION, Held, MAX_SMALL_BYTES};

/// Maximum number of decompressed bytes that are returned at once.
const MAX_CHUNK_BYTES: usize = 16 * 1024;
/// Maximum window of zstd: 8 MiB, which RFC 8878 recommends that every decoder supports.
const MAX_ZSTD_WINDOW_LOG: u32 = 23;

/// Compression of a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// The body is not compressed.
    Identity,
    /// `gzip`
    Gzip,
    /// `zstd`
    Zstd,
}

impl Encoding {
    /// Returns the encoding that the request names.
    ///
    /// # Errors
    /// 415 for an encoding that is not supported.
    pub fn of(request: &HttpRequest) -> Result<Self, Problem> {
        let Some(value) = request.headers().get(header::CONTENT_ENCODING) else {
            return Ok(Self::Identity);
        };
        let value = value.to_str().unwrap_or_default();
        match value.to_ascii_lowercase().as_str() {
            "identity" => Ok(Self::Identity),
            "gzip" => Ok(Self::Gzip),
            "zstd" => Ok(Self::Zstd),
            _ => Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                format!(
                    "Content-Encoding must be gzip, zstd or absent (got {}).",
                    quoted(value)
                ),
            )),
        }
    }
}

/// Limits of bodies.
pub struct Limits {
    /// Memory for all bodies together.
    pub budget: Budget,
    /// Maximum size of a body in bytes, after decompression.
    pub max_body_bytes: usize,
    /// Maximum time for receiving and recording a body.
    pub max_time: Duration,
}

/// A body that is being received.
pub struct Body<'a> {
    chunks: Chunks,
    limits: &'a Limits,
    source_id: i32,
    received: usize,
    deadline: Instant,
    held: Held<'a>,
    /// Bytes of the budget that the body needs once it is larger than [`MAX_SMALL_BYTES`].
    large_bytes: usize,
    /// Size of the body, if it is known from `Content-Length`.
    length: Option<usize>,
}

enum Chunks {
    Plain(Payload),
    Compressed(Pin<Box<dyn AsyncRead>>),
}

impl<'a> Body<'a> {
    /// Begins to receive a body. The caller keeps at most `at_once` bytes of the body in memory.
    ///
    /// # Errors
    /// 413 for a body that is too large, 503 if the budget is used up.
    pub fn begin(
        request: &HttpRequest,
        payload: Payload,
        (source_id, encoding): (i32, Encoding),
        limits: &'a Limits,
        at_once: usize,
    ) -> Result<Self, Problem> {
        let length = (encoding == Encoding::Identity)
            .then(|| content_length(request))
            .flatten();
        if length > Some(limits.max_body_bytes) {
            return Err(too_large());
        }
        // The budget counts each byte with EXPANSION, so the window of zstd is divided by it. A
        // body of the maximum size needs no addition for the window.
        let window = match encoding {
            Encoding::Zstd => (1 << MAX_ZSTD_WINDOW_LOG) / EXPANSION,
            Encoding::Identity | Encoding::Gzip => 0,
        };
        let large_bytes = (at_once + window).min(limits.max_body_bytes);
        let held = match length {
            Some(length) => limits.budget.hold(source_id, length.min(at_once))?,
            None => limits.budget.hold(source_id, MAX_SMALL_BYTES)?,
        };
        Ok(Self {
            chunks: Chunks::of(payload, encoding),
            limits,
            source_id,
            received: 0,
            deadline: Instant::now() + limits.max_time,
            held,
            large_bytes,
            length,
        })
    }

    /// Returns the next bytes, or `None` at the end of the body.
    ///
    /// # Errors
    /// 400, 408, 413 or 503.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Problem> {
        if self.received > MAX_SMALL_BYTES {
            // Let other tasks run, because much of the body may be available without waiting.
            tokio::task::yield_now().await;
            // `timeout_at` does not fire for a future that is always ready.
            if Instant::now() >= self.deadline {
                return Err(too_slow(self.limits.max_time));
            }
        }
        let chunk = timeout_at(self.deadline, self.chunks.next())
            .await
            .map_err(|_| too_slow(self.limits.max_time))?
            .map_err(|error| {
                Problem::bad_request(format!("The body could not be read: {error}."))
            })?;
        let was_small = self.received <= MAX_SMALL_BYTES;
        self.received += chunk.as_ref().map_or(0, Bytes::len);
        if self.received > self.limits.max_body_bytes {
            return Err(too_large());
        }
        if self.length.is_none() && was_small && self.received > MAX_SMALL_BYTES {
            self.held = self.limits.budget.hold(self.source_id, self.large_bytes)?;
        }
        Ok(chunk)
    }

    /// Returns the whole body.
    ///
    /// # Errors
    /// See [`Body::next`].
    pub async fn whole(&mut self) -> Result<Bytes, Problem> {
        let Some(first) = self.next().await? else {
            return Ok(Bytes::new());
        };
        let Some(second) = self.next().await? else {
            return Ok(first);
        };
        let mut whole = Vec::with_capacity(self.length.unwrap_or(2 * MAX_SMALL_BYTES));
        whole.extend_from_slice(&first);
        whole.extend_from_slice(&second);
        while let Some(chunk) = self.next().await? {
            whole.extend_from_slice(&chunk);
        }
        Ok(whole.into())
    }
}

impl Chunks {
    fn of(payload: Payload, encoding: Encoding) -> Self {
        let compressed = |payload: Payload| {
            let chunks: futures::stream::MapErr<Payload, fn(PayloadError) -> io::Error> =
                payload.map_err(io::Error::other);
            StreamReader::new(chunks)
        };
        match encoding {
            Encoding::Identity => Self::Plain(payload),
            Encoding::Gzip => {
                let mut decoder = GzipDecoder::new(compressed(payload));
                decoder.multiple_members(true);
                Self::Compressed(Box::pin(decoder))
            }
            Encoding::Zstd => {
                let window = DParameter::window_log_max(MAX_ZSTD_WINDOW_LOG);
                let mut decoder = ZstdDecoder::with_params(compressed(payload), &[window]);
                decoder.multiple_members(true);
                Self::Compressed(Box::pin(decoder))
            }
        }
    }

    async fn next(&mut self) -> io::Result<Option<Bytes>> {
        match self {
            Self::Plain(payload) => payload.next().await.transpose().map_err(io::Error::other),
            Self::Compressed(decoder) => {
                let mut chunk = BytesMut::with_capacity(MAX_CHUNK_BYTES);
                let length = decoder.read_buf(&mut chunk).await?;
                Ok((length > 0).then(|| chunk.freeze()))
            }
        }
    }
}

fn content_length(request: &HttpRequest) -> Option<usize> {
    let value = request.headers().get(header::CONTENT_LENGTH)?;
    value.to_str().ok()?.parse().ok()
}

fn too_large() -> Problem {
    Problem::new(
        StatusCode::PAYLOAD_TOO_LARGE,
        "The body is too large. Send the events in parts; those that are recorded already count as \
         duplicates.",
    )
}

fn too_slow(time: Duration) -> Problem {
    Problem::new(
        StatusCode::REQUEST_TIMEOUT,
        format!(
            "The body was not received and recorded within {} seconds. Send the events again, in \
             smaller parts; those that are recorded already count as duplicates.",
            time.as_secs()
        ),
    )
}
