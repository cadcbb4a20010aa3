//! Removes data that is past its retention limit.

use std::time::Duration;

use diesel::result::QueryResult;
use diesel_async::AsyncPgConnection;
use rollcall_store::retention;

use super::Job;

/// The job. The limits are in the table `retention_limits`, which only `migrate` can write.
pub struct Retention;

impl Job for Retention {
    const NAME: &'static str = "retention";

    /// Each part runs even if the one before it failed. Returns the first error.
    async fn run(&self, connection: &mut AsyncPgConnection) -> QueryResult<()> {
        let set_aside = all_steps(connection, retention::remove_set_aside_events).await;
        let rejected = all_steps(connection, retention::remove_rejected_inputs).await;
        let events = all_steps(connection, retention::remove_event_month).await;
        let correlated = all_steps(connection, retention::remove_correlated_events).await;
        let sessions = all_steps(connection, retention::remove_sessions).await;
        let audit_log = all_steps(connection, retention::remove_audit_month).await;
        set_aside
            .and(rejected)
            .and(events)
            .and(correlated)
            .and(sessions)
            .and(audit_log)
    }

    fn pause(_took: Duration) -> Duration {
        Duration::from_hours(1)
    }
}

/// Repeats a step until it returns false, because nothing is left to remove.
async fn all_steps(
    connection: &mut AsyncPgConnection,
    step: impl AsyncFn(&mut AsyncPgConnection) -> QueryResult<bool>,
) -> QueryResult<()> {
    while step(connection).await? {}
    Ok(())
}
