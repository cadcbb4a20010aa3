//! Creates the partitions of this month and the next three.

use std::time::Duration;

use diesel::result::QueryResult;
use diesel_async::AsyncPgConnection;
use rollcall_store::partitions;

use super::Job;

/// The job. It has no settings.
pub struct Partitions;

impl Job for Partitions {
    const NAME: &'static str = "partitions";

    async fn run(&self, connection: &mut AsyncPgConnection) -> QueryResult<()> {
        let created = partitions::create(connection).await?;
        if created > 0 {
            tracing::info!(created, "Created {created} partitions");
        }
        Ok(())
    }

    fn pause(_took: Duration) -> Duration {
        Duration::from_hours(1)
    }
}
