//! A report as a table for people.

use std::pin::pin;

use futures::{Stream, TryStreamExt};
use jiff::{Timestamp, civil::Date};
use rollcall_attendance::row::{AttendanceRow, EndReason};
use serde::Serialize;

use super::RowsError;
use crate::output::Output;

/// Maximum number of rows of a table. All of them are in memory.
const MAX_ROWS: usize = 10_000;

/// The columns fit the width of a table. A row without a last logout has an open session.
#[derive(Serialize)]
struct Line {
    date: Option<Date>,
    user: String,
    realm: String,
    employee_id: Option<String>,
    first_login: Option<String>,
    last_logout: Option<String>,
    worked: String,
    sessions: i64,
    end_reason: Option<&'static str>,
    status: &'static str,
}

pub async fn write(
    rows: impl Stream<Item = Result<AttendanceRow, RowsError>>,
    from: Date,
    to: Date,
) -> Result<Output, RowsError> {
    let mut rows = pin!(rows);
    let mut lines = Vec::new();
    while let Some(row) = rows.try_next().await? {
        if lines.len() == MAX_ROWS {
            return Err(format!(
                "The report has more than {MAX_ROWS} rows, which is too many for a table. Choose \
                 fewer days or one user, or write a file, such as --output report.csv."
            )
            .into());
        }
        lines.push(Line::from(row));
    }
    let none = format!(
        "There is no session from {from} to {to}. Check the spelling of the user, or choose other \
         days."
    );
    Ok(Output::many(&lines, &[], &none))
}

impl From<AttendanceRow> for Line {
    fn from(row: AttendanceRow) -> Self {
        // In the zone of the calendar, so that the table does not show them in the reporting zone.
        let local = |at: Timestamp| {
            let local = at.to_zoned(row.time_zone.clone());
            local.strftime("%Y-%m-%d %H:%M:%S").to_string()
        };
        let (minutes, seconds) = (row.worked_seconds / 60, row.worked_seconds % 60);
        Self {
            date: row.date,
            user: row.user,
            realm: row.realm,
            employee_id: row.employee_id,
            first_login: row.first_login_at.map(local),
            last_logout: row.last_logout_at.map(local),
            worked: format!("{}:{:02}:{seconds:02}", minutes / 60, minutes % 60),
            sessions: row.sessions,
            end_reason: row.end_reason.map(EndReason::as_str),
            status: row.status.as_str(),
        }
    }
}
