//! Reads the rows of a report.

use diesel::{
    pg::Pg,
    query_builder::{BoxedSqlQuery, SqlQuery},
    result::Error as DieselError,
    sql_query,
    sql_types::{Array, BigInt, Bool, Date as SqlDate, Integer, Nullable, Text, Timestamptz},
};
use diesel_async::RunQueryDsl;
use futures::{Stream, TryStreamExt};
use jiff::{Span, civil::Date};
use jiff_diesel::ToDiesel;
use rollcall_attendance::row::AttendanceRow;
use tracing::{Instrument, info_span};

use super::{
    Attribution, Calendars, Grouping, Moment, Page, Position, Selection, Subject,
    days::{Columns, Day, Days},
    row::Row,
    snapshot::{self, some},
};
use crate::pool::{Connection, Error, StreamConnection};

const ROWS: &str = include_str!("rows.sql");

/// Maximum number of pairs of a day and a selected person for one statement.
const MAX_PERSON_DAYS: usize = 10_000;

/// Returns the rows of a report, or of one page of it, ordered by [`Position`]. All rows are of one
/// snapshot of the database. Only a few are in memory at the same time. The connection returns to
/// the pool after the last row. If the stream is dropped earlier, the connection is closed.
///
/// Days that the time zone skips have no rows, not even of absent persons.
pub fn rows(
    connection: Connection,
    selection: Selection,
    page: Option<Page>,
    moment: Moment,
) -> impl Stream<Item = Result<AttendanceRow, Error>> {
    let mut connection = StreamConnection::new(connection);
    async_stream::try_stream! {
        {
            let connection = connection.connection()?;
            let days = Days::new(&selection)?;
            snapshot::begin(connection).await?;
            let completeness = snapshot::completeness(connection, moment.now).await?;
            let person_ids = snapshot::person_ids(connection, &selection, &days).await?;
            let mut remaining = page.as_ref().map(|page| page.limit);
            let after = page.as_ref().and_then(|page| page.after.as_ref());
            for (first, last) in parts(&selection, person_ids.as_deref(), after) {
                let days_of_part = days.between(first, last);
                if remaining == Some(0) || days_of_part.is_empty() {
                    continue;
                }
                let query = statement(&selection, &days_of_part, person_ids.as_deref(), moment);
                let query = part_of_page(query, after, remaining);
                let span = info_span!("database.attendance.rows");
                let mut rows =
                    query.load_stream::<Row>(connection).instrument(span).await?;
                while let Some(row) = rows.try_next().await? {
                    remaining = remaining.map(|rows| rows.saturating_sub(1));
                    yield row.attendance(&days, &completeness).ok_or(DieselError::NotFound)?;
                }
            }
            snapshot::end(connection).await?;
        }
        connection.finish();
    }
}

/// Returns the first and last day of each statement of a report.
///
/// Rows of a period need one statement. Rows of days have one statement for each day, so that the
/// first row arrives early and the database sorts little. A selection of few persons has one
/// statement for many days, because planning a statement takes longer than executing it then.
fn parts(
    selection: &Selection,
    person_ids: Option<&[i32]>,
    after: Option<&Position>,
) -> Vec<(Date, Date)> {
    let (first, last) = (selection.first, selection.last);
    if person_ids.is_some_and(<[i32]>::is_empty) {
        return Vec::new();
    }
    if selection.grouping == Grouping::Period {
        return vec![(first, last)];
    }
    let first = after
        .and_then(|after| after.date)
        .map_or(first, |after| first.max(after));
    let days = person_ids.map_or(1, |ids| (MAX_PERSON_DAYS / ids.len()).clamp(1, 366));
    first
        .series(Span::new().days(1))
        .step_by(days)
        .take_while(|date| *date <= last)
        .map(|date| {
            let days = i32::try_from(days - 1).unwrap_or(0);
            let end = date.saturating_add(Span::new().days(days));
            (date, end.min(last))
        })
        .collect()
}

/// A statement that still lacks the parameters of [`part_of_page`].
type Statement = BoxedSqlQuery<'static, Pg, SqlQuery>;

fn statement(
    selection: &Selection,
    days: &[Day],
    person_ids: Option<&[i32]>,
    moment: Moment,
) -> Statement {
    let timeout_before = (moment.now - moment.timeout).to_diesel();
    let columns = Columns::of(days);
    sql_query(ROWS)
        .into_boxed::<Pg>()
        .bind::<Array<SqlDate>, _>(columns.dates)
        .bind::<Array<Nullable<Text>>, _>(columns.calendars)
        .bind::<Array<Timestamptz>, _>(columns.starts)
        .bind::<Array<Timestamptz>, _>(columns.ends)
        .bind::<Timestamptz, _>(timeout_before)
        .bind::<Nullable<Array<Integer>>, _>(person_ids.map(<[i32]>::to_vec))
        .bind::<Nullable<Array<Text>>, _>(some(&selection.employee_ids))
        .bind::<Bool, _>(selection.grouping == Grouping::Day)
        .bind::<Bool, _>(selection.subject == Subject::Employee)
        .bind::<Bool, _>(selection.attribution == Attribution::Overlap)
        .bind::<Bool, _>(matches!(selection.calendars, Calendars::Assigned { .. }))
        .bind::<Bool, _>(selection.include_absent)
}

fn part_of_page(statement: Statement, after: Option<&Position>, limit: Option<u32>) -> Statement {
    let date = after.and_then(|after| after.date);
    let name = |of: fn(&Position) -> &String| after.map(|after| of(after).clone());
    statement
        .bind::<Nullable<SqlDate>, _>(date.map(ToDiesel::to_diesel))
        .bind::<Nullable<Text>, _>(name(|after| &after.user))
        .bind::<Nullable<Text>, _>(name(|after| &after.realm))
        .bind::<Nullable<Text>, _>(after.and_then(|after| after.employee_id.clone()))
        .bind::<Nullable<BigInt>, _>(limit.map(i64::from))
}
