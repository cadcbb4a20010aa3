//! Encoders, and the streams of chunks that they make.

use async_stream::try_stream;
use bytes::Bytes;
use futures::{Stream, StreamExt};
use rust_xlsxwriter::XlsxError;

/// Approximate size of a chunk, in bytes.
pub(crate) const CHUNK: usize = 32 * 1024;

/// Reason why rows cannot be encoded.
#[derive(Debug, thiserror::Error)]
pub enum EncodeError {
    /// A value does not fit into the format.
    #[error("a row cannot be written as CSV: {0}")]
    Csv(#[from] csv::Error),
    /// JSON of plain fields. Only memory can be lacking.
    #[error("a row cannot be written as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A value does not fit into the format.
    #[error("a row cannot be written to Parquet: {0}")]
    Parquet(#[from] parquet::errors::ParquetError),
    /// A value does not fit into the format.
    #[error("a row cannot be written to a workbook: {0}")]
    Xlsx(XlsxError),
    /// The file system of the scratch directory is full, or the directory is not writable.
    #[error("the scratch directory cannot be written: {0}")]
    Scratch(String),
}

impl From<XlsxError> for EncodeError {
    fn from(error: XlsxError) -> Self {
        match error {
            XlsxError::IoError(error) | XlsxError::TempFileError(_, error) => {
                Self::Scratch(error.to_string())
            }
            error => Self::Xlsx(error),
        }
    }
}

/// Writes items into a buffer.
pub(crate) trait Encoder<T> {
    /// Writes an item.
    fn push(&mut self, item: T) -> Result<(), EncodeError>;

    /// Writes what follows the last item.
    fn finish(&mut self) -> Result<(), EncodeError>;

    /// Returns the number of bytes that can be taken, at least approximately.
    fn filled(&self) -> usize;

    /// Takes the bytes written so far. After [`Self::finish`] these are all.
    fn take(&mut self) -> Result<Vec<u8>, EncodeError>;
}

/// Returns the bytes of all items, in chunks. The next item is asked for only when a chunk is not
/// yet full, so that a client that reads slowly slows down the database. An error of the input ends
/// the stream with that error and without the bytes that would follow the last item.
pub(crate) fn chunks<T, E: From<EncodeError>>(
    mut encoder: impl Encoder<T>,
    items: impl Stream<Item = Result<T, E>>,
) -> impl Stream<Item = Result<Bytes, E>> {
    try_stream! {
        let mut items = std::pin::pin!(items);
        while let Some(item) = items.next().await {
            encoder.push(item?)?;
            if encoder.filled() >= CHUNK {
                for chunk in split(encoder.take()?) {
                    yield chunk;
                }
            }
        }
        encoder.finish()?;
        for chunk in split(encoder.take()?) {
            yield chunk;
        }
    }
}

/// Splits bytes into chunks without copying them.
fn split(bytes: Vec<u8>) -> impl Iterator<Item = Bytes> {
    let mut rest = Bytes::from(bytes);
    std::iter::from_fn(move || {
        let length = match rest.len() {
            0 => return None,
            // A chunk that is somewhat larger is better than a tiny one after it.
            length if length < 2 * CHUNK => length,
            _ => CHUNK,
        };
        Some(rest.split_to(length))
    })
}
