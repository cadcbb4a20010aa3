//! Writes a workbook outside the event loop, and streams its archive.

use std::{
    any::Any,
    io::{self, Write},
    path::PathBuf,
};

use async_stream::try_stream;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use rollcall_attendance::row::AttendanceRow;
use rust_xlsxwriter::XlsxError;
use tokio::{sync::mpsc, task::spawn_blocking};

use super::{Book, MAX_ROWS};
use crate::{
    column::Layout,
    encode::{CHUNK, EncodeError},
};

/// Number of rows that are written at once.
const BATCH: usize = 1_000;

/// Returns the archive in chunks, which come only after the last row. The scratch files have no
/// name, so that the operating system removes them however the stream ends.
pub(crate) fn chunks<E: From<EncodeError>>(
    layout: Layout,
    metadata: Vec<(String, String)>,
    scratch_directory: PathBuf,
    rows: impl Stream<Item = Result<AttendanceRow, E>>,
) -> impl Stream<Item = Result<Bytes, E>> {
    try_stream! {
        let new = move || Book::new(layout, &metadata, &scratch_directory, MAX_ROWS);
        let mut book = blocking(new).await?;
        let mut batches = std::pin::pin!(rows.chunks(BATCH));
        while let Some(batch) = batches.next().await {
            let batch = batch.into_iter().collect::<Result<Vec<_>, E>>()?;
            book = blocking(move || {
                batch.into_iter().try_for_each(|row| book.push(row))?;
                Ok(book)
            })
            .await?;
        }
        let (sender, mut archive) = mpsc::channel(1);
        let save = blocking(move || {
            book.end_sheet()?;
            let mut chunks = Chunks { sender, chunk: Vec::new() };
            book.workbook.save_to_writer(&mut chunks)?;
            Ok(chunks.flush().map_err(XlsxError::from)?)
        });
        while let Some(chunk) = archive.recv().await {
            yield chunk;
        }
        save.await?;
    }
}

/// Starts `work` on a thread for blocking work. `rust_xlsxwriter` panics when a scratch file cannot
/// be written, so a panic becomes an error.
fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EncodeError> + Send + 'static,
) -> impl Future<Output = Result<T, EncodeError>> {
    let work = spawn_blocking(work);
    async {
        match work.await {
            Ok(result) => result,
            Err(error) => match error.try_into_panic() {
                Ok(panic) => Err(EncodeError::Scratch(message(&*panic))),
                Err(error) => Err(EncodeError::Scratch(error.to_string())),
            },
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
    text.unwrap_or("unknown error").to_owned()
}

/// Sends what is written, in chunks. The writing thread waits while the client reads slowly.
struct Chunks {
    sender: mpsc::Sender<Bytes>,
    chunk: Vec<u8>,
}

impl Write for Chunks {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.chunk.extend_from_slice(bytes);
        if self.chunk.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let chunk = Bytes::from(std::mem::take(&mut self.chunk));
        if chunk.is_empty() {
            return Ok(());
        }
        // The receiver is gone when the client has hung up.
        self.sender
            .blocking_send(chunk)
            .map_err(|_| io::ErrorKind::BrokenPipe.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn panic_of_the_library_is_an_error_that_names_the_cause() {
        let write = || -> Result<(), EncodeError> {
            let error = io::Error::from(io::ErrorKind::StorageFull);
            panic!("Couldn't write to xml file: {error:?}")
        };
        let error = blocking(write).await.expect_err("an error");
        assert!(error.to_string().contains("StorageFull"), "{error}");
    }
}
