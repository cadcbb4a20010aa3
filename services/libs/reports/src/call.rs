//! A request for data, and its size.

use serde_json::Value;

/// Size of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Few persons. The report fits into memory, takes little time and needs no permit.
    Small,
    /// Any number of persons. The report needs a permit.
    Large,
}

/// Maximum number of users and employees of a small report.
const MAX_SMALL: usize = 10;

impl Extent {
    /// Returns the extent of a report on this number of users and employees. 0 stands for all.
    #[must_use]
    pub fn of_persons(number: usize) -> Self {
        if (1..=MAX_SMALL).contains(&number) {
            Self::Small
        } else {
            Self::Large
        }
    }
}

/// A request for data, as it is written into the audit log.
#[derive(Debug)]
pub struct Call<'a> {
    /// Name of the API client.
    pub client: &'a str,
    /// Name of the action, such as `v2.attendance`.
    pub action: &'static str,
    /// The parameters.
    pub detail: Value,
}
