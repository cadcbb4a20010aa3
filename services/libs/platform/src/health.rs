//! `/health/live` and `/health/ready` on the internal port, and a client of `/health/ready`.

use std::{sync::Arc, time::Duration};

use actix_web::{HttpResponse, web};
use futures::future::{BoxFuture, join_all};
use serde_json::json;

/// Checks a dependency of a service. The error says what is wrong and what to do.
pub type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// Creates a check from an async closure.
pub fn check<F, A>(ask: F) -> Check
where
    F: Fn() -> A + Send + Sync + 'static,
    A: Future<Output = Result<(), String>> + Send + 'static,
{
    Arc::new(move || Box::pin(ask()))
}

pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({"status": "live"}))
}

pub(crate) async fn ready(checks: web::Data<Vec<Check>>) -> HttpResponse {
    let missing: Vec<String> = join_all(checks.iter().map(|check| check()))
        .await
        .into_iter()
        .filter_map(Result::err)
        .collect();
    if missing.is_empty() {
        HttpResponse::Ok().json(json!({"status": "ready", "missing": missing}))
    } else {
        HttpResponse::ServiceUnavailable().json(json!({"status": "not ready", "missing": missing}))
    }
}

/// Checks whether the service in this container is ready.
///
/// # Errors
/// The service is not ready, or does not answer within 4 seconds. The error says what is missing.
pub async fn probe(port: u16) -> Result<(), String> {
    let client = reqwest::Client::builder()
        .timeout(Duration::from_secs(4))
        .build()
        .map_err(|error| error.to_string())?;
    let response = client
        .get(format!("http://127.0.0.1:{port}/health/ready"))
        .send()
        .await
        .map_err(|error| error.to_string())?;
    let is_ready = response.status().is_success();
    let body = response.text().await.unwrap_or_default();
    if is_ready { Ok(()) } else { Err(body) }
}
