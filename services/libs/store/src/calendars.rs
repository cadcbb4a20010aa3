//! Named calendars of reporting days, beside the calendar `default` of the settings.

use diesel::{
    OptionalExtension, QueryableByName,
    result::{Error, QueryResult},
    sql_query,
    sql_types::{Array, Date, Integer, Nullable, Text, Time},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::{civil, tz::TimeZone};
use jiff_diesel::ToDiesel;
use rollcall_attendance::calendar::Calendar;

use crate::persons::PersonFilter;

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

/// Returns the name of the calendar that the mapping of a person, or of the first person of an
/// employee, gives on a day. None is the calendar `default`.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.calendars.assigned", skip_all)]
pub async fn assigned(
    connection: &mut AsyncPgConnection,
    persons: &PersonFilter,
    day: civil::Date,
) -> QueryResult<Option<String>> {
    #[derive(QueryableByName)]
    struct Assigned {
        #[diesel(sql_type = Nullable<Text>)]
        calendar: Option<String>,
    }
    let ids = persons.ids(connection).await?;
    let assigned = sql_query(
        "SELECT calendar FROM employee_mappings JOIN persons ON persons.id = person_id
         WHERE person_id = ANY ($1) AND $2 BETWEEN valid_from AND valid_to
             AND ($3 = '{}' OR employee_id = ANY ($3))
         ORDER BY normalized_user, normalized_realm LIMIT 1",
    )
    .bind::<Array<Integer>, _>(ids.unwrap_or_default())
    .bind::<Date, _>(day.to_diesel())
    .bind::<Array<Text>, _>(&persons.employee_ids)
    .get_result::<Assigned>(connection)
    .await
    .optional()?;
    Ok(assigned.and_then(|row| row.calendar))
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
