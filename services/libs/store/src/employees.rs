//! Mappings of persons to employees.

use std::collections::BTreeMap;

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{self, Array, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::{Timestamp, civil::Date};
use jiff_diesel::{NullableDate, ToDiesel};
use rollcall_attendance::{
    employee::{Mapping, NewMapping},
    person::Person,
};
use serde::Serialize;

/// A mapping as an operator sees it.
#[derive(Debug, Serialize, QueryableByName)]
#[allow(missing_docs, reason = "as in the mapping")]
pub struct Listed {
    #[diesel(sql_type = Text)]
    pub user: String,
    #[diesel(sql_type = Text)]
    pub realm: String,
    #[diesel(sql_type = Text)]
    pub employee_id: String,
    #[diesel(sql_type = Text)]
    pub calendar: String,
    #[diesel(sql_type = Nullable<sql_types::Date>, deserialize_as = NullableDate)]
    pub valid_from: Option<Date>,
    #[diesel(sql_type = Nullable<sql_types::Date>, deserialize_as = NullableDate)]
    pub valid_to: Option<Date>,
}

/// A person without an employee.
#[derive(Debug, Serialize, QueryableByName)]
pub struct Unmapped {
    /// Display form of the user.
    #[diesel(sql_type = Text)]
    pub user: String,
    /// Display form of the realm.
    #[diesel(sql_type = Text)]
    pub realm: String,
    /// Latest login.
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub last_login_at: Timestamp,
}

#[derive(QueryableByName)]
struct Stored {
    #[diesel(sql_type = Text)]
    normalized_user: String,
    #[diesel(sql_type = Text)]
    normalized_realm: String,
    #[diesel(sql_type = Text)]
    employee_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    calendar: Option<String>,
    #[diesel(sql_type = Nullable<sql_types::Date>, deserialize_as = NullableDate)]
    valid_from: Option<Date>,
    #[diesel(sql_type = Nullable<sql_types::Date>, deserialize_as = NullableDate)]
    valid_to: Option<Date>,
}

/// Makes other changes of mappings wait until the end of the transaction.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.employees.lock", skip_all)]
pub async fn lock(connection: &mut AsyncPgConnection) -> QueryResult<()> {
    let lock = sql_query(include_str!("employees/lock.sql"));
    lock.execute(connection).await.map(drop)
}

/// Returns the mappings of persons. Persons without any are left out.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.employees.of_persons", skip_all)]
pub async fn of_persons(
    connection: &mut AsyncPgConnection,
    persons: impl Iterator<Item = &Person> + Clone,
) -> QueryResult<BTreeMap<Person, Vec<Mapping>>> {
    let users: Vec<&str> = persons.clone().map(|person| person.user.as_str()).collect();
    let realms: Vec<&str> = persons.map(|person| person.realm.as_str()).collect();
    let rows = sql_query(include_str!("employees/of_persons.sql"))
        .bind::<Array<Text>, _>(users)
        .bind::<Array<Text>, _>(realms)
        .load::<Stored>(connection)
        .await?;
    let mut mappings: BTreeMap<Person, Vec<Mapping>> = BTreeMap::new();
    for row in rows {
        let person = Person {
            user: row.normalized_user,
            realm: row.normalized_realm,
        };
        mappings.entry(person).or_default().push(Mapping {
            employee_id: row.employee_id,
            calendar: row.calendar,
            valid_from: row.valid_from,
            valid_to: row.valid_to,
        });
    }
    Ok(mappings)
}

/// Stores mappings, and adds the persons that no event has named yet. Each mapping replaces the one
/// of its person with the same first day. The caller holds the lock and sees to it that mappings of
/// a person do not overlap.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.employees.set", skip_all)]
pub async fn set(connection: &mut AsyncPgConnection, new: &[NewMapping]) -> QueryResult<()> {
    let users: Vec<&str> = new.iter().map(|new| new.person.user.as_str()).collect();
    let realms: Vec<&str> = new.iter().map(|new| new.person.realm.as_str()).collect();
    let add_persons = sql_query(include_str!("employees/add_persons.sql"))
        .bind::<Array<Text>, _>(&users)
        .bind::<Array<Text>, _>(&realms)
        .bind::<Array<Text>, _>(new.iter().map(|new| &new.user).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(new.iter().map(|new| &new.realm).collect::<Vec<_>>());
    add_persons.execute(connection).await?;
    let mappings = || new.iter().map(|new| &new.mapping);
    let ids: Vec<&str> = mappings()
        .map(|mapping| mapping.employee_id.as_str())
        .collect();
    let calendars: Vec<Option<&str>> = mappings()
        .map(|mapping| mapping.calendar.as_deref())
        .collect();
    let first: Vec<_> = mappings()
        .map(|mapping| mapping.valid_from.map(ToDiesel::to_diesel))
        .collect();
    let last: Vec<_> = mappings()
        .map(|mapping| mapping.valid_to.map(ToDiesel::to_diesel))
        .collect();
    let set = sql_query(include_str!("employees/set.sql"))
        .bind::<Array<Text>, _>(&users)
        .bind::<Array<Text>, _>(&realms)
        .bind::<Array<Text>, _>(ids)
        .bind::<Array<Nullable<Text>>, _>(calendars)
        .bind::<Array<Nullable<sql_types::Date>>, _>(first)
        .bind::<Array<Nullable<sql_types::Date>>, _>(last);
    set.execute(connection).await.map(drop)
}

/// Returns all mappings, ordered by user, realm and first day.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.employees.list", skip_all)]
pub async fn list(connection: &mut AsyncPgConnection) -> QueryResult<Vec<Listed>> {
    let all = sql_query(include_str!("employees/list.sql"));
    all.load(connection).await
}

/// Returns the persons with a session that are mapped to no employee on `day`, by user and realm.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.employees.unmapped", skip_all)]
pub async fn unmapped(connection: &mut AsyncPgConnection, day: Date) -> QueryResult<Vec<Unmapped>> {
    let unmapped = sql_query(include_str!("employees/unmapped.sql"))
        .bind::<sql_types::Date, _>(day.to_diesel());
    unmapped.load(connection).await
}

/// Removes all mappings of a person. Returns their number.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.employees.remove", skip_all)]
pub async fn remove(connection: &mut AsyncPgConnection, person: &Person) -> QueryResult<usize> {
    let remove = sql_query(
        "DELETE FROM employee_mappings USING persons
         WHERE persons.id = person_id AND normalized_user = $1 AND normalized_realm = $2",
    );
    remove
        .bind::<Text, _>(&person.user)
        .bind::<Text, _>(&person.realm)
        .execute(connection)
        .await
}
