//! `POST /api/v1/reporting/sessions` (KB008): attendance of a period.

use actix_web::{HttpRequest, HttpResponse, http::header::ContentType, web::Data};
use rollcall_platform::{
    envelope::{Envelope, Problem},
    request::{Body, json_object},
};
use rollcall_store::sessions;
use serde_json::json;

use super::{
    body::{self, Report},
    filters::ReportRequest,
};
use crate::{
    access::Access,
    reports::{Call, Extent, Reports},
};

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
    access: Data<Access>,
    reports: Data<Reports>,
) -> HttpResponse {
    let report = async |client: &str| report(&request, body, client, &reports).await;
    access.respond(&request, report).await
}

async fn report(
    request: &HttpRequest,
    body: Body,
    client: &str,
    reports: &Reports,
) -> Result<HttpResponse, Problem> {
    let asked: ReportRequest = json_object(request, body)?;
    let selection = asked.filters.selection(reports)?;
    let call = Call {
        client,
        action: "v1.reporting.sessions",
        detail: json!(asked),
    };
    let extent = match selection.user {
        Some(_) => Extent::Small,
        None => Extent::Large,
    };
    let report = reports.admit(call, extent).await?;
    let report = report.report(|connection, moment| {
        let moment = (moment.now, moment.timeout);
        Box::pin(sessions::report(connection, &selection, moment))
    });
    let report = report.await?;
    let chunks = body::stream(report.rows, reports.time_zone().clone(), reports.clock());
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::json())
        .streaming(reports.body(report.permit, chunks).await?))
}
