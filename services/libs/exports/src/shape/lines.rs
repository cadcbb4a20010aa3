//! greytHR's swipes, one on each line.

use csv::{Terminator, Writer, WriterBuilder};

use super::stay::{Mark, Stay};
use crate::{
    encode::{EncodeError, Encoder},
    separated,
};

/// The door of every swipe, as greytHR shows it.
const DOOR: &str = "Rollcall";

/// Encodes stays as swipes.
pub struct Lines(Writer<Vec<u8>>);

impl Default for Lines {
    fn default() -> Self {
        let mut lines = WriterBuilder::new();
        lines.terminator(Terminator::Any(b'\n'));
        Self(lines.from_writer(Vec::new()))
    }
}

impl Lines {
    fn swipe(&mut self, employee: &str, at: Mark, direction: &str) -> Result<(), csv::Error> {
        let time = jiff::Zoned::new(at.local.timestamp(), at.local.offset().to_time_zone());
        let time = time.strftime("%Y-%m-%dT%H:%M:%S.000%:z").to_string();
        self.0.write_record([&time, employee, DOOR, direction])
    }
}

impl Encoder<Stay> for Lines {
    fn push(&mut self, stay: Stay) -> Result<(), EncodeError> {
        self.swipe(&stay.employee_id, stay.start, "1")?;
        if let Some(end) = stay.end {
            self.swipe(&stay.employee_id, end, "0")?;
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), EncodeError> {
        Ok(())
    }

    fn filled(&self) -> usize {
        self.0.get_ref().len()
    }

    fn take(&mut self) -> Result<Vec<u8>, EncodeError> {
        separated::take(&mut self.0, Self::default().0)
    }
}
