//! File formats of rows.

use std::path::PathBuf;

use bytes::Bytes;
use futures::{Stream, StreamExt, stream::BoxStream};
use rollcall_attendance::row::AttendanceRow;

use crate::{
    column::Layout,
    columnar::Parquet,
    encode::{self, EncodeError, Encoder},
    ndjson::Ndjson,
    separated::{Csv, CsvOptions},
    workbook,
};

/// A file format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Comma-separated values (RFC 4180).
    Csv,
    /// A JSON object per line.
    Ndjson,
    /// Office Open XML workbook.
    Xlsx,
    /// Apache Parquet.
    Parquet,
}

/// Options of a file.
#[derive(Debug, Clone)]
pub struct Options {
    /// Kind of the rows of the file.
    pub layout: Layout,
    /// Options of CSV.
    pub csv: CsvOptions,
    /// Calendar, time zone and the like: the key-value metadata of a Parquet file, the custom
    /// properties of a workbook.
    pub metadata: Vec<(String, String)>,
    /// Directory of the scratch files of a workbook, which take about 550 bytes for each row.
    pub scratch_directory: PathBuf,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 4] = [Self::Csv, Self::Ndjson, Self::Xlsx, Self::Parquet];

    /// Returns the name, which is also the extension of a file name.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Csv => "csv",
            Self::Ndjson => "ndjson",
            Self::Xlsx => "xlsx",
            Self::Parquet => "parquet",
        }
    }

    /// Parses the name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|format| format.extension() == name)
    }

    /// Returns the media type, for `Content-Type`.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Csv => "text/csv; charset=utf-8; header=present",
            Self::Ndjson => "application/x-ndjson",
            Self::Xlsx => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Parquet => "application/vnd.apache.parquet",
        }
    }

    /// Returns true if a file is compressed, so that compressing the response saves nothing.
    #[must_use]
    pub fn is_compressed(self) -> bool {
        matches!(self, Self::Xlsx | Self::Parquet)
    }

    /// Returns a file in chunks of 32 to 64 KiB. Rows are read only as fast as chunks are taken.
    /// XLSX needs a Tokio runtime.
    ///
    /// An error of `rows` becomes an error of the stream and never a valid end. The transport must
    /// then break off, because a part of a CSV file looks complete.
    pub fn encode<'a, E: From<EncodeError> + Send + 'a>(
        self,
        rows: impl Stream<Item = Result<AttendanceRow, E>> + Send + 'a,
        options: Options,
    ) -> BoxStream<'a, Result<Bytes, E>> {
        let Options {
            layout,
            csv,
            metadata,
            scratch_directory,
        } = options;
        match self {
            Self::Csv => chunks(Csv::new(layout, csv), rows),
            Self::Ndjson => chunks(Ok(Ndjson::default()), rows),
            Self::Parquet => chunks(Parquet::new(layout, metadata), rows),
            Self::Xlsx => workbook::chunks(layout, metadata, scratch_directory, rows).boxed(),
        }
    }
}

fn chunks<'a, E: From<EncodeError> + Send + 'a>(
    encoder: Result<impl Encoder<AttendanceRow> + Send + 'a, EncodeError>,
    rows: impl Stream<Item = Result<AttendanceRow, E>> + Send + 'a,
) -> BoxStream<'a, Result<Bytes, E>> {
    match encoder {
        Ok(encoder) => encode::chunks(encoder, rows).boxed(),
        Err(error) => futures::stream::iter([Err(error.into())]).boxed(),
    }
}

#[cfg(test)]
mod tests;
