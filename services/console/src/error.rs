//! Errors as pages.

use std::fmt;

use actix_web::{
    HttpResponse, ResponseError,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        StatusCode,
        header::{LOCATION, RETRY_AFTER},
    },
    middleware::Next,
};
use maud::html;
use rollcall_platform::redis;
use rollcall_reports::Unavailable;

use crate::layout::{self, Frame};

/// An error as the visitor sees it. Its sentence is a message of `messages/`.
#[derive(Debug, Clone)]
pub struct Problem {
    status: StatusCode,
    key: &'static str,
    values: Vec<(&'static str, String)>,
    location: Option<String>,
}

impl Problem {
    /// Creates an error with the message `key`, in which the values replace `{name}`.
    #[must_use]
    pub fn new(status: StatusCode, key: &'static str, values: &[(&'static str, &str)]) -> Self {
        let values = values
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned()));
        Self {
            status,
            key,
            values: values.collect(),
            location: None,
        }
    }

    /// Creates a 400. The message must say which field is wrong and what the field accepts.
    #[must_use]
    pub fn bad_request(key: &'static str, values: &[(&'static str, &str)]) -> Self {
        Self::new(StatusCode::BAD_REQUEST, key, values)
    }

    /// Creates a 404.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "error.not_found", &[])
    }

    /// Creates a 403 for a visitor whose API client lacks a scope.
    #[must_use]
    pub fn forbidden(scope: &str) -> Self {
        let values = [("scope", scope)];
        Self::new(StatusCode::FORBIDDEN, "error.forbidden", &values)
    }

    /// Creates a 403 for a request that another site may have caused.
    #[must_use]
    pub fn cross_site() -> Self {
        Self::new(StatusCode::FORBIDDEN, "error.cross_site", &[])
    }

    /// Creates a 503.
    #[must_use]
    pub fn unavailable(key: &'static str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, key, &[])
    }

    /// Redirects a visitor without a session to the sign-in, and from there back to `path`.
    #[must_use]
    pub fn signed_out(path: &str) -> Self {
        // A list of pairs can always be encoded.
        let query = serde_urlencoded::to_string([("next", path)]).unwrap_or_default();
        Self {
            location: Some(format!("/console/sign-in?{query}")),
            ..Self::new(StatusCode::SEE_OTHER, "sign_in.title", &[])
        }
    }

    /// Returns the error as a page.
    #[must_use]
    pub fn page(&self, frame: &Frame) -> HttpResponse {
        let values: Vec<(&str, &str)> = self
            .values
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let title = self.title(frame);
        let mut response = layout::page_with_status(
            self.status,
            frame,
            title,
            html! { p role="alert" { (frame.language.with(self.key, &values)) } },
        );
        let headers = response.headers_mut();
        if let Some(location) = self.location.as_ref().and_then(|path| path.parse().ok()) {
            headers.insert(LOCATION, location);
        }
        if [
            StatusCode::TOO_MANY_REQUESTS,
            StatusCode::SERVICE_UNAVAILABLE,
        ]
        .contains(&self.status)
        {
            headers.insert(RETRY_AFTER, 1.into());
        }
        response
    }

    fn title(&self, frame: &Frame) -> &'static str {
        frame.language.text(match self.status {
            StatusCode::SEE_OTHER => "sign_in.title",
            StatusCode::NOT_FOUND => "error.title_not_found",
            StatusCode::FORBIDDEN => "error.title_forbidden",
            StatusCode::SERVICE_UNAVAILABLE => "error.title_unavailable",
            _ => "error.title",
        })
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.key)
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status);
        response.extensions_mut().insert(self.clone());
        response
    }
}

impl From<rollcall_store::Error> for Problem {
    fn from(error: rollcall_store::Error) -> Self {
        tracing::error!(%error, "Failed to create a page: the database does not answer");
        Self::unavailable(match error {
            rollcall_store::Error::TooSlow(_) => "error.too_slow",
            rollcall_store::Error::NotMigrated => "error.not_migrated",
            _ => "error.database",
        })
    }
}

impl From<Unavailable> for Problem {
    fn from(unavailable: Unavailable) -> Self {
        match unavailable {
            Unavailable::ClientDisabled => Self::signed_out("/console/"),
            Unavailable::TooManyOfClient(_) | Unavailable::TooMany(_) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, "error.too_many_reports", &[])
            }
            Unavailable::Off => Self::unavailable("error.database_off"),
            Unavailable::TooSlow => Self::unavailable("error.too_slow"),
            Unavailable::NotMigrated => Self::unavailable("error.not_migrated"),
            Unavailable::ScratchFull => Self::unavailable("error.scratch_full"),
            _ => Self::unavailable("error.database"),
        }
    }
}

impl From<redis::UnavailableError> for Problem {
    fn from(_: redis::UnavailableError) -> Self {
        Self::unavailable("error.sessions")
    }
}

/// Writes the page of a response that is a [`Problem`]. The problem itself knows no language.
///
/// # Errors
/// Returns the errors of `next`.
pub async fn respond(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<impl MessageBody>, actix_web::Error> {
    let mut response = next.call(request).await?.map_into_boxed_body();
    let problem = response.response_mut().extensions_mut().remove::<Problem>();
    let Some(problem) = problem else {
        return Ok(response);
    };
    let page = problem.page(&Frame::of(response.request()));
    Ok(response.into_response(page))
}
