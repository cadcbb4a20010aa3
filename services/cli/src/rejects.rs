//! CSV file with the rejected rows of an import. It has the columns of the imported file and three
//! more before them, so that it can be corrected and imported.

use std::{fs::File, io::Write, path::Path};

use csv::StringRecord;
use rollcall_formats::csv::{REJECT_COLUMNS, Row};

/// Byte order mark of UTF-8. It takes precedence over `--encoding` when the file is imported.
const MARK: &[u8] = b"\xef\xbb\xbf";

/// Writes the file, if there is one.
pub struct Rejects(Option<csv::Writer<File>>);

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
        let Some(path) = path else {
            return Ok(Self(None));
        };
        let mut file = File::create(path)?;
        file.write_all(MARK)?;
        let mut writer = csv::WriterBuilder::new()
            .delimiter(delimiter)
            .flexible(true)
            .from_writer(file);
        writer.write_record(REJECT_COLUMNS.into_iter().chain(headers))?;
        Ok(Self(Some(writer)))
    }

    /// Adds a row with its line, the column and the reason of its rejection.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&mut self, row: &Row, column: &str, reason: &str) -> Result<(), csv::Error> {
        let Some(writer) = &mut self.0 else {
            return Ok(());
        };
        let line = row.line.to_string();
        let added = [line.as_str(), column, reason];
        writer.write_record(added.into_iter().chain(&row.record))
    }

    /// Writes the rest.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn finish(&mut self) -> std::io::Result<()> {
        self.0.as_mut().map_or(Ok(()), csv::Writer::flush)
    }
}
