//! Feeds a stream to its client from a separate task. The HTTP server polls a body only after the
//! client has read the previous bytes, so the body itself cannot detect a client that stalls.

use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use futures::{Stream, StreamExt, stream};
use rollcall_exports::EncodeError;
use tokio::{runtime::Handle, sync::mpsc};

use super::{pace::Pace, permits::Permit};
use crate::scratch::ScratchFullError;

/// Reason why a stream ends before its last byte. The connection is then aborted, so that the
/// client recognizes the report as incomplete.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    /// The client reads too slowly.
    #[error("the client reads too slowly (reporting.stream_bytes_per_second)")]
    TooSlow,
    /// The stream exceeds its maximum duration.
    #[error("the stream exceeds its maximum duration (reporting.stream_seconds)")]
    TooLong,
    /// The database failed.
    #[error("{0}")]
    Database(#[from] rollcall_store::Error),
    /// The rows cannot be written in the format of the report.
    #[error("{0}")]
    Encode(#[from] EncodeError),
    /// The scratch directory is full.
    #[error("{0}")]
    Scratch(#[from] ScratchFullError),
}

/// Permit and limits of a stream.
#[derive(Debug)]
pub struct Terms {
    /// Permit to stream, which is released when the stream ends.
    pub permit: Permit,
    /// Minimum rate at which the client must read.
    pub pace: Pace,
    /// Maximum duration.
    pub limit: Duration,
}

/// Returns a body that yields `chunks`. A task on `runtime` reads one chunk ahead. When the body is
/// dropped or a limit is exceeded, the task drops `chunks` with all its resources.
pub fn feed<S>(
    runtime: &Handle,
    chunks: S,
    terms: Terms,
) -> impl Stream<Item = Result<Bytes, CutError>> + use<S>
where
    S: Stream<Item = Result<Bytes, CutError>> + Send + 'static,
{
    let (sender, mut body) = mpsc::channel(1);
    runtime.spawn(async move {
        let Terms {
            permit,
            pace,
            limit,
        } = terms;
        let outcome = tokio::select! {
            outcome = tokio::time::timeout(limit, copy(chunks, &sender, pace)) => {
                outcome.unwrap_or(Err(CutError::TooLong))
            }
            () = sender.closed() => return,
        };
        // Release the permit before sending the error, because a client that stalls blocks the
        // channel.
        drop(permit);
        if let Err(error) = outcome {
            tracing::warn!(%error, "Cut off a report");
            let _ = sender.send(Err(error)).await;
        }
    });
    stream::poll_fn(move |context| body.poll_recv(context))
}

async fn copy(
    chunks: impl Stream<Item = Result<Bytes, CutError>>,
    sender: &mpsc::Sender<Result<Bytes, CutError>>,
    mut pace: Pace,
) -> Result<(), CutError> {
    let mut chunks = std::pin::pin!(chunks);
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk?;
        let (bytes, started) = (chunk.len(), Instant::now());
        match tokio::time::timeout(pace.patience(), sender.send(Ok(chunk))).await {
            Ok(Ok(())) => pace.took(bytes, started.elapsed()),
            Ok(Err(_)) => return Ok(()),
            Err(_) => return Err(CutError::TooSlow),
        }
    }
    Ok(())
}
