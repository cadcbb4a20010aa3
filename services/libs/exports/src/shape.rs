//! The shapes in which HR systems import attendance: a pair of check-in and check-out for each
//! interval of an employee.
//!
//! | shape | file | time | open interval |
//! |---|---|---|---|
//! | `frappe` | CSV, a row for IN and one for OUT | local | IN alone |
//! | `odoo` | CSV, a row per interval | UTC | empty `check_out` |
//! | `zoho` | JSON, an object for each time | local | `checkIn` alone |
//! | `greythr` | lines, one for each swipe | local with offset | swipe in alone |
//! | `keka` | JSON, an object for each log | local | status 0 alone |
//! | `orangehrm` | CSV, a row for each punch | local with offset, minutes | punch in alone |
//!
//! - Fractions of a second are cut off (OrangeHRM: seconds). Intervals of an employee that then
//!   overlap or touch are one, because the systems refuse overlaps.
//! - Local time without an offset repeats an hour when clocks go back. An interval that would read
//!   as ending before it begins gets the length zero. Intervals that seem to overlap are one.
//! - Intervals without an employee ID are left out. The caller decides whether that is allowed.
//! - A part of a CSV file or of greytHR's lines looks complete: the transport must show the break.

use bytes::Bytes;
use futures::{Stream, StreamExt, stream::BoxStream};
use rollcall_attendance::row::Interval;

use crate::encode::{self, EncodeError, Encoder};

mod csv;
mod json;
mod lines;
mod stay;

use stay::{Merger, Stay};

/// The shape in which an HR system imports attendance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Frappe HR, document type Employee Checkin, by Data Import.
    ///
    /// Columns `employee` (the ID of the Employee), `log_type` (`IN`, `OUT`) and `time` (in the
    /// time zone of the site). Sources: "Employee Checkin" in frappe/hrms, `employee_checkin.json`
    /// and `employee_checkin.py` in `hrms/hr/doctype/employee_checkin/`, which refuses a second log
    /// of the same type in the same second. Data Import accepts field names as header
    /// (frappe/frappe, `frappe/core/doctype/data_import/importer.py`).
    Frappe,
    /// Odoo, model `hr.attendance`.
    ///
    /// Columns `employee_id/id` (external ID of the employee), `check_in` and `check_out` in UTC.
    /// Odoo refuses overlaps (odoo/odoo, `addons/hr_attendance/models/hr_attendance.py`). An import
    /// reads times in the time zone of the user who imports
    /// (`odoo/addons/base/models/ir_fields.py`), so that this user's time zone, or `tz` in the
    /// context of `load`, must be UTC.
    Odoo,
    /// Zoho People, the parameter `data` of the Attendance Bulk Import API.
    ///
    /// A JSON array of objects with `empId` and either `checkIn` or `checkOut`, in the time zone of
    /// the organization; `dateFormat` is `yyyy-MM-dd HH:mm:ss`. Source: "Attendance Bulk Import
    /// API", <https://www.zoho.com/people/api/attendance-bulkimport.html>.
    Zoho,
    /// greytHR, the parameter `swipes` of the Attendance Swipe API.
    ///
    /// A line per swipe: time with offset, employee number, door, `1` in or `0` out. Sources:
    /// "Attendance API Details", <http://docs.greytip.in/display/GOIN/Attendance+API+Details>, and
    /// "Generate API key for attendance swipe API",
    /// <https://admin-help.greythr.com/admin/answers/142773372>.
    Greythr,
    /// Keka, the body of the Attendance Log Ingestion API.
    ///
    /// A JSON array of objects with `EmployeeAttendanceNumber`, `Timestamp` and `Status` (0 in,
    /// 1 out). The caller adds `DeviceIdentifier`, which Keka issues. Source: "API Guide for
    /// Attendance Log Ingestion",
    /// <https://help.keka.com/hc/en-us/articles/39946756738577>.
    Keka,
    /// OrangeHRM, attendance records of an employee in its REST API.
    ///
    /// Columns `empNumber`, `punch` (`in` is a POST, `out` a PUT), then the body of the request:
    /// `date`, `time` (hours and minutes), `timezoneOffset` (hours) and `timezoneName`. Source:
    /// orangehrm/orangehrm, `EmployeeAttendanceRecordAPI.php` in
    /// `src/plugins/orangehrmAttendancePlugin/Api/`, which refuses overlaps.
    Orangehrm,
}

/// Says whether intervals that can still change are in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Provisional {
    /// Only final intervals.
    LeaveOut,
    /// All intervals. An open interval has a check-in and no check-out.
    Include,
}

impl Shape {
    /// All shapes.
    pub const ALL: [Self; 6] = [
        Self::Frappe,
        Self::Odoo,
        Self::Zoho,
        Self::Greythr,
        Self::Keka,
        Self::Orangehrm,
    ];

    /// Returns the name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Frappe => "frappe",
            Self::Odoo => "odoo",
            Self::Zoho => "zoho",
            Self::Greythr => "greythr",
            Self::Keka => "keka",
            Self::Orangehrm => "orangehrm",
        }
    }

    /// Parses the name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|shape| shape.name() == name)
    }

    /// Returns the extension of a file name.
    #[must_use]
    pub fn extension(self) -> &'static str {
        match self {
            Self::Frappe | Self::Odoo | Self::Orangehrm => "csv",
            Self::Zoho | Self::Keka => "json",
            Self::Greythr => "txt",
        }
    }

    /// Returns the media type, for `Content-Type`.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            Self::Frappe | Self::Odoo | Self::Orangehrm => {
                "text/csv; charset=utf-8; header=present"
            }
            Self::Zoho | Self::Keka => "application/json",
            Self::Greythr => "text/plain; charset=utf-8",
        }
    }

    /// Returns a file in chunks. `intervals` are ordered by (employee ID, start). An error of
    /// `intervals` never becomes a valid end, as in [`Format::encode`](crate::Format::encode).
    pub fn encode<'a, E: From<EncodeError> + Send + 'a>(
        self,
        intervals: impl Stream<Item = Result<Interval, E>> + Send + 'a,
        provisional: Provisional,
    ) -> BoxStream<'a, Result<Bytes, E>> {
        let merger = Merger::new(self, provisional);
        match self {
            Self::Frappe | Self::Odoo | Self::Orangehrm => {
                stream(csv::Csv::new(self), merger, intervals)
            }
            Self::Zoho | Self::Keka => stream(Ok(json::Json::new(self)), merger, intervals),
            Self::Greythr => stream(Ok(lines::Lines::default()), merger, intervals),
        }
    }
}

/// Merges intervals before they are written.
struct Merged<T> {
    merger: Merger,
    encoder: T,
}

impl<T: Encoder<Stay>> Encoder<Interval> for Merged<T> {
    fn push(&mut self, interval: Interval) -> Result<(), EncodeError> {
        match self.merger.push(interval) {
            Some(stay) => self.encoder.push(stay),
            None => Ok(()),
        }
    }

    fn finish(&mut self) -> Result<(), EncodeError> {
        if let Some(stay) = self.merger.finish() {
            self.encoder.push(stay)?;
        }
        self.encoder.finish()
    }

    fn filled(&self) -> usize {
        self.encoder.filled()
    }

    fn take(&mut self) -> Result<Vec<u8>, EncodeError> {
        self.encoder.take()
    }
}

fn stream<'a, E: From<EncodeError> + Send + 'a>(
    encoder: Result<impl Encoder<Stay> + Send + 'a, EncodeError>,
    merger: Merger,
    intervals: impl Stream<Item = Result<Interval, E>> + Send + 'a,
) -> BoxStream<'a, Result<Bytes, E>> {
    match encoder {
        Ok(encoder) => encode::chunks(Merged { merger, encoder }, intervals).boxed(),
        Err(error) => futures::stream::iter([Err(error.into())]).boxed(),
    }
}

#[cfg(test)]
mod tests;
