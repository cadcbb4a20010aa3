//! Reads the persons without an employee.

use diesel::{
    QueryableByName, sql_query,
    sql_types::{Array, Date as SqlDate, Integer, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};

use super::{
    Selection,
    days::{Columns, Days},
    snapshot,
};
use crate::pool::Error;

const UNMAPPED: &str = include_str!("unmapped.sql");

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    user: String,
    #[diesel(sql_type = Text)]
    realm: String,
}

/// Returns the display forms (user, realm) of persons in a selection that have a session on a day
/// on which they are mapped to no employee, ordered by normalized names. A session belongs to the
/// day of its login. A selection of employees has no such person.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.attendance.unmapped", skip_all)]
pub async fn unmapped(
    connection: &mut AsyncPgConnection,
    selection: &Selection,
) -> Result<Vec<(String, String)>, Error> {
    if !selection.employee_ids.is_empty() {
        return Ok(Vec::new());
    }
    let days = Days::new(selection)?;
    let columns = Columns::of(&days.between(selection.first, selection.last));
    let person_ids = snapshot::person_ids(connection, selection, &days).await?;
    let rows: Vec<Row> = sql_query(UNMAPPED)
        .bind::<Array<SqlDate>, _>(columns.dates)
        .bind::<Array<Nullable<Text>>, _>(columns.calendars)
        .bind::<Array<Timestamptz>, _>(columns.starts)
        .bind::<Array<Timestamptz>, _>(columns.ends)
        .bind::<Nullable<Array<Integer>>, _>(person_ids)
        .load(connection)
        .await?;
    Ok(rows.into_iter().map(|row| (row.user, row.realm)).collect())
}
