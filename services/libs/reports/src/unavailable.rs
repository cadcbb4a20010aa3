//! Reasons why there is no report.

use actix_web::http::{StatusCode, header::RETRY_AFTER};
use rollcall_exports::EncodeError;
use rollcall_platform::{envelope::Problem, token::TokenError};

use crate::streams::feed::CutError;

/// `Retry-After` of a large report that got no permit, in seconds.
const STREAM_RETRY_SECONDS: u16 = 10;

/// Reason why there is no report. The cause is in the log.
#[derive(Debug, thiserror::Error)]
pub enum Unavailable {
    /// KB008: the reporting database must be enabled.
    #[error("The reporting database is off. Ask the operator to set reporting.database_enabled.")]
    Off,
    /// The database does not answer.
    #[error(
        "The reporting database is unreachable. Repeat the call; on the gateway, scripts/status \
         says more."
    )]
    Unreachable,
    /// The database takes too long.
    #[error(
        "The reporting database took too long to answer. Repeat the call later, or ask for fewer \
         days."
    )]
    TooSlow,
    /// The workbooks that are being written are too large together.
    #[error(
        "The scratch space for workbooks is full. Wait as Retry-After says, then repeat the call; \
         or ask for fewer days, or for another format."
    )]
    ScratchFull,
    /// The database lacks migrations.
    #[error(
        "The reporting database is not yet migrated. Repeat the call when the gateway has \
         finished its update."
    )]
    NotMigrated,
    /// A row cannot be written.
    #[error("The report cannot be written.")]
    Failed(EncodeError),
    /// The API client is disabled or gone: its tokens have ended.
    #[error("The API client is disabled.")]
    ClientDisabled,
    /// The API client has the maximum number of streams.
    #[error(
        "This API client has {0} large reports running already. Wait as Retry-After says, then \
         repeat the call."
    )]
    TooManyOfClient(u32),
    /// All clients together have the maximum number of streams.
    #[error(
        "There are {0} large reports running already. Wait as Retry-After says, then repeat the \
         call."
    )]
    TooMany(u32),
}

impl From<rollcall_store::Error> for Unavailable {
    fn from(error: rollcall_store::Error) -> Self {
        tracing::error!(%error, "Failed to create a report");
        match error {
            rollcall_store::Error::NotMigrated => Self::NotMigrated,
            rollcall_store::Error::TooSlow(_) => Self::TooSlow,
            _ => Self::Unreachable,
        }
    }
}

impl From<CutError> for Unavailable {
    fn from(error: CutError) -> Self {
        match error {
            CutError::Database(error) => error.into(),
            CutError::Scratch(_) | CutError::Encode(EncodeError::Scratch(_)) => Self::ScratchFull,
            CutError::Encode(error) => Self::Failed(error),
            CutError::TooSlow | CutError::TooLong => Self::TooSlow,
        }
    }
}

impl From<Unavailable> for Problem {
    fn from(unavailable: Unavailable) -> Self {
        let message = unavailable.to_string();
        match unavailable {
            Unavailable::Failed(error) => Self::internal(&error),
            Unavailable::ClientDisabled => TokenError::Revoked.into(),
            Unavailable::TooManyOfClient(_) => Self::new(StatusCode::TOO_MANY_REQUESTS, message)
                .with_header(RETRY_AFTER, STREAM_RETRY_SECONDS),
            Unavailable::TooMany(_) | Unavailable::ScratchFull => {
                Self::unavailable(message).with_header(RETRY_AFTER, STREAM_RETRY_SECONDS)
            }
            _ => Self::unavailable(message),
        }
    }
}
