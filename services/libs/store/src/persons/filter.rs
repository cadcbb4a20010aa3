//! Filters of persons.

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{Array, Integer, Text},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rollcall_attendance::name::normalize;

use crate::prepared::Prepared;

/// Selects persons. An empty list selects all.
#[derive(Debug, Clone, Default)]
pub struct PersonFilter {
    /// Users, in any case.
    pub users: Vec<String>,
    /// Realms, in any case.
    pub realms: Vec<String>,
    /// Employee IDs.
    pub employee_ids: Vec<String>,
}

/// ID of a person, the only column of a row.
#[derive(QueryableByName)]
pub(crate) struct Id {
    #[diesel(sql_type = Integer)]
    pub(crate) id: i32,
}

/// Returns None for an empty filter, which selects all.
pub(crate) fn some(filter: &[String]) -> Option<Vec<String>> {
    (!filter.is_empty()).then(|| filter.to_vec())
}

impl PersonFilter {
    /// Returns true if the filter selects all persons.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.users.is_empty() && self.realms.is_empty() && self.employee_ids.is_empty()
    }

    /// Returns the normalized users.
    pub(crate) fn normalized_users(&self) -> Vec<String> {
        self.users.iter().map(|user| normalize(user)).collect()
    }

    /// Returns the normalized realms.
    pub(crate) fn normalized_realms(&self) -> Vec<String> {
        self.realms.iter().map(|realm| normalize(realm)).collect()
    }

    /// Returns the IDs of the persons, or None for all. A person is selected by an employee ID if
    /// it is mapped to the employee on any day. With the IDs as a parameter, PostgreSQL can use the
    /// index of persons where that is fast.
    pub(crate) async fn ids(
        &self,
        connection: &mut AsyncPgConnection,
    ) -> QueryResult<Option<Vec<i32>>> {
        if self.is_empty() {
            return Ok(None);
        }
        let query = sql_query(include_str!("find.sql"))
            .bind::<Array<Text>, _>(self.normalized_users())
            .bind::<Array<Text>, _>(self.normalized_realms())
            .bind::<Array<Text>, _>(&self.employee_ids);
        let rows: Vec<Id> = Prepared(query).load(connection).await?;
        Ok(Some(rows.into_iter().map(|row| row.id).collect()))
    }
}
