//! Reads the intervals in which employees were connected.

use diesel::{
    QueryableByName,
    result::Error as DieselError,
    sql_query,
    sql_types::{Array, BigInt, Bool, Date as SqlDate, Integer, Nullable, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;
use futures::{Stream, TryStreamExt};
use jiff::{Timestamp, civil::Date};
use jiff_diesel::{NullableTimestamp, ToDiesel};
use rollcall_attendance::{
    completeness::Completeness,
    row::{Interval, Status},
};
use tracing::{Instrument, info_span};

use super::{
    Calendars, Moment, Selection,
    days::{Columns, Days},
    snapshot,
};
use crate::{
    persons::some,
    pool::{Connection, Error, StreamConnection},
};

const INTERVALS: &str = include_str!("intervals.sql");

#[allow(
    clippy::struct_field_names,
    reason = "the fields are columns of the statement"
)]
#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlDate, deserialize_as = jiff_diesel::Date)]
    date: Date,
    #[diesel(sql_type = Text)]
    user: String,
    #[diesel(sql_type = Text)]
    realm: String,
    #[diesel(sql_type = Nullable<Text>)]
    employee_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    calendar: Option<String>,
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    start_at: Timestamp,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    end_at: Option<Timestamp>,
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    last_at: Timestamp,
}

/// Returns the intervals in which the employees of a selection were connected, ordered by (employee
/// ID, start). Sessions of one employee that overlap or touch are one interval. An open session
/// overlaps every later one, because its end is not known yet. A session belongs to the day of
/// its login, and an interval to the day of its first session. Intervals of persons without an
/// employee come last. The selection's grouping, subject, attribution and absent rows have no
/// effect.
pub fn intervals(
    connection: Connection,
    selection: Selection,
    moment: Moment,
) -> impl Stream<Item = Result<Interval, Error>> {
    let mut connection = StreamConnection::new(connection);
    async_stream::try_stream! {
        {
            let connection = connection.connection()?;
            let days = Days::new(&selection)?;
            snapshot::begin(connection).await?;
            let completeness = snapshot::completeness(connection, moment.now).await?;
            let person_ids = snapshot::person_ids(connection, &selection, &days).await?;
            let columns = Columns::of(&days.between(selection.first, selection.last));
            let query = sql_query(INTERVALS)
                .bind::<Array<SqlDate>, _>(columns.dates)
                .bind::<Array<Nullable<Text>>, _>(columns.calendars)
                .bind::<Array<Timestamptz>, _>(columns.starts)
                .bind::<Array<Timestamptz>, _>(columns.ends)
                .bind::<Timestamptz, _>((moment.now - moment.timeout).to_diesel())
                .bind::<Nullable<Array<Integer>>, _>(person_ids)
                .bind::<Nullable<Array<Text>>, _>(some(&selection.employee_ids))
                .bind::<Bool, _>(matches!(selection.calendars, Calendars::Assigned { .. }))
                .bind::<BigInt, _>(moment.timeout.as_secs());
            let span = info_span!("database.attendance.intervals");
            let mut rows = query.load_stream::<Row>(connection).instrument(span).await?;
            while let Some(row) = rows.try_next().await? {
                yield row.interval(&days, &completeness).ok_or(DieselError::NotFound)?;
            }
            drop(rows);
            snapshot::end(connection).await?;
        }
        connection.finish();
    }
}

impl Row {
    /// Returns the interval, or None if its calendar is not among those of `days`. The statement
    /// returns no such row.
    fn interval(self, days: &Days, completeness: &Completeness) -> Option<Interval> {
        let calendar = days.calendar(self.calendar.as_deref())?;
        let settled_at = self.last_at.max(calendar.end(Some(self.date)));
        let status = if self.end_at.is_some() && completeness.covers(settled_at) {
            Status::Final
        } else {
            Status::Provisional
        };
        Some(Interval {
            date: self.date,
            employee_id: self.employee_id,
            user: self.user,
            realm: self.realm,
            start_at: self.start_at,
            end_at: self.end_at,
            status,
            time_zone: calendar.calendar.time_zone.clone(),
        })
    }
}
