//! Replaces the name rules of a source.

use rollcall_attendance::name_rules::{NameRule, NameRules};
use rollcall_store::{Pool, sources};
use serde_json::json;

use super::unknown;
use crate::{change, failure::CommandError, output::Output};

pub async fn set_names(
    pool: &Pool,
    name: &str,
    rules: Vec<NameRule>,
) -> Result<Output, CommandError> {
    let rules = NameRules(rules);
    let known = change(pool, "source.set-names", name, async |connection| {
        sources::set_name_rules(connection, name, &rules).await
    });
    known.await?.then_some(()).ok_or_else(|| unknown(name))?;
    Ok(Output::one(
        json!({"name": name, "name_rules": rules}),
        "Name rules updated. The change takes effect within 5 seconds, for new events.",
    ))
}
