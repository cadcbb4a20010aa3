//! NDJSON: a JSON object per row and line. The last line is `{"rows":n}`, so that a reader can tell
//! a whole file from a part of one.

use rollcall_attendance::row::AttendanceRow;
use serde::Serialize;

use crate::{
    encode::{CHUNK, EncodeError, Encoder},
    local_time::Offsets,
    row::Row,
};

/// Encodes rows as NDJSON.
#[derive(Default)]
pub(crate) struct Ndjson {
    lines: Vec<u8>,
    rows: u64,
    offsets: Offsets,
}

/// The last line.
#[derive(Serialize)]
struct End {
    rows: u64,
}

impl Ndjson {
    fn line(&mut self, value: &impl Serialize) -> Result<(), EncodeError> {
        serde_json::to_writer(&mut self.lines, value)?;
        self.lines.push(b'\n');
        Ok(())
    }
}

impl Encoder<AttendanceRow> for Ndjson {
    fn push(&mut self, row: AttendanceRow) -> Result<(), EncodeError> {
        self.rows += 1;
        let row = Row::new(row, &mut self.offsets);
        self.line(&row)
    }

    fn finish(&mut self) -> Result<(), EncodeError> {
        let rows = self.rows;
        self.line(&End { rows })
    }

    fn filled(&self) -> usize {
        self.lines.len()
    }

    fn take(&mut self) -> Result<Vec<u8>, EncodeError> {
        let empty = Vec::with_capacity(CHUNK + CHUNK / 2);
        Ok(std::mem::replace(&mut self.lines, empty))
    }
}
