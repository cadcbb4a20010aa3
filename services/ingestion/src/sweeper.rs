//! Takes sessions as ended that no logout ended: see `rollcall_store::sessions::sweep`. Each
//! replica sweeps; they share the work.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use opentelemetry::{KeyValue, global};
use rollcall_platform::{
    clock::Clock,
    settings::{self, Settings},
};
use rollcall_store::{
    Pool,
    sessions::{self, Swept},
};

/// Runs for as long as the process lives.
pub async fn run(pool: Pool, settings: Settings, clock: Clock) {
    let pause = Duration::from_secs(settings.ingestion.sweep_seconds.max(1).into());
    let ended = global::meter("ingestion")
        .u64_counter("ingestion.sessions.ended")
        .with_description("Sessions taken as ended without a logout, by how")
        .build();
    loop {
        match sweep(&pool, &settings.reporting, clock.now()).await {
            Ok(swept) => {
                for (how, number) in [("restart", swept.restart), ("inferred", swept.inferred)] {
                    ended.add(number.unsigned_abs(), &[KeyValue::new("ended", how)]);
                }
                if swept.is_full() {
                    continue;
                }
            }
            Err(error) => tracing::error!(%error, "sessions were not swept; it is tried again"),
        }
        tokio::time::sleep(pause).await;
    }
}

/// One step.
///
/// # Errors
/// The database fails.
pub async fn sweep(
    pool: &Pool,
    settings: &settings::Reporting,
    now: Timestamp,
) -> Result<Swept, rollcall_store::Error> {
    let stale_before = now - SignedDuration::from_hours(settings.stale_hours.into());
    pool.ask(async |connection| sessions::sweep(connection, stale_before).await)
        .await
}
