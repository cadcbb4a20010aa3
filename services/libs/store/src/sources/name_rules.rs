//! Name rules of sources, in a column of the type `jsonb`.

use diesel::{
    ExpressionMethods, QueryDsl,
    deserialize::{FromSql, FromSqlRow, Result},
    pg::{Pg, PgValue},
    result::{Error, QueryResult},
    sql_types::Jsonb,
    update,
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use rollcall_attendance::name_rules::NameRules;
use serde_json::Value;

use crate::schema::sources::dsl;

/// Name rules as the database returns them.
#[derive(Debug, FromSqlRow)]
pub struct Stored(NameRules);

impl FromSql<Jsonb, Pg> for Stored {
    fn from_sql(bytes: PgValue<'_>) -> Result<Self> {
        let rules = <Value as FromSql<Jsonb, Pg>>::from_sql(bytes)?;
        Ok(Self(serde_json::from_value(rules)?))
    }
}

impl From<Stored> for NameRules {
    fn from(Stored(rules): Stored) -> Self {
        rules
    }
}

/// Replaces the name rules of a source. Returns false if there is no source with this name.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sources.set_name_rules", skip_all)]
pub async fn set(
    connection: &mut AsyncPgConnection,
    name: &str,
    rules: &NameRules,
) -> QueryResult<bool> {
    let rules = serde_json::to_value(rules);
    let rules = rules.map_err(|error| Error::SerializationError(error.into()))?;
    let known = dsl::sources.filter(dsl::name.eq(name));
    let rules = dsl::name_rules.eq(rules);
    Ok(update(known).set(rules).execute(connection).await? == 1)
}
