//! Feeds a stream to its client from a task of its own. The HTTP server asks for a body's next bytes only when the client
//! has read the last ones, so the body itself could never notice that its client stalls.

use std::time::{Duration, Instant};

use actix_web::web::Bytes;
use futures::{Stream, StreamExt, stream};
use tokio::{runtime::Handle, sync::mpsc};

use super::{pace::Pace, permits::Permit};

/// Why a stream ends before its last byte. The connection is then aborted, so that no client takes a part for the whole.
#[derive(Debug, thiserror::Error)]
pub enum CutError {
    /// The client reads too slowly.
    #[error("the client reads too slowly")]
    TooSlow,
    /// The stream takes longer than a stream may.
    #[error("the stream takes too long")]
    TooLong,
    /// The database broke off.
    #[error("{0}")]
    Database(#[from] rollcall_store::Error),
}

/// What a stream is held to.
#[derive(Debug)]
pub struct Terms {
    /// Held until the stream ends.
    pub permit: Permit,
    /// How slowly the client may read.
    pub pace: Pace,
    /// Maximum duration.
    pub limit: Duration,
}

/// Returns a body that yields `chunks`. A task on `runtime` reads them ahead by one; it and everything that `chunks` holds
/// end when the body is dropped or the terms are broken.
pub fn feed<S>(
    runtime: &Handle,
    chunks: S,
    terms: Terms,
) -> impl Stream<Item = Result<Bytes, CutError>> + use<S>
where
    S: Stream<Item = Result<Bytes, rollcall_store::Error>> + Send + 'static,
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
        // From here on the task holds nothing but its place in the channel, for as long as the client stalls.
        drop(permit);
        if let Err(error) = outcome {
            tracing::warn!(%error, "Cut off a report");
            let _ = sender.send(Err(error)).await;
        }
    });
    stream::poll_fn(move |context| body.poll_recv(context))
}

async fn copy(
    chunks: impl Stream<Item = Result<Bytes, rollcall_store::Error>>,
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
