//! Shows and forgets the input that was rejected.

use rollcall_store::{Pool, rejected_inputs, sources};
use serde_json::json;

use super::unknown;
use crate::{change, confirm::confirm, failure::CommandError, output::Output};

/// Columns of the list for people.
const COLUMNS: [&str; 6] = ["source", "receiver", "count", "last_at", "reason", "sample"];

pub async fn list(pool: &Pool, name: Option<&str>) -> Result<Output, CommandError> {
    let source_id = id_of(pool, name).await?;
    let rows = pool
        .ask(async |connection| rejected_inputs::list(connection, source_id).await)
        .await?;
    Ok(Output::many(&rows, &COLUMNS, "No input was rejected."))
}

/// Forgets what was rejected from a source, or from all sources and addresses.
pub async fn reset(pool: &Pool, name: Option<&str>, yes: bool) -> Result<Output, CommandError> {
    let source_id = id_of(pool, name).await?;
    let whose = name.map_or("all sources".into(), |name| format!("the source {name}"));
    confirm(
        &format!("The counts and samples of rejected input of {whose} will be removed."),
        yes,
    )?;
    let mut rows = 0;
    let named = name.unwrap_or("all sources");
    change(pool, "source.reset-rejected", named, async |connection| {
        rows = rejected_inputs::forget(connection, source_id).await?;
        Ok::<_, rollcall_store::Error>(true)
    })
    .await?;
    Ok(Output::one(
        json!({"name": name, "removed_reasons": rows}),
        "",
    ))
}

async fn id_of(pool: &Pool, name: Option<&str>) -> Result<Option<i32>, CommandError> {
    let Some(name) = name else { return Ok(None) };
    let id = pool.ask(async |connection| sources::id_of(connection, name).await);
    let id = id.await?.ok_or_else(|| unknown(name))?;
    Ok(Some(id))
}
