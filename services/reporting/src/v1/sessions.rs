//! `POST /api/v1/reporting/sessions` (KB008): attendance of a period.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, ContentType, HeaderValue, RETRY_AFTER},
    },
    web::Data,
};
use rollcall_platform::{
    envelope::{Envelope, Problem},
    request::{Body, json_object},
    token::{REPORTING_READ, TokenError, Verifier},
};
use serde_json::json;

use super::{
    body::{self, Report},
    filters::ReportRequest,
};
use crate::{
    rate_limit::RateLimit,
    reports::{Reports, Unavailable},
};

/// `Retry-After` of a large report that got no permit, in seconds.
const STREAM_RETRY_SECONDS: u16 = 10;

impl From<Unavailable> for Problem {
    fn from(unavailable: Unavailable) -> Self {
        let message = unavailable.to_string();
        match unavailable {
            Unavailable::ClientDisabled => TokenError::Revoked.into(),
            Unavailable::TooManyOfClient(_) => Self::new(StatusCode::TOO_MANY_REQUESTS, message)
                .with_header(RETRY_AFTER, STREAM_RETRY_SECONDS),
            Unavailable::TooMany(_) => {
                Self::unavailable(message).with_header(RETRY_AFTER, STREAM_RETRY_SECONDS)
            }
            _ => Self::unavailable(message),
        }
    }
}

/// Returns the first login and the last logout of each user with a session that began in the
/// period.
#[utoipa::path(post, path = "/api/v1/reporting/sessions", operation_id = "getAttendanceReport",
    tag = "Reports", security(("token" = ["reporting:read"])), request_body = ReportRequest,
    responses(
    (status = 200, body = Report),
    (status = 400, description = "A field is missing or wrong; the message names it",
        body = Envelope),
    (status = 401, description = "The token is missing, bad, expired or revoked", body = Envelope,
        headers(("WWW-Authenticate" = String))),
    (status = 403, description = "The API client lacks the scope reporting:read", body = Envelope,
        headers(("WWW-Authenticate" = String))),
    (status = 413, description = "The body is too large", body = Envelope),
    (status = 415, description = "The body is not application/json", body = Envelope),
    (status = 429, body = Envelope,
        description = "The API client sends too many requests, or has too many large reports running",
        headers(("Retry-After" = u32), ("RateLimit" = String), ("RateLimit-Policy" = String))),
    (status = 503, body = Envelope,
        description = "The database or the token store is down, or too many large reports run",
        headers(("Retry-After" = u32))),
))]
pub async fn sessions(
    request: HttpRequest,
    body: Body,
    verifier: Data<Verifier>,
    rate_limit: Data<RateLimit>,
    reports: Data<Reports>,
) -> HttpResponse {
    let response = respond(&request, body, &verifier, &rate_limit, &reports).await;
    let mut response = response.unwrap_or_else(|problem| problem.error_response());
    let no_store = HeaderValue::from_static("no-store");
    response.headers_mut().insert(CACHE_CONTROL, no_store);
    response
}

async fn respond(
    request: &HttpRequest,
    body: Body,
    verifier: &Verifier,
    rate_limit: &RateLimit,
    reports: &Reports,
) -> Result<HttpResponse, Problem> {
    let client = verifier.authorize(request, REPORTING_READ).await?.sub;
    let (standing, report) = match rate_limit.check(&client) {
        Ok(standing) => (standing, report(request, body, &client, reports).await),
        Err(standing) => {
            let problem = standing.problem();
            (standing, Err(problem))
        }
    };
    let mut response = report.unwrap_or_else(|problem| problem.error_response());
    standing.write_to(response.headers_mut());
    Ok(response)
}

async fn report(
    request: &HttpRequest,
    body: Body,
    client: &str,
    reports: &Reports,
) -> Result<HttpResponse, Problem> {
    let asked: ReportRequest = json_object(request, body)?;
    let selection = asked.filters.selection(reports)?;
    let detail = json!(asked);
    let report = reports
        .report(&selection, client, "v1.reporting.sessions", detail)
        .await?;
    let chunks = body::stream(report.rows, reports.time_zone().clone(), reports.clock());
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::json())
        .streaming(reports.body(report.permit, chunks)))
}
