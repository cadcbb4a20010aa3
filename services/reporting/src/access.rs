//! What every request for data needs: a token with the scope, and a request left in the rate limit.

use actix_web::{
    HttpRequest, HttpResponse, ResponseError,
    http::header::{CACHE_CONTROL, HeaderValue},
};
use rollcall_platform::{
    envelope::Problem,
    token::{REPORTING_READ, Verifier},
};

use crate::rate_limit::RateLimit;

/// Admits API clients.
pub struct Access {
    verifier: Verifier,
    rate_limit: RateLimit,
}

impl Access {
    /// Creates the access of API clients with valid tokens within `rate_limit`.
    #[must_use]
    pub fn new(verifier: Verifier, rate_limit: RateLimit) -> Self {
        Self {
            verifier,
            rate_limit,
        }
    }

    /// Returns the response that `handle` makes for the API client of the request, or the problem
    /// of the token or of the rate limit. The response carries the headers of the rate limit, and no
    /// cache may store it.
    pub async fn respond(
        &self,
        request: &HttpRequest,
        handle: impl AsyncFnOnce(&str) -> Result<HttpResponse, Problem>,
    ) -> HttpResponse {
        let response = self.admit(request, handle).await;
        let mut response = response.unwrap_or_else(|problem| problem.error_response());
        let no_store = HeaderValue::from_static("no-store");
        response.headers_mut().insert(CACHE_CONTROL, no_store);
        response
    }

    async fn admit(
        &self,
        request: &HttpRequest,
        handle: impl AsyncFnOnce(&str) -> Result<HttpResponse, Problem>,
    ) -> Result<HttpResponse, Problem> {
        let client = self.verifier.authorize(request, REPORTING_READ).await?.sub;
        let (standing, response) = match self.rate_limit.check(&client) {
            Ok(standing) => (standing, handle(&client).await),
            Err(standing) => {
                let problem = standing.problem();
                (standing, Err(problem))
            }
        };
        let mut response = response.unwrap_or_else(|problem| problem.error_response());
        standing.write_to(response.headers_mut());
        Ok(response)
    }
}
