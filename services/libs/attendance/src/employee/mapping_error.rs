//! Errors of mappings.

use jiff::civil::Date;
use rollcall_wire::quote::quoted;

use crate::text::TextError;

/// A field of a mapping that is missing or invalid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {fault}")]
pub struct MappingError {
    /// Name of the field.
    pub field: &'static str,
    /// The fault of the field.
    pub fault: Fault,
}

/// A fault of a field of a mapping. `Display` writes the rest of the sentence that begins
/// with the name of the field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The field is required.
    #[error("is missing; it must be a text of 1 to {max_bytes} bytes")]
    Missing {
        /// Maximum length of the text.
        max_bytes: usize,
    },
    /// The text is invalid.
    #[error(transparent)]
    Text(#[from] TextError),
    /// There is no calendar with this name.
    #[error("must be one of {accepted} (got {})", quoted(name))]
    UnknownCalendar {
        /// The name.
        name: String,
        /// Names of all calendars.
        accepted: String,
    },
    /// The text is no date.
    #[error("must be a calendar date in the form YYYY-MM-DD (got {})", quoted(.0))]
    NoDate(String),
    /// The last day is before the first day.
    #[error("must not be before valid_from (got {from} and {to})")]
    EndBeforeStart {
        /// First day.
        from: Date,
        /// Last day.
        to: Date,
    },
}
