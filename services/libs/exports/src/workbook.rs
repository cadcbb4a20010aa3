//! XLSX with real dates. Times are local times of the calendar, because cells have no time zone.
//!
//! The sheets are written to scratch files, so that memory does not grow with the number of rows.
//! The archive is made and sent only after the last row. Its directory is at its end, so that a
//! part of it cannot be read.

use std::path::Path;

use jiff::civil::DateTime;
use rollcall_attendance::row::AttendanceRow;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

use crate::{
    column::{Column, Kind, Layout, Value, columns},
    encode::EncodeError,
    local_time::Offsets,
    row::Row,
};

mod stream;

pub(crate) use stream::chunks;

/// Number of rows of a sheet, with the header.
const MAX_ROWS: u32 = 1_048_576;

/// A workbook.
struct Book {
    workbook: Workbook,
    columns: Vec<Column>,
    formats: Formats,
    offsets: Offsets,
    /// Index of the present sheet.
    sheet: usize,
    /// Next row of the present sheet.
    row: u32,
    /// Number of rows of a sheet, with the header.
    max_rows: u32,
}

struct Formats {
    header: Format,
    date: Format,
    time: Format,
}

impl Book {
    /// Begins a workbook. `metadata` are names and values of its custom properties.
    fn new(
        layout: Layout,
        metadata: &[(String, String)],
        scratch_directory: &Path,
        max_rows: u32,
    ) -> Result<Self, EncodeError> {
        let mut workbook = Workbook::new();
        workbook.set_tempdir(scratch_directory)?;
        // Level 6, the default, takes nearly twice the time for a file that is 8 % smaller.
        workbook.set_zip_compression_level(3);
        let properties = metadata
            .iter()
            .fold(DocProperties::new(), |properties, (name, value)| {
                properties.set_custom_property(name, value.as_str())
            });
        workbook.set_properties(&properties);
        let mut book = Self {
            workbook,
            columns: columns(layout),
            formats: Formats {
                header: Format::new().set_bold(),
                date: Format::new().set_num_format("yyyy-mm-dd"),
                time: Format::new().set_num_format("yyyy-mm-dd hh:mm:ss"),
            },
            offsets: Offsets::default(),
            sheet: 0,
            row: 0,
            max_rows,
        };
        book.add_sheet("Attendance")?;
        Ok(book)
    }

    fn add_sheet(&mut self, name: &str) -> Result<(), XlsxError> {
        let sheet = self.workbook.add_worksheet_with_constant_memory()?;
        sheet.set_name(name)?.set_freeze_panes(1, 0)?;
        for (index, column) in (0..).zip(&self.columns) {
            sheet.set_column_width(index, width(column))?;
            sheet.write_string_with_format(0, index, column.name, &self.formats.header)?;
        }
        self.row = 1;
        Ok(())
    }

    /// Adds the filter of the header row.
    fn end_sheet(&mut self) -> Result<(), XlsxError> {
        let last = (self.columns.len() - 1).try_into().unwrap_or(u16::MAX);
        let sheet = self.workbook.worksheet_from_index(self.sheet)?;
        sheet.autofilter(0, 0, self.row - 1, last)?;
        Ok(())
    }

    /// Adds a row, on a new sheet if the present one is full.
    fn push(&mut self, row: AttendanceRow) -> Result<(), EncodeError> {
        if self.row == self.max_rows {
            self.end_sheet()?;
            self.sheet += 1;
            self.add_sheet(&format!("Attendance {}", self.sheet + 1))?;
        }
        let row = Row::new(row, &mut self.offsets);
        let sheet = self.workbook.worksheet_from_index(self.sheet)?;
        for (index, column) in (0..).zip(&self.columns) {
            let value = (column.value)(&row);
            write(sheet, self.row, index, value, &self.formats)?;
        }
        self.row += 1;
        Ok(())
    }
}

fn write(
    sheet: &mut Worksheet,
    row: u32,
    column: u16,
    value: Value<'_>,
    formats: &Formats,
) -> Result<(), XlsxError> {
    match value {
        Value::Null => return Ok(()),
        Value::Text(text) => sheet.write_string(row, column, text),
        Value::Flag(flag) => sheet.write_boolean(row, column, flag),
        // Counts and seconds are far below 2^53, up to which the numbers of a cell are exact.
        #[expect(clippy::cast_precision_loss)]
        Value::Number(number) => sheet.write_number(row, column, number as f64),
        Value::Date(date) => match excel(date.into()) {
            Ok(date) => sheet.write_datetime_with_format(row, column, date, &formats.date),
            Err(_) => sheet.write_string(row, column, date.to_string()),
        },
        Value::Time(time) => match excel(time.naive()) {
            Ok(time) => sheet.write_datetime_with_format(row, column, time, &formats.time),
            Err(_) => sheet.write_string(row, column, time.to_string()),
        },
    }
    .map(|_| ())
}

/// Returns the date of a cell. Dates before 1900 are an error.
fn excel(at: DateTime) -> Result<ExcelDateTime, XlsxError> {
    let part = |part: i8| part.unsigned_abs();
    ExcelDateTime::from_ymd(at.year().unsigned_abs(), part(at.month()), part(at.day()))?.and_hms(
        at.hour().unsigned_abs().into(),
        part(at.minute()),
        part(at.second()),
    )
}

/// Returns the width of a column, in characters.
fn width(column: &Column) -> f64 {
    let values = match column.kind {
        Kind::Date | Kind::Number | Kind::Flag => 10,
        Kind::Text | Kind::Time => 19,
    };
    // The filter's button needs room beside the name.
    let name = column.name.len() + 4;
    f64::from(u8::try_from(name.max(values)).unwrap_or(u8::MAX))
}

#[cfg(test)]
mod tests;
