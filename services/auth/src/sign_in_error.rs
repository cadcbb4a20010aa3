//! Reasons for rejecting a sign-in.

use actix_web::http::{StatusCode, header};
use rollcall_platform::envelope::Problem;

/// Reason for rejecting a sign-in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The name is unknown, the password is wrong, or the client is locked or disabled. The caller
    /// cannot distinguish these.
    #[error(
        "User name or password is wrong, or the API client is locked or disabled. \
         Check them; the operator can rotate the password."
    )]
    Wrong,
    /// The caller's address has too many sign-ins in flight, or too many failed ones.
    #[error(
        "Too many sign-ins from this address are waiting or have failed. Wait as \
         Retry-After says, then repeat the call."
    )]
    TooMany,
    /// The queue for hashing is full.
    #[error("Too many sign-ins are waiting. Repeat the call.")]
    Busy,
    /// The database does not answer. The cause is in the log.
    #[error(
        "The API clients cannot be looked up now: the database does not answer. Repeat the call."
    )]
    Unavailable,
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        let message = error.to_string();
        match error {
            SignInError::Wrong => Self::unauthorized(message),
            SignInError::TooMany => Self::new(StatusCode::TOO_MANY_REQUESTS, message)
                .with_static(header::RETRY_AFTER, "1"),
            SignInError::Busy | SignInError::Unavailable => Self::unavailable(message),
        }
    }
}

impl From<rollcall_store::Error> for SignInError {
    fn from(error: rollcall_store::Error) -> Self {
        tracing::error!(%error, "Failed to check a sign-in: the database does not answer");
        Self::Unavailable
    }
}
