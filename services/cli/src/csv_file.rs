//! Options of the commands that import a CSV file.

use std::{
    io::{self, Read},
    path::PathBuf,
};

use clap::Args;
use rollcall_formats::csv::{Encoding, Format, Reader, delimiter, encoding};

use crate::rejects::Rejects;

#[derive(Args)]
pub struct CsvFile {
    /// CSV file. scripts/rollcall passes its content on standard input.
    pub file: String,
    /// Character between two columns: comma, semicolon, tab, pipe or one ASCII character. Detected
    /// by default.
    #[arg(long, value_parser = delimiter)]
    delimiter: Option<u8>,
    /// Encoding of the file, for example utf-16le or windows-1252. Detected by default. A byte
    /// order mark takes precedence.
    #[arg(long, value_parser = encoding)]
    encoding: Option<&'static Encoding>,
    /// Show what an import would add, and record nothing.
    #[arg(long)]
    pub dry_run: bool,
    /// File for the rejected rows and their errors. scripts/rollcall sets it.
    #[arg(long, hide = true)]
    rejects: Option<PathBuf>,
}

impl CsvFile {
    /// Reads the header of the file with the content `input`.
    pub fn open(&self, input: impl Read + 'static) -> io::Result<Reader> {
        let format = Format {
            encoding: self.encoding,
            delimiter: self.delimiter,
        };
        Reader::open(input, format)
    }

    /// Creates the file for the rejected rows.
    pub fn rejects(&self, reader: &Reader) -> Result<Rejects, csv::Error> {
        Rejects::create(
            self.rejects.as_deref(),
            reader.delimiter(),
            reader.headers(),
        )
    }
}
