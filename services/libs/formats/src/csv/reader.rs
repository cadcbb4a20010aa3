//! Splits a file into rows and counts lines.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use csv::{ByteRecord, StringRecord};

use super::{
    decoder::{Decoder, Encoding},
    delimiter,
};

/// Columns that a file of rejected rows has before those of the imported file. They are ignored
/// when the file is imported again.
pub const REJECT_COLUMNS: [&str; 3] = ["rejected_line", "rejected_column", "rejected_reason"];

/// Maximum length of the header in which a delimiter is detected, in bytes.
const MAX_HEADER_BYTES: u64 = 64 * 1024;

/// Format of a file. What is `None` is detected.
#[derive(Debug, Clone, Copy, Default)]
pub struct Format {
    /// Encoding.
    pub encoding: Option<&'static Encoding>,
    /// Character between two columns.
    pub delimiter: Option<u8>,
}

/// Reader of the rows of a file. Blank lines are skipped.
pub struct Reader {
    rows: csv::Reader<Box<dyn Read>>,
    decoder: Decoder,
    delimiter: u8,
    headers: StringRecord,
    /// Number of columns that are skipped, because they say why a row was rejected.
    skipped_columns: usize,
}

/// A row of a file.
#[derive(Debug, Clone)]
pub struct Row {
    /// Line in which the row begins, from 1. The header is usually line 1.
    pub line: u64,
    /// The cells, trimmed.
    pub record: StringRecord,
    /// Reason why the row cannot be parsed.
    pub problem: Option<RowError>,
}

/// Reason why a row cannot be parsed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RowError {
    /// The row has a value beyond the last column.
    #[error(
        "The row must have at most as many cells as the header, which has {columns} (got {cells}). \
         Put a value that contains the delimiter in quotation marks."
    )]
    TooManyCells {
        /// Number of cells of the row.
        cells: usize,
        /// Number of cells of the header.
        columns: usize,
    },
    /// The row is not valid UTF-8, and a row before it is.
    #[error(
        "The row must be valid UTF-8, as the rows before it. If the file has another encoding, name \
         it with --encoding."
    )]
    NotUtf8,
}

impl Reader {
    /// Reads the header of a file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn open(file: impl Read + 'static, format: Format) -> io::Result<Self> {
        let (decoder, file) = Decoder::detect(file, format.encoding)?;
        let mut file = BufReader::new(file);
        let mut start = Vec::new();
        while start.trim_ascii().is_empty() {
            let limit = &mut file.by_ref().take(MAX_HEADER_BYTES);
            if limit.read_until(b'\n', &mut start)? == 0 {
                break;
            }
        }
        let delimiter = format
            .delimiter
            .unwrap_or_else(|| delimiter::detect(&start));
        // Each record, the last one too, ends with a line feed, so that lines can be counted.
        let file: Box<dyn Read> = Box::new(Cursor::new(start).chain(file).chain(&b"\n"[..]));
        // With the default terminator, line numbers would be wrong for lines that end with CR LF.
        // The CR is trimmed.
        let rows = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .terminator(csv::Terminator::Any(b'\n'))
            .flexible(true)
            .has_headers(false)
            .from_reader(file);
        let mut reader = Self {
            rows,
            decoder,
            delimiter,
            headers: StringRecord::new(),
            skipped_columns: 0,
        };
        if let Some(row) = reader.row()? {
            let is_reject_file = row.record.iter().take(3).eq(REJECT_COLUMNS);
            reader.skipped_columns = if is_reject_file { 3 } else { 0 };
            reader.headers = reader.without_skipped(&row.record);
        }
        Ok(reader)
    }

    /// Returns the names of the columns.
    #[must_use]
    pub fn headers(&self) -> &StringRecord {
        &self.headers
    }

    /// Returns the character between two columns.
    #[must_use]
    pub fn delimiter(&self) -> u8 {
        self.delimiter
    }

    /// Returns the name of the encoding, as far as the rows that were read show it.
    #[must_use]
    pub fn encoding(&self) -> &'static str {
        self.decoder.name()
    }

    /// Returns the next row, or `None` at the end of the file.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn next_row(&mut self) -> io::Result<Option<Row>> {
        let Some(mut row) = self.row()? else {
            return Ok(None);
        };
        row.record = self.without_skipped(&row.record);
        let (cells, columns) = (row.record.len(), self.headers.len());
        if row.problem.is_none() && row.record.iter().skip(columns).any(|cell| !cell.is_empty()) {
            row.problem = Some(RowError::TooManyCells { cells, columns });
        }
        Ok(Some(row))
    }

    fn row(&mut self) -> io::Result<Option<Row>> {
        let mut bytes = ByteRecord::new();
        loop {
            let first = self.rows.position().line();
            if !self.rows.read_byte_record(&mut bytes)? {
                return Ok(None);
            }
            if bytes.iter().all(|cell| cell.trim_ascii().is_empty()) {
                continue;
            }
            // The parser has skipped blank lines and the line feed at the end of the row. A row
            // whose last quotation mark is missing has no such line feed.
            let within = bytes.as_slice().iter().filter(|byte| **byte == b'\n');
            let within = u64::try_from(within.count()).unwrap_or(u64::MAX);
            let next = self.rows.position().line();
            let line = next.saturating_sub(within.saturating_add(1)).max(first);
            let (record, is_valid) = self.decoder.decode(&bytes);
            let problem = (!is_valid).then_some(RowError::NotUtf8);
            return Ok(Some(Row {
                line,
                record,
                problem,
            }));
        }
    }

    fn without_skipped(&self, record: &StringRecord) -> StringRecord {
        record.iter().skip(self.skipped_columns).collect()
    }
}

#[cfg(test)]
mod tests;
