//! CSV file with the rejected rows of an import. It has the columns of the imported file and three
//! more, so that it can be corrected and imported.

use std::{fs::File, path::Path};

use csv::StringRecord;

/// Columns after those of the imported file.
const ADDED: [&str; 3] = ["rejected_line", "rejected_column", "rejected_reason"];

/// A row of the imported file.
pub struct Row {
    /// Line number in the file, from 1. The header is line 1.
    line: u64,
    /// The columns. Empty if the row could not be parsed.
    pub record: StringRecord,
}

impl From<StringRecord> for Row {
    fn from(record: StringRecord) -> Self {
        let line = record.position().map_or(0, csv::Position::line);
        Self { line, record }
    }
}

impl Row {
    /// Returns a row that could not be parsed.
    pub fn unreadable(error: &csv::Error) -> Self {
        Self {
            line: error.position().map_or(0, csv::Position::line),
            record: StringRecord::new(),
        }
    }
}

/// Writes the file, if there is one.
pub struct Rejects {
    writer: Option<csv::Writer<File>>,
    columns: usize,
}

impl Rejects {
    /// Creates the file with its header.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn create(
        path: Option<&Path>,
        delimiter: u8,
        headers: &StringRecord,
    ) -> Result<Self, csv::Error> {
        let columns = headers.len();
        let Some(path) = path else {
            let writer = None;
            return Ok(Self { writer, columns });
        };
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .from_writer(File::create(path)?);
        writer.write_record(headers.iter().chain(ADDED))?;
        Ok(Self {
            writer: Some(writer),
            columns,
        })
    }

    /// Adds a row with the column and the reason of its rejection.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&mut self, row: &Row, column: &str, reason: &str) -> Result<(), csv::Error> {
        let Some(writer) = &mut self.writer else {
            return Ok(());
        };
        let line = row.line.to_string();
        let cells = (0..self.columns).map(|index| row.record.get(index).unwrap_or_default());
        writer.write_record(cells.chain([line.as_str(), column, reason]))
    }

    /// Writes the rest.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(mut self) -> std::io::Result<()> {
        self.writer.as_mut().map_or(Ok(()), csv::Writer::flush)
    }
}
