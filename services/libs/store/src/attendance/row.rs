//! A row of `rows.sql`.

use diesel::{
    QueryableByName,
    sql_types::{BigInt, Bool, Date as SqlDate, Nullable, Text, Timestamptz},
};
use jiff::{Timestamp, civil::Date};
use jiff_diesel::{NullableDate, NullableTimestamp};
use rollcall_attendance::{
    completeness::Completeness,
    row::{AttendanceRow, Continues, EndReason, Status},
};

use super::days::Days;

#[derive(QueryableByName)]
pub(super) struct Row {
    #[diesel(sql_type = Nullable<SqlDate>, deserialize_as = NullableDate)]
    row_date: Option<Date>,
    #[diesel(sql_type = Nullable<BigInt>)]
    days: Option<i64>,
    #[diesel(sql_type = Text)]
    user: String,
    #[diesel(sql_type = Text)]
    realm: String,
    #[diesel(sql_type = Nullable<Text>)]
    employee_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    calendar: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    first_login_at: Option<Timestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    last_logout_at: Option<Timestamp>,
    #[diesel(sql_type = BigInt)]
    sessions: i64,
    #[diesel(sql_type = BigInt)]
    worked_seconds: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    active_seconds: Option<i64>,
    #[diesel(sql_type = BigInt)]
    open_sessions: i64,
    #[diesel(sql_type = Nullable<Text>)]
    end_reason: Option<String>,
    #[diesel(sql_type = Nullable<Bool>)]
    from_previous_day: Option<bool>,
    #[diesel(sql_type = Nullable<Bool>)]
    to_next_day: Option<bool>,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    last_at: Option<Timestamp>,
}

impl Row {
    /// Returns the row of the report, or None if its calendar is not among those of `days`. The
    /// statement returns no such row.
    pub(super) fn attendance(
        self,
        days: &Days,
        completeness: &Completeness,
    ) -> Option<AttendanceRow> {
        let calendar = days.calendar(self.calendar.as_deref())?;
        let end = self.last_at.max(Some(calendar.end(self.row_date)))?;
        let is_final = self.open_sessions == 0 && completeness.covers(end);
        let continues = self.from_previous_day.zip(self.to_next_day);
        Some(AttendanceRow {
            date: self.row_date,
            days: self.days,
            user: self.user,
            realm: self.realm,
            employee_id: self.employee_id,
            first_login_at: self.first_login_at,
            last_logout_at: self.last_logout_at,
            sessions: self.sessions,
            worked_seconds: self.worked_seconds,
            active_seconds: self.active_seconds,
            open_sessions: self.open_sessions,
            end_reason: self.end_reason.as_deref().and_then(EndReason::parse),
            continues: continues.map(|(from_previous_day, to_next_day)| Continues {
                from_previous_day,
                to_next_day,
            }),
            status: if is_final {
                Status::Final
            } else {
                Status::Provisional
            },
            time_zone: calendar.calendar.time_zone.clone(),
        })
    }
}
