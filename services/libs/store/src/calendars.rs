//! Named calendars of reporting days, beside the calendar `default` of the settings.

use diesel::{
    OptionalExtension, QueryableByName,
    result::{Error, QueryResult},
    sql_query,
    sql_types::{Array, BigInt, Date, Integer, Nullable, Text, Time},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::{civil, tz::TimeZone};
use jiff_diesel::ToDiesel;
use rollcall_attendance::calendar::Calendar;
use rollcall_settings::Reporting;

use crate::{employees, persons::PersonFilter};

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    time_zone: String,
    #[diesel(sql_type = Time, deserialize_as = jiff_diesel::Time)]
    start_of_day: jiff::civil::Time,
}

/// Returns the calendar `default`, which the settings describe.
#[must_use]
pub fn default(settings: &Reporting) -> Calendar {
    Calendar {
        time_zone: settings.time_zone.clone(),
        start_of_day: settings.start_of_day,
    }
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

/// Maximum number of named calendars.
pub const MAX_NAMED: usize = 3;

/// Outcome of adding a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addition {
    /// The calendar is added.
    Added,
    /// There is a calendar with this name.
    Taken,
    /// There are [`MAX_NAMED`] calendars.
    Full,
}

/// Outcome of removing a calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removal {
    /// The calendar is removed.
    Removed,
    /// There is no calendar with this name.
    Unknown,
    /// This number of mappings uses the calendar.
    InUse(i64),
}

/// Adds a calendar. The caller has a transaction open.
///
/// # Errors
/// The database fails, or the name has a form that the table refuses.
#[tracing::instrument(name = "database.calendars.add", skip_all)]
pub async fn add(
    connection: &mut AsyncPgConnection,
    name: &str,
    time_zone: &str,
    start_of_day: jiff::civil::Time,
) -> QueryResult<Addition> {
    // Two commands at once must not exceed the limit.
    sql_query("LOCK TABLE calendars IN SHARE ROW EXCLUSIVE MODE")
        .execute(connection)
        .await?;
    let present = list(connection).await?;
    if present.iter().any(|(present, _)| present == name) {
        return Ok(Addition::Taken);
    }
    if present.len() >= MAX_NAMED {
        return Ok(Addition::Full);
    }
    sql_query("INSERT INTO calendars (name, time_zone, start_of_day) VALUES ($1, $2, $3)")
        .bind::<Text, _>(name)
        .bind::<Text, _>(time_zone)
        .bind::<Time, _>(start_of_day.to_diesel())
        .execute(connection)
        .await?;
    Ok(Addition::Added)
}

/// Removes a calendar that no mapping uses. The caller has a transaction open.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.calendars.remove", skip_all)]
pub async fn remove(connection: &mut AsyncPgConnection, name: &str) -> QueryResult<Removal> {
    #[derive(QueryableByName)]
    struct Uses {
        #[diesel(sql_type = BigInt)]
        uses: i64,
    }
    // An import of mappings must not begin to use the calendar meanwhile.
    employees::lock(connection).await?;
    let uses = sql_query("SELECT count(*) AS uses FROM employee_mappings WHERE calendar = $1")
        .bind::<Text, _>(name)
        .get_result::<Uses>(connection)
        .await?
        .uses;
    if uses > 0 {
        return Ok(Removal::InUse(uses));
    }
    let removed = sql_query("DELETE FROM calendars WHERE name = $1")
        .bind::<Text, _>(name)
        .execute(connection)
        .await?;
    Ok(if removed == 1 {
        Removal::Removed
    } else {
        Removal::Unknown
    })
}
