//! CSV (RFC 4180): the header has the JSON field names, lines end in CRLF, null is an empty field.
//!
//! A CSV file has no mark of its end, so that a part of one looks complete. The transport must show
//! the break: HTTP/1.1 without the last chunk, HTTP/2 with `RST_STREAM`.
//!
//! # Formulas
//! A spreadsheet takes a field that begins with `=`, `+`, `-` or `@` for a formula, whether it is
//! quoted or not (CWE-1236, OWASP "CSV Injection"). An apostrophe before the field prevents it, but
//! programs then read another name: `+491701234` is an ordinary user. A file for a spreadsheet is
//! recognized by its byte order mark, which only spreadsheets need. With a byte order mark such
//! fields get an apostrophe; without one the data are exact. XLSX needs neither, because its cells
//! have types.

use csv::{Terminator, Writer, WriterBuilder};

use rollcall_attendance::row::AttendanceRow;

use crate::{
    column::{Column, Layout, Value, columns},
    encode::{CHUNK, EncodeError, Encoder},
    local_time::{Offsets, push_date},
    row::Row,
};

/// Options of CSV.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CsvOptions {
    /// Character between fields.
    pub separator: Separator,
    /// True if the file is for a spreadsheet: it begins with a byte order mark, and text that a
    /// spreadsheet would take for a formula gets an apostrophe.
    pub byte_order_mark: bool,
}

/// Character between the fields of CSV.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Separator {
    /// `,`
    #[default]
    Comma,
    /// `;`
    Semicolon,
    /// Tab.
    Tab,
    /// `|`
    Pipe,
}

impl Separator {
    /// All separators.
    pub const ALL: [Self; 4] = [Self::Comma, Self::Semicolon, Self::Tab, Self::Pipe];

    /// Returns the character.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Comma => ",",
            Self::Semicolon => ";",
            Self::Tab => "\t",
            Self::Pipe => "|",
        }
    }

    /// Parses the character.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.as_str() == text)
    }
}

/// Returns a CSV writer into a new buffer.
pub(crate) fn writer(separator: Separator) -> Writer<Vec<u8>> {
    WriterBuilder::new()
        .delimiter(separator.as_str().as_bytes()[0])
        .terminator(Terminator::CRLF)
        .from_writer(Vec::with_capacity(CHUNK + CHUNK / 2))
}

/// Takes the bytes that `writer` has written, and continues with `next`.
pub(crate) fn take(
    writer: &mut Writer<Vec<u8>>,
    next: Writer<Vec<u8>>,
) -> Result<Vec<u8>, EncodeError> {
    let full = std::mem::replace(writer, next);
    let bytes = full.into_inner().map_err(csv::IntoInnerError::into_error);
    Ok(bytes.map_err(csv::Error::from)?)
}

/// Encodes rows as CSV.
pub(crate) struct Csv {
    writer: Writer<Vec<u8>>,
    options: CsvOptions,
    columns: Vec<Column>,
    offsets: Offsets,
    /// Text of the present field.
    text: String,
}

impl Csv {
    pub fn new(layout: Layout, options: CsvOptions) -> Result<Self, EncodeError> {
        let columns = columns(layout);
        let mut writer = writer(options.separator);
        // The mark is written before the header, which needs no quotes.
        let mark = if options.byte_order_mark {
            "\u{feff}"
        } else {
            ""
        };
        for (index, column) in columns.iter().enumerate() {
            match index {
                0 => writer.write_field(format!("{mark}{}", column.name))?,
                _ => writer.write_field(column.name)?,
            }
        }
        writer.write_record(None::<&[u8]>)?;
        Ok(Self {
            writer,
            options,
            columns,
            offsets: Offsets::default(),
            text: String::new(),
        })
    }

    fn write(&mut self, value: Value<'_>) -> Result<(), csv::Error> {
        self.text.clear();
        match value {
            Value::Null => {}
            Value::Text(text) if self.options.byte_order_mark && is_formula(text) => {
                self.text.push('\'');
                self.text.push_str(text);
            }
            Value::Text(text) => return self.writer.write_field(text),
            Value::Number(number) => {
                return self.writer.write_field(itoa::Buffer::new().format(number));
            }
            Value::Time(time) => time.push_to(&mut self.text),
            Value::Date(date) => push_date(date, &mut self.text),
            Value::Flag(flag) => self.text.push_str(if flag { "true" } else { "false" }),
        }
        self.writer.write_field(&self.text)
    }
}

impl Encoder<AttendanceRow> for Csv {
    fn push(&mut self, row: AttendanceRow) -> Result<(), EncodeError> {
        let row = Row::new(row, &mut self.offsets);
        for index in 0..self.columns.len() {
            let value = (self.columns[index].value)(&row);
            self.write(value)?;
        }
        Ok(self.writer.write_record(None::<&[u8]>)?)
    }

    fn finish(&mut self) -> Result<(), EncodeError> {
        Ok(())
    }

    fn filled(&self) -> usize {
        self.writer.get_ref().len()
    }

    fn take(&mut self) -> Result<Vec<u8>, EncodeError> {
        take(&mut self.writer, writer(self.options.separator))
    }
}

/// Returns true if a spreadsheet takes the text for a formula. East Asian versions also accept the
/// full-width characters.
fn is_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

#[cfg(test)]
mod tests;
