//! Compresses responses for clients that ask for it. A response that breaks off stays recognizable
//! as broken: it has neither the end of the compressed data nor the last chunk of HTTP.

use actix_web::{
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{StatusCode, header::CONTENT_ENCODING},
    middleware::Next,
};
use rollcall_platform::envelope::Problem;
use rollcall_reports::COMPRESSED_ALREADY;

/// Completes the responses of actix's `Compress`, which this middleware surrounds.
///
/// # Errors
/// Returns the errors of `next`.
pub async fn complete(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let mut response = next.call(request).await?.map_into_boxed_body();
    let headers = response.headers_mut();
    // RFC 9110, section 8.4: `identity` should not be sent.
    if headers
        .get(CONTENT_ENCODING)
        .is_some_and(|value| value == COMPRESSED_ALREADY)
    {
        headers.remove(CONTENT_ENCODING);
    }
    let is_problem = response.response().extensions().contains::<Problem>();
    if response.status() == StatusCode::NOT_ACCEPTABLE && !is_problem {
        return Ok(response.error_response(not_acceptable()));
    }
    Ok(response)
}

fn not_acceptable() -> Problem {
    Problem::new(
        StatusCode::NOT_ACCEPTABLE,
        "Accept-Encoding must allow one of identity, gzip, deflate, zstd.",
    )
}
