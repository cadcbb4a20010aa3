//! Employees with their persons.

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{self, Array, BigInt, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::{Timestamp, civil::Date};
use jiff_diesel::{NullableDate, ToDiesel};

use crate::persons::some;

/// Selects employees.
#[derive(Debug, Clone, Default)]
pub struct EmployeeSelection {
    /// Employee IDs. Empty selects all.
    pub employee_ids: Vec<String>,
    /// Only employees without a session since this reporting day.
    pub without_sessions_since: Option<Date>,
    /// Bounds of the reporting days from `without_sessions_since` to today, as `Calendar::bounds`
    /// returns them.
    pub day_bounds: Vec<Timestamp>,
}

/// An employee.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Employee {
    /// ID in the HR system.
    pub employee_id: String,
    /// Persons of the employee, in the order of (first day, user, realm).
    pub persons: Vec<MappedPerson>,
}

/// A person and the days on which it is mapped to an employee.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct MappedPerson {
    #[diesel(sql_type = Text)]
    employee_id: String,
    /// Display form of the user.
    #[diesel(sql_type = Text)]
    pub user: String,
    /// Display form of the realm.
    #[diesel(sql_type = Text)]
    pub realm: String,
    /// Calendar of the person on these days.
    #[diesel(sql_type = Text)]
    pub calendar: String,
    /// First reporting day, included. None: no bound.
    #[diesel(sql_type = Nullable<sql_types::Date>, deserialize_as = NullableDate)]
    pub valid_from: Option<Date>,
    /// Last reporting day, included. None: no bound.
    #[diesel(sql_type = Nullable<sql_types::Date>, deserialize_as = NullableDate)]
    pub valid_to: Option<Date>,
}

/// Returns at most `limit` employees after the ID `after`, ordered by ID (by code point).
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.directory.employees", skip_all)]
pub async fn employees(
    connection: &mut AsyncPgConnection,
    selection: &EmployeeSelection,
    after: Option<&str>,
    limit: u32,
) -> QueryResult<Vec<Employee>> {
    let bounds = selection.day_bounds.iter().map(|bound| bound.to_diesel());
    let since = selection.without_sessions_since;
    let persons: Vec<MappedPerson> = sql_query(include_str!("employees.sql"))
        .bind::<Nullable<Array<Text>>, _>(some(&selection.employee_ids))
        .bind::<Nullable<sql_types::Date>, _>(since.map(ToDiesel::to_diesel))
        .bind::<Array<Timestamptz>, _>(bounds.collect::<Vec<_>>())
        .bind::<Nullable<Text>, _>(after)
        .bind::<BigInt, _>(i64::from(limit))
        .load(connection)
        .await?;
    let by_employee = persons.chunk_by(|a, b| a.employee_id == b.employee_id);
    let employees = by_employee.filter_map(|persons| {
        Some(Employee {
            employee_id: persons.first()?.employee_id.clone(),
            persons: persons.to_vec(),
        })
    });
    Ok(employees.collect())
}
