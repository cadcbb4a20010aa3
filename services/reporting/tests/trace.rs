//! Spans of a report.

use rollcall_test_support::{Rollcall, Spans};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn trace_of_a_report_shows_redis_audit_log_and_the_query() {
    let spans = Spans::record();
    let rollcall = Rollcall::start().await;
    let token = rollcall.token("reporting:read").await;
    for user in ["user_4", "All Users"] {
        let filters = json!({
            "StartDate": "2025-01-01", "EndDate": "2025-01-31", "UserName": user,
            "StartOfDay": "00:00:00", "RequestDate": "2025-02-01",
        });
        assert_eq!(rollcall.report(&token, &filters).await.status(), 200);
    }
    spans.assert_contain(&[
        "token.verify/redis.contains",
        "database.audit_log.write_for_client",
        "report.short/database.sessions.report",
        "report.permit",
        "report.first_row/database.sessions.report",
    ]);
}
