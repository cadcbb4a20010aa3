//! Reads the rows of a report.

use diesel::result::Error as DieselError;
use diesel_async::RunQueryDsl;
use futures::{Stream, TryStreamExt};
use rollcall_attendance::row::AttendanceRow;
use tracing::{Instrument, info_span};

use super::{
    Moment, Page, Selection,
    days::Days,
    parts::{Statement, parts, short_page},
    row::Row,
    snapshot,
    statement::Parameters,
};
use crate::{
    pool::{Connection, Error, StreamConnection},
    prepared::Prepared,
};

/// Returns the rows of a report, or of one page of it, ordered by
/// [`Position`](super::Position). All rows are of one snapshot of the database. Only a few are in
/// memory at the same time. The connection returns to the pool after the last row. If the stream is
/// dropped earlier, the connection is closed.
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
            let mut person_ids = snapshot::person_ids(connection, &selection, &days).await?;
            if let Some(place) = page.as_ref().and_then(|page| short_page(&selection, page)) {
                let ids = snapshot::persons_of_page(connection, &days, person_ids, place);
                person_ids = Some(ids.await?);
            }
            let mut limit = page.as_ref().map(|page| page.limit);
            for part in parts(&selection, person_ids.as_deref(), page.as_ref()) {
                let parameters = Parameters {
                    selection: &selection,
                    person_ids: person_ids.as_deref(),
                    moment,
                    after: part.after(page.as_ref()),
                    limit,
                };
                let statement = Statement::of(&selection);
                let query = parameters.query(statement, &days.between(part.first, part.last));
                let Some(query) = query.filter(|_| limit != Some(0)) else {
                    continue;
                };
                let span = info_span!("database.attendance.rows");
                let mut rows =
                    Prepared(query).load_stream::<Row>(connection).instrument(span).await?;
                while let Some(row) = rows.try_next().await? {
                    limit = limit.map(|rows| rows.saturating_sub(1));
                    yield row.attendance(&days, &completeness).ok_or(DieselError::NotFound)?;
                }
            }
            snapshot::end(connection).await?;
        }
        connection.finish();
    }
}
