//! Persons without an employee, whom no HR system can take.

use actix_web::http::StatusCode;
use futures::{FutureExt, StreamExt, TryStreamExt, stream};
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
    let selection = selection.clone();
    let unmapped = admission.page(|connection, _| {
        let unmapped = async move { attendance::unmapped(connection, &selection).await };
        unmapped
            .into_stream()
            .map_ok(|persons| stream::iter(persons).map(Ok))
            .try_flatten()
            .boxed()
    });
    let unmapped = unmapped.await?;
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
