//! Who did what, for those who ask later. Written only; read by the operator with psql.

use diesel::{ExpressionMethods, insert_into, result::QueryResult};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use serde_json::Value;

use crate::schema::audit_log::dsl;

/// Adds an entry; its time is the database's.
///
/// # Errors
/// The database fails.
pub async fn write(
    connection: &mut AsyncPgConnection,
    actor: &str,
    action: &str,
    detail: Value,
) -> QueryResult<()> {
    insert_into(dsl::audit_log)
        .values((
            dsl::actor.eq(actor),
            dsl::action.eq(action),
            dsl::detail.eq(detail),
        ))
        .execute(connection)
        .await
        .map(drop)
}
