//! The OpenAPI document of version 1, and the page on which all documents can be read and tried.

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
use rollcall_platform::{
    openapi::with_client_credentials, server::not_found, token::REPORTING_READ,
};
use utoipa::OpenApi;
use utoipa_swagger_ui::{Config, SwaggerUi, Url, oauth};

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
    let documents = [
        (
            "Reporting, version 1 (KB008)",
            "/api/v1/reporting/openapi.json",
        ),
        ("Reporting, version 2", "/api/v2/openapi.json"),
        ("Tokens", "/api/v1/auth/openapi.json"),
        ("Ingestion", "/api/v1/ingestion/openapi.json"),
    ];
    let documents = documents.map(|(name, path)| Url::new(name, path));
    // Disable the online validator. Otherwise the browser would send the address of this API to a
    // third party.
    let config = Config::new(documents).validator_url("none");
    let scopes = vec![REPORTING_READ.to_owned()];
    web::scope("/api/docs")
        .wrap(from_fn(harden))
        .wrap(Compress::default())
        .service(
            SwaggerUi::new("/{_:.*}")
                .config(config)
                .oauth(oauth::Config::new().scopes(scopes)),
        )
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
