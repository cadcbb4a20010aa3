//! Named calendars of reporting days, beside the calendar `default` of the settings.

use diesel::{
    QueryableByName,
    result::{Error, QueryResult},
    sql_query,
    sql_types::{Text, Time},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::tz::TimeZone;
use rollcall_attendance::calendar::Calendar;

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    time_zone: String,
    #[diesel(sql_type = Time, deserialize_as = jiff_diesel::Time)]
    start_of_day: jiff::civil::Time,
}

/// Returns the named calendars, by name. The calendar `default` is not among them.
///
/// # Errors
/// The database fails, or the time zone of a calendar is unknown to this version of the service.
#[tracing::instrument(name = "database.calendars.list", skip_all)]
pub async fn list(connection: &mut AsyncPgConnection) -> QueryResult<Vec<(String, Calendar)>> {
    let stored: Vec<Stored> = sql_query(
        "SELECT name, time_zone, start_of_day FROM calendars ORDER BY name COLLATE \"C\"",
    )
    .load(connection)
    .await?;
    stored.into_iter().map(parse).collect()
}

fn parse(stored: Stored) -> QueryResult<(String, Calendar)> {
    let time_zone = TimeZone::get(&stored.time_zone)
        .map_err(|error| Error::DeserializationError(error.into()))?;
    let calendar = Calendar {
        time_zone,
        start_of_day: stored.start_of_day,
    };
    Ok((stored.name, calendar))
}
