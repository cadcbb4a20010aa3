//! Metrics of the running service. Telemetry is started once per process, so this test has its
//! own file.

use std::time::Duration;

use rollcall_maintenance::startup::build;
use rollcall_platform::{clock::Clock, settings::Settings, telemetry};
use rollcall_test_support::TestDatabase;

#[tokio::test(flavor = "multi_thread")]
async fn metrics_name_at_most_20_sources_however_many_there_are() {
    let database = TestDatabase::new().await;
    let sources = "INSERT INTO sources (name, key_hash, created_at, last_received_at)
        SELECT 'gateway-' || n, n::text::bytea, now() - interval '2 days',
            now() - (n + 0.5) * interval '1 minute'
        FROM generate_series(1, 500) AS n";
    database.execute(sources).await;
    let mut settings = Settings::load().expect("settings");
    settings.database = database.settings("maintenance");
    settings.server.internal_address = "127.0.0.1:0".parse().expect("an address");
    let _telemetry = telemetry::start("maintenance", &settings.telemetry).expect("telemetry");
    let service = build(&settings, &Clock::System).expect("the service");
    let url = format!("http://{}/metrics", service.internal_address);

    let metrics = with(&url, r#"source="gateway-500""#).await;
    assert!(
        metrics.contains("maintenance_sources_enabled{otel_scope_name=\"maintenance\"} 500"),
        "{metrics}"
    );
    assert!(
        metrics.contains("maintenance_sources_silent{otel_scope_name=\"maintenance\"} 441"),
        "{metrics}"
    );
    assert_eq!(metrics.matches("source=\"").count(), 20, "{metrics}");

    with(&url, r#"maintenance_job_last_success{job="partitions""#).await;

    let receive = "UPDATE sources SET last_received_at = now()
        WHERE id IN (SELECT id FROM sources ORDER BY last_received_at LIMIT 100)";
    database.execute(receive).await;
    let metrics = with(&url, r#"source="gateway-400""#).await;
    assert_eq!(metrics.matches("source=\"").count(), 20, "{metrics}");
}

/// Reads the metrics until they contain `text`.
async fn with(url: &str, text: &str) -> String {
    let mut metrics = String::new();
    for _ in 0..600 {
        if let Ok(response) = reqwest::get(url).await {
            metrics = response.text().await.expect("text");
        }
        if metrics.contains(text) {
            return metrics;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{text}: {metrics}");
}
