//! `POST /api/v1/reporting/sessions` (KB008): attendance of a period.

use actix_web::{HttpRequest, HttpResponse, http::header::ContentType, web::Data};
use rollcall_platform::{
    envelope::{Envelope, Problem},
    request::{Body, json_object},
    token::{REPORTING_READ, Verifier},
};
use serde_json::json;

use super::{
    body::{self, Report},
    filters::{Filters, ReportRequest},
};
use crate::reports::{Reports, Unavailable};

impl From<Unavailable> for Problem {
    fn from(unavailable: Unavailable) -> Self {
        Self::unavailable(unavailable.to_string())
    }
}

/// First login and last logout of each user with a session that began in the period.
#[utoipa::path(post, path = "/api/v1/reporting/sessions", security(("token" = [])), request_body = ReportRequest, responses(
    (status = 200, body = Report),
    (status = 400, description = "A field is missing or wrong; the message names it", body = Envelope),
    (status = 401, description = "The token is missing, bad, expired or revoked", body = Envelope, headers(("WWW-Authenticate" = String))),
    (status = 403, description = "The API client lacks the scope reporting:read", body = Envelope, headers(("WWW-Authenticate" = String))),
    (status = 413, description = "The body is too large", body = Envelope),
    (status = 415, description = "The body is not application/json", body = Envelope),
    (status = 503, description = "The reporting database or the token store is down", body = Envelope, headers(("Retry-After" = u32))),
))]
pub async fn sessions(
    request: HttpRequest,
    body: Body,
    verifier: Data<Verifier>,
    reports: Data<Reports>,
) -> Result<HttpResponse, Problem> {
    let claims = verifier.authorize(&request, REPORTING_READ).await?;
    let filters = Filters::parse(&json_object(&request, body)?)?;
    let selection = filters.selection(&reports)?;
    let detail = json!({"Filters": filters});
    let rows = reports
        .rows(selection, &claims.sub, "v1.reporting.sessions", detail)
        .await?;
    let body = body::stream(rows, reports.time_zone().clone(), reports.clock());
    Ok(HttpResponse::Ok()
        .insert_header(ContentType::json())
        .streaming(body))
}
