//! Shapes that are CSV.

use csv::Writer;
use jiff::{civil::DateTime, fmt::temporal::DateTimePrinter};

use super::{
    Shape,
    stay::{Mark, Stay},
};
use crate::{
    encode::{EncodeError, Encoder},
    separated::{self, Separator},
};

const SEPARATOR: Separator = Separator::Comma;

/// Encodes stays as CSV.
pub struct Csv {
    writer: Writer<Vec<u8>>,
    shape: Shape,
}

impl Csv {
    pub fn new(shape: Shape) -> Result<Self, EncodeError> {
        let header: &[&str] = match shape {
            Shape::Odoo => &["employee_id/id", "check_in", "check_out"],
            Shape::Orangehrm => &[
                "empNumber",
                "punch",
                "date",
                "time",
                "timezoneOffset",
                "timezoneName",
            ],
            _ => &["employee", "log_type", "time"],
        };
        let mut writer = separated::writer(SEPARATOR);
        writer.write_record(header)?;
        Ok(Self { writer, shape })
    }

    fn punch(&mut self, stay: &Stay, punch: &str, at: Mark) -> Result<(), csv::Error> {
        let local = at.local.naive();
        let zone = stay.time_zone.iana_name().unwrap_or_default();
        // Offsets are multiples of a quarter of an hour, which a float holds exactly.
        let offset = f64::from(at.local.offset().seconds()) / 3600.0;
        self.writer.write_record([
            stay.employee_id.as_str(),
            punch,
            &local.strftime("%Y-%m-%d").to_string(),
            &local.strftime("%H:%M").to_string(),
            &offset.to_string(),
            zone,
        ])
    }
}

impl Encoder<Stay> for Csv {
    fn push(&mut self, stay: Stay) -> Result<(), EncodeError> {
        let employee = stay.employee_id.as_str();
        match self.shape {
            Shape::Odoo => {
                let end = stay.end.map(|end| text(end.civil)).unwrap_or_default();
                let start = text(stay.start.civil);
                self.writer.write_record([employee, &start, &end])?;
            }
            Shape::Orangehrm => {
                self.punch(&stay, "in", stay.start)?;
                if let Some(end) = stay.end {
                    self.punch(&stay, "out", end)?;
                }
            }
            _ => {
                let start = text(stay.start.civil);
                self.writer.write_record([employee, "IN", &start])?;
                if let Some(end) = stay.end {
                    self.writer
                        .write_record([employee, "OUT", &text(end.civil)])?;
                }
            }
        }
        Ok(())
    }

    fn finish(&mut self) -> Result<(), EncodeError> {
        Ok(())
    }

    fn filled(&self) -> usize {
        self.writer.get_ref().len()
    }

    fn take(&mut self) -> Result<Vec<u8>, EncodeError> {
        separated::take(&mut self.writer, separated::writer(SEPARATOR))
    }
}

fn text(at: DateTime) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().separator(b' ').precision(Some(0));
    PRINTER.datetime_to_string(&at)
}
