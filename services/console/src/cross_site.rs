//! Rejects requests that another site makes a visitor's browser send (CSRF).

use actix_web::{
    HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, header},
    middleware::Next,
};

use crate::{error::Problem, layout::host};

/// Responds with 403 to a request that may change something and does not come from a page of the
/// console.
///
/// # Errors
/// Returns the errors of `next`.
pub async fn reject(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let is_safe = [Method::GET, Method::HEAD].contains(request.method());
    if is_safe || is_same_origin(request.request()) {
        return Ok(next.call(request).await?.map_into_boxed_body());
    }
    let (request, _) = request.into_parts();
    let response = actix_web::ResponseError::error_response(&Problem::cross_site());
    Ok(ServiceResponse::new(request, response).map_into_boxed_body())
}

/// Browsers send `Sec-Fetch-Site`, and pages cannot change it. `Origin` serves clients without it:
/// browsers send `Origin: null` for pages with `Referrer-Policy: no-referrer`.
fn is_same_origin(request: &HttpRequest) -> bool {
    let value = |name: &str| {
        let value = request.headers().get(name);
        value.map(|value| value.to_str().unwrap_or_default())
    };
    if let Some(site) = value("sec-fetch-site") {
        return site == "same-origin";
    }
    value(header::ORIGIN.as_str())
        .and_then(|origin| origin.strip_prefix("https://"))
        .is_some_and(|origin| origin.eq_ignore_ascii_case(&host(request)))
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    #[test]
    fn only_a_request_of_the_same_origin_is_accepted() {
        for (headers, expected) in [
            (vec![("sec-fetch-site", "same-origin")], true),
            (vec![("origin", "https://vip:8443")], true),
            (vec![("origin", "https://VIP:8443")], true),
            (vec![], false),
            (vec![("origin", "null")], false),
            (vec![("origin", "http://vip:8443")], false),
            (vec![("origin", "https://vip")], false),
            (vec![("origin", "https://other")], false),
            (vec![("sec-fetch-site", "same-site")], false),
            (vec![("sec-fetch-site", "none")], false),
            (
                vec![
                    ("sec-fetch-site", "cross-site"),
                    ("origin", "https://vip:8443"),
                ],
                false,
            ),
        ] {
            let mut request = TestRequest::post().insert_header(("x-forwarded-host", "vip:8443"));
            for header in &headers {
                request = request.insert_header(*header);
            }
            let is_accepted = is_same_origin(&request.to_http_request());
            assert_eq!(is_accepted, expected, "{headers:?}");
        }
    }
}
