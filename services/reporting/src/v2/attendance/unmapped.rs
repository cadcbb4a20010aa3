//! Persons without an employee, whom no HR system can take.

use actix_web::http::StatusCode;
use rollcall_platform::envelope::Problem;
use rollcall_store::attendance::{self, Selection};
use serde_json::json;

use crate::reports::Admission;

/// Maximum number of persons in the list of a problem.
const MAX_LISTED: usize = 1_000;

/// Checks that all persons of a selection are mapped to an employee on the days of their sessions.
///
/// # Errors
/// 409 with a list of the others. 503 if the database does not answer.
pub async fn check(admission: &Admission<'_>, selection: &Selection) -> Result<(), Problem> {
    let unmapped = admission
        .read(async |connection, _| attendance::unmapped(connection, selection).await)
        .await?;
    if unmapped.is_empty() {
        return Ok(());
    }
    let count = unmapped.len();
    let listed: Vec<_> = unmapped
        .into_iter()
        .take(MAX_LISTED)
        .map(|(user, realm)| json!({"user": user, "realm": realm}))
        .collect();
    let message = format!(
        "Persons without an employee: {count}; see unmapped, which lists at most {MAX_LISTED}. Map \
         them to employees with scripts/rollcall employee import, or leave them out with \
         unmapped=skip."
    );
    Err(Problem::new(StatusCode::CONFLICT, message)
        .with_member("unmapped_count", json!(count))
        .with_member("unmapped", json!(listed)))
}
