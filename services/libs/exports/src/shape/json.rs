//! Shapes that are a JSON array, with an object on each line.

use jiff::{civil::DateTime, fmt::temporal::DateTimePrinter};
use serde::Serialize;

use super::{Shape, stay::Stay};
use crate::encode::{EncodeError, Encoder};

/// Encodes stays as JSON.
pub struct Json {
    text: Vec<u8>,
    shape: Shape,
    /// Text before the next object.
    separator: &'static str,
}

/// An entry of Zoho's bulk import.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Entry<'a> {
    emp_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    check_in: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    check_out: Option<String>,
}

/// An entry of Keka's attendance log.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Log<'a> {
    employee_attendance_number: &'a str,
    timestamp: String,
    /// 0 in, 1 out.
    status: u8,
}

impl Json {
    pub fn new(shape: Shape) -> Self {
        Self {
            text: Vec::new(),
            shape,
            separator: "[\n",
        }
    }

    fn object(&mut self, object: &impl Serialize) -> Result<(), EncodeError> {
        self.text.extend_from_slice(self.separator.as_bytes());
        self.separator = ",\n";
        Ok(serde_json::to_writer(&mut self.text, object)?)
    }
}

impl Encoder<Stay> for Json {
    fn push(&mut self, stay: Stay) -> Result<(), EncodeError> {
        let employee = stay.employee_id.as_str();
        let entry = |check_in: Option<DateTime>, check_out: Option<DateTime>| Entry {
            emp_id: employee,
            check_in: check_in.map(|at| text(at, b' ')),
            check_out: check_out.map(|at| text(at, b' ')),
        };
        let log = |at, status| Log {
            employee_attendance_number: employee,
            timestamp: text(at, b'T'),
            status,
        };
        let start = stay.start.civil;
        let end = stay.end.map(|end| end.civil);
        if self.shape == Shape::Keka {
            self.object(&log(start, 0))?;
            end.map_or(Ok(()), |end| self.object(&log(end, 1)))
        } else {
            self.object(&entry(Some(start), None))?;
            end.map_or(Ok(()), |end| self.object(&entry(None, Some(end))))
        }
    }

    fn finish(&mut self) -> Result<(), EncodeError> {
        let end = match self.separator {
            ",\n" => "\n]\n",
            _ => "[]\n",
        };
        self.text.extend_from_slice(end.as_bytes());
        Ok(())
    }

    fn filled(&self) -> usize {
        self.text.len()
    }

    fn take(&mut self) -> Result<Vec<u8>, EncodeError> {
        Ok(std::mem::take(&mut self.text))
    }
}

fn text(at: DateTime, separator: u8) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(0));
    PRINTER.separator(separator).datetime_to_string(&at)
}
