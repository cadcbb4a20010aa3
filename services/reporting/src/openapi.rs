//! The OpenAPI document of this service, and the page on which all three can be read and tried.

use actix_web::{
    HttpResponse,
    body::MessageBody,
    dev::{HttpServiceFactory, ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{self, CONTENT_TYPE, HeaderValue},
    },
    middleware::{Compress, Next, from_fn},
    web,
};
use rollcall_platform::{openapi::with_client_credentials, server::not_found};
use utoipa::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi};

use crate::v1;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Rollcall: reporting",
        description = "Attendance reports (KB008)."
    ),
    paths(v1::sessions::sessions)
)]
struct Document;

/// `GET /api/v1/reporting/openapi.json`.
pub async fn document() -> HttpResponse {
    HttpResponse::Ok().json(with_client_credentials(Document::openapi(), "token"))
}

/// Permits only what Swagger UI needs: its own files, and the images in its style sheet.
const CONTENT_SECURITY_POLICY: &str = "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /api/docs/`: Swagger UI, from this binary alone.
pub fn page() -> impl HttpServiceFactory {
    let documents =
        ["reporting", "auth", "ingestion"].map(|service| format!("/api/v1/{service}/openapi.json"));
    // Disable the online validator. Otherwise the browser would send the address of this API to a
    // third party.
    let config = Config::new(documents).validator_url("none");
    web::scope("/api/docs")
        .wrap(from_fn(harden))
        .wrap(Compress::default())
        .service(SwaggerUi::new("/{_:.*}").config(config))
}

async fn harden(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let mut response = next.call(request).await?.map_into_boxed_body();
    if response.status() == StatusCode::NOT_FOUND {
        response = response.error_response(not_found());
    }
    let headers = response.headers_mut();
    if headers.get(CONTENT_TYPE) == Some(&HeaderValue::from_static("text/html")) {
        let html = HeaderValue::from_static("text/html; charset=utf-8");
        headers.insert(CONTENT_TYPE, html);
    }
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, CONTENT_SECURITY_POLICY),
        (header::REFERRER_POLICY, "no-referrer"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    Ok(response)
}
