//! The request of a report (KB008), parsed once.

use jiff::civil;
use rollcall_attendance::{
    calendar::Calendar,
    event::TEXT_BYTES,
    period::{parse_date, parse_time},
};
use rollcall_platform::envelope::Problem;
use rollcall_store::sessions::Selection;
use rollcall_wire::json;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use crate::reports::Reports;

/// The request body. Unknown fields are ignored.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ReportRequest {
    /// Selection of the sessions.
    #[serde(deserialize_with = "filters")]
    pub filters: Filters,
}

/// The filters of KB008. Unknown fields are ignored.
#[derive(Debug, Clone, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Filters {
    /// First reporting day.
    #[serde(deserialize_with = "date")]
    #[schema(
        value_type = String,
        format = Date,
        pattern = r"^\d{4}-\d{2}-\d{2}$",
        example = "2025-01-01"
    )]
    start_date: civil::Date,
    /// Last reporting day, included.
    #[serde(deserialize_with = "date")]
    #[schema(
        value_type = String,
        format = Date,
        pattern = r"^\d{4}-\d{2}-\d{2}$",
        example = "2025-01-31"
    )]
    end_date: civil::Date,
    /// `All Users`, or one user in any case, of at most 256 bytes.
    #[serde(deserialize_with = "user_name")]
    #[schema(
        min_length = 1,
        max_length = 256,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]+$",
        example = "All Users"
    )]
    user_name: String,
    /// Start of a reporting day, in the reporting time zone.
    #[serde(deserialize_with = "time")]
    #[schema(
        value_type = String,
        pattern = r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$",
        example = "00:00:00"
    )]
    start_of_day: civil::Time,
    /// Date that is written to the audit log. It selects nothing.
    #[serde(deserialize_with = "date")]
    #[schema(
        value_type = String,
        format = Date,
        pattern = r"^\d{4}-\d{2}-\d{2}$",
        example = "2025-02-01"
    )]
    request_date: civil::Date,
    /// Realm in any case, of at most 256 bytes. The default is all realms.
    #[serde(
        default,
        deserialize_with = "realm",
        skip_serializing_if = "Option::is_none"
    )]
    #[schema(
        min_length = 1,
        max_length = 256,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]+$",
        example = "Default",
        nullable = false
    )]
    domain: Option<String>,
}

impl Filters {
    /// Returns the selection of sessions.
    ///
    /// # Errors
    /// 400 if the dates are no period.
    pub fn selection(&self, reports: &Reports) -> Result<Selection, Problem> {
        let calendar = Calendar {
            start_of_day: self.start_of_day,
            ..reports.default_calendar()
        };
        let period = reports
            .period(self.start_date, self.end_date, &calendar)
            .map_err(|error| Problem::bad_request(format!("StartDate, EndDate: {error}.")))?;
        let user =
            (!self.user_name.eq_ignore_ascii_case("All Users")).then(|| self.user_name.clone());
        Ok(Selection {
            period,
            user,
            realm: self.domain.clone(),
        })
    }
}

fn filters<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Filters, D::Error> {
    let accepted = "a JSON object with StartDate, EndDate, UserName, StartOfDay and RequestDate";
    json::object(deserializer, accepted)
}

fn date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<civil::Date, D::Error> {
    let accepted = "a calendar date in the form YYYY-MM-DD";
    json::text(deserializer, accepted, parse_date)
}

fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<civil::Time, D::Error> {
    let accepted = "a time in the form HH:MM:SS, from 00:00:00 to 23:59:59";
    json::text(deserializer, accepted, parse_time)
}

fn user_name<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let accepted = "\"All Users\" or one user name of 1 to 256 bytes without control characters";
    json::text(deserializer, accepted, parse_name)
}

fn realm<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let accepted = "one realm of 1 to 256 bytes without control characters, or absent";
    json::text(deserializer, accepted, parse_name).map(Some)
}

fn parse_name(text: &str) -> Option<String> {
    let is_valid = (1..=TEXT_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
    is_valid.then(|| text.to_owned())
}
