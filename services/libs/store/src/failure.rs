//! Determines from the SQLSTATE why a batch of events was not recorded (appendix A of the
//! PostgreSQL documentation).

use tokio_postgres::{
    Error,
    error::{DbError, SqlState},
};

/// SQLSTATE classes of errors that are not caused by the events: connection, transaction state,
/// serialization, privileges and missing tables, resources, prerequisites, operator intervention,
/// system, internal.
const PASSING_CLASSES: [&str; 9] = ["08", "25", "40", "42", "53", "55", "57", "58", "XX"];

/// Reason why no event of a batch was recorded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The database is not available. The same batch may succeed later.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// The data of an event is invalid.
    #[error("the database refused the data: {0}")]
    Refused(String),
    /// The cause is unknown: either the database or an event.
    #[error("the database failed with SQLSTATE {sqlstate}: {message}")]
    Unknown {
        /// SQLSTATE of the error.
        sqlstate: String,
        /// Message of the database.
        message: String,
    },
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        error.as_db_error().map_or_else(
            || Self::Unavailable(error.to_string()),
            |error| Self::of(error.code(), error.constraint(), error),
        )
    }
}

impl Failure {
    fn of(code: &SqlState, constraint: Option<&str>, error: &DbError) -> Self {
        let message = error.message().to_owned();
        match cause(code.code(), constraint) {
            Cause::Database => Self::Unavailable(format!("{}: {message}", code.code())),
            Cause::Event => Self::Refused(message),
            Cause::Unknown => Self::Unknown {
                sqlstate: code.code().to_owned(),
                message,
            },
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Cause {
    Database,
    Event,
    Unknown,
}

fn cause(sqlstate: &str, constraint: Option<&str>) -> Cause {
    let class = sqlstate.get(..2).unwrap_or_default();
    match (sqlstate, constraint) {
        // A check violation without a constraint means that a partition is missing.
        ("23514", None) => Cause::Database,
        ("23502" | "23514", _) => Cause::Event,
        _ if class == "22" => Cause::Event,
        _ if PASSING_CLASSES.contains(&class) => Cause::Database,
        _ => Cause::Unknown,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlstate_tells_errors_of_the_event_from_errors_of_the_database() {
        for (sqlstate, constraint, expected) in [
            ("22008", None, Cause::Event),
            ("22021", None, Cause::Event),
            ("23502", None, Cause::Event),
            ("23514", Some("events_kind_check"), Cause::Event),
            ("23514", None, Cause::Database),
            ("08006", None, Cause::Database),
            ("25006", None, Cause::Database),
            ("40P01", None, Cause::Database),
            ("42501", None, Cause::Database),
            ("53100", None, Cause::Database),
            ("55P03", None, Cause::Database),
            ("57014", None, Cause::Database),
            ("58030", None, Cause::Database),
            ("XX001", None, Cause::Database),
            ("23503", Some("a_key"), Cause::Unknown),
            ("54000", None, Cause::Unknown),
            ("P0001", None, Cause::Unknown),
        ] {
            assert_eq!(cause(sqlstate, constraint), expected, "{sqlstate}");
        }
    }
}
