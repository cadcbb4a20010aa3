//! Persons with their present employee and calendar.

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{Array, BigInt, Bool, Date, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::{Timestamp, civil};
use jiff_diesel::{NullableTimestamp, ToDiesel};
use serde::{Deserialize, Serialize};

use crate::persons::{PersonFilter, some};

/// Selects persons.
#[derive(Debug, Clone)]
pub struct PeopleSelection {
    /// Names and present employees of the persons.
    pub persons: PersonFilter,
    /// True for persons without an employee, false for persons with one. None selects both.
    pub is_unmapped: Option<bool>,
    /// Only persons without a login since this instant.
    pub without_sessions_since: Option<Timestamp>,
    /// The present reporting day, in which mappings are looked up.
    pub today: civil::Date,
}

/// The place of a person in the order of the list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct PersonPosition {
    /// Normalized user.
    pub user: String,
    /// Normalized realm.
    pub realm: String,
}

/// A person.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct KnownPerson {
    #[diesel(sql_type = Text)]
    normalized_user: String,
    #[diesel(sql_type = Text)]
    normalized_realm: String,
    /// Display form of the user.
    #[diesel(sql_type = Text)]
    pub user: String,
    /// Display form of the realm.
    #[diesel(sql_type = Text)]
    pub realm: String,
    /// The employee to whom the person is mapped today.
    #[diesel(sql_type = Nullable<Text>)]
    pub employee_id: Option<String>,
    /// Calendar of the person today.
    #[diesel(sql_type = Text)]
    pub calendar: String,
    /// Earliest login. None if no session of the person has a login.
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub first_login_at: Option<Timestamp>,
    /// Latest login.
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub last_login_at: Option<Timestamp>,
}

impl KnownPerson {
    /// Returns the place of the person in the order of the list.
    #[must_use]
    pub fn position(&self) -> PersonPosition {
        PersonPosition {
            user: self.normalized_user.clone(),
            realm: self.normalized_realm.clone(),
        }
    }
}

/// Returns at most `limit` persons after `after`, ordered by [`PersonPosition`].
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.directory.people", skip_all)]
pub async fn people(
    connection: &mut AsyncPgConnection,
    selection: &PeopleSelection,
    after: Option<&PersonPosition>,
    limit: u32,
) -> QueryResult<Vec<KnownPerson>> {
    let persons = &selection.persons;
    let since = selection.without_sessions_since;
    sql_query(include_str!("people.sql"))
        .bind::<Date, _>(selection.today.to_diesel())
        .bind::<Array<Text>, _>(persons.normalized_users())
        .bind::<Array<Text>, _>(persons.normalized_realms())
        .bind::<Nullable<Array<Text>>, _>(some(&persons.employee_ids))
        .bind::<Nullable<Bool>, _>(selection.is_unmapped)
        .bind::<Nullable<Timestamptz>, _>(since.map(ToDiesel::to_diesel))
        .bind::<Nullable<Text>, _>(after.map(|after| &after.user))
        .bind::<Nullable<Text>, _>(after.map(|after| &after.realm))
        .bind::<BigInt, _>(i64::from(limit))
        .load(connection)
        .await
}
