//! Parquet with typed columns, compressed with zstd. A file without its footer cannot be read, so
//! that a part of one is never taken for the whole.

use std::sync::Arc;

use parquet::{
    basic::{Compression, ZstdLevel},
    file::{
        metadata::KeyValue,
        properties::{EnabledStatistics, WriterProperties},
        writer::SerializedFileWriter,
    },
};
use rollcall_attendance::row::AttendanceRow;

use crate::{
    column::{Column, Layout, columns},
    encode::{EncodeError, Encoder},
    local_time::Offsets,
    row::Row,
};

mod buffer;
mod schema;

use buffer::Buffer;

/// Number of rows in a row group. The rows of one group are in memory at the same time.
const GROUP: usize = 10_000;

/// Encodes rows as Parquet.
pub(crate) struct Parquet {
    file: SerializedFileWriter<Vec<u8>>,
    columns: Vec<(Column, Buffer)>,
    /// Number of rows in the buffers.
    rows: usize,
    offsets: Offsets,
}

impl Parquet {
    /// Begins a file. `metadata` are keys and values for its footer.
    pub fn new(layout: Layout, metadata: Vec<(String, String)>) -> Result<Self, EncodeError> {
        let columns = columns(layout);
        let metadata = metadata
            .into_iter()
            .map(|(key, value)| KeyValue::new(key, value));
        let properties = WriterProperties::builder()
            .set_compression(Compression::ZSTD(ZstdLevel::default()))
            .set_statistics_enabled(EnabledStatistics::Page)
            .set_key_value_metadata(Some(metadata.collect()))
            .build();
        let schema = Arc::new(schema::schema(&columns)?);
        let file = SerializedFileWriter::new(Vec::new(), schema, Arc::new(properties))?;
        let buffers = columns
            .into_iter()
            .map(|column| (column, Buffer::new(column)));
        Ok(Self {
            file,
            columns: buffers.collect(),
            rows: 0,
            offsets: Offsets::default(),
        })
    }

    fn write_group(&mut self) -> Result<(), EncodeError> {
        let mut group = self.file.next_row_group()?;
        for (_, buffer) in &mut self.columns {
            if let Some(mut column) = group.next_column()? {
                buffer.write(&mut column)?;
                column.close()?;
            }
        }
        group.close()?;
        self.rows = 0;
        Ok(self
            .file
            .flush()
            .map_err(parquet::errors::ParquetError::from)?)
    }
}

impl Encoder<AttendanceRow> for Parquet {
    fn push(&mut self, row: AttendanceRow) -> Result<(), EncodeError> {
        let row = Row::new(row, &mut self.offsets);
        for (column, buffer) in &mut self.columns {
            buffer.push((column.value)(&row));
        }
        self.rows += 1;
        if self.rows == GROUP {
            self.write_group()?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), EncodeError> {
        if self.rows > 0 {
            self.write_group()?;
        }
        self.file.finish()?;
        Ok(())
    }

    fn filled(&self) -> usize {
        self.file.inner().len()
    }

    fn take(&mut self) -> Result<Vec<u8>, EncodeError> {
        Ok(std::mem::take(self.file.inner_mut()))
    }
}

#[cfg(test)]
mod tests;
