//! A report as an array of JSON objects, which is printed while the rows arrive.

use std::{
    io::{Write, stdout},
    pin::pin,
};

use futures::{Stream, TryStreamExt};
use rollcall_attendance::row::AttendanceRow;
use rollcall_exports::{Offsets, row::Row};

use super::RowsError;
use crate::output::Output;

/// Prints the rows, one per line. An array without its last bracket is incomplete.
pub async fn write(
    rows: impl Stream<Item = Result<AttendanceRow, RowsError>>,
) -> Result<Output, RowsError> {
    let mut rows = pin!(rows);
    let mut offsets = Offsets::default();
    let mut out = stdout();
    let mut separator = "[";
    while let Some(row) = rows.try_next().await? {
        let row = serde_json::to_string(&Row::new(row, &mut offsets))?;
        write!(out, "{separator}{row}")?;
        separator = ",\n";
    }
    let end = if separator == "[" { "[]" } else { "]" };
    writeln!(out, "{end}")?;
    out.flush()?;
    Ok(Output::printed())
}
