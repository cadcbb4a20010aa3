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
        let set_aside = async {
            while retention::remove_set_aside_events(connection).await? {}
            Ok(())
        }
        .await;
        let events = async {
            while retention::remove_event_month(connection).await? {}
            Ok(())
        }
        .await;
        let sessions = async {
            while retention::remove_sessions(connection).await? {}
            Ok(())
        }
        .await;
        let audit_log = async {
            while retention::remove_audit_month(connection).await? {}
            Ok(())
        }
        .await;
        set_aside.and(events).and(sessions).and(audit_log)
    }

    fn pause(_took: Duration) -> Duration {
        Duration::from_hours(1)
    }
}
