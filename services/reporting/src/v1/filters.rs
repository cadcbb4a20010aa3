//! KB008's `Filters`, parsed once.

use jiff::civil;
use rollcall_attendance::{
    event::TEXT_BYTES,
    period::{parse_date, parse_time},
};
use rollcall_platform::{
    envelope::Problem,
    request::{excerpt, required_text, shown},
};
use rollcall_store::sessions::Selection;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::reports::Reports;

/// The request body, for its documentation; [`Filters::parse`] reads it so that errors name their field.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct ReportRequest {
    /// What is asked for.
    pub filters: FilterFields,
}

/// KB008's filters. Unknown fields are ignored.
#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct FilterFields {
    /// First reporting day.
    #[schema(format = Date, pattern = r"^\d{4}-\d{2}-\d{2}$", example = "2025-01-01")]
    pub start_date: String,
    /// Last reporting day, included.
    #[schema(format = Date, pattern = r"^\d{4}-\d{2}-\d{2}$", example = "2025-01-31")]
    pub end_date: String,
    /// `All Users`, or one user in any case; at most 256 bytes.
    #[schema(
        min_length = 1,
        max_length = 256,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]+$",
        example = "All Users"
    )]
    pub user_name: String,
    /// When a reporting day begins, in the reporting time zone.
    #[schema(pattern = r"^([01]\d|2[0-3]):[0-5]\d:[0-5]\d$", example = "00:00:00")]
    pub start_of_day: String,
    /// Goes into the audit log and selects nothing.
    #[schema(format = Date, pattern = r"^\d{4}-\d{2}-\d{2}$", example = "2025-02-01")]
    pub request_date: String,
    /// One realm in any case, at most 256 bytes; all when absent.
    #[schema(
        min_length = 1,
        max_length = 256,
        pattern = r"^[^\x00-\x1f\x7f-\x9f]+$",
        example = "Default",
        nullable = false
    )]
    pub domain: Option<String>,
}

/// The filters of a request that is right.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct Filters {
    start_date: civil::Date,
    end_date: civil::Date,
    user_name: String,
    start_of_day: civil::Time,
    request_date: civil::Date,
    #[serde(skip_serializing_if = "Option::is_none")]
    domain: Option<String>,
}

const DATE: &str = "a calendar day as YYYY-MM-DD";
const TIME: &str = "a time as HH:MM:SS, from 00:00:00 to 23:59:59";
const USER: &str = "\"All Users\" or one user name of at most 256 bytes";
const REALM: &str = "one realm of at most 256 bytes, or is left out for all";

impl Filters {
    /// Reads the request body.
    ///
    /// # Errors
    /// 400 that names the field, what it got and what it takes.
    pub fn parse(body: &Map<String, Value>) -> Result<Self, Problem> {
        let filters = match body.get("Filters") {
            Some(Value::Object(filters)) => filters,
            Some(other) => {
                return Err(Problem::bad_request(format!(
                    "Filters: got {}, takes an object.",
                    shown(other)
                )));
            }
            None => {
                return Err(Problem::bad_request(
                    "Filters: is missing, takes an object with StartDate, EndDate, UserName, StartOfDay and RequestDate.",
                ));
            }
        };
        Ok(Self {
            start_date: date(filters, "StartDate")?,
            end_date: date(filters, "EndDate")?,
            user_name: name(filters, "UserName", USER)?,
            start_of_day: time(filters, "StartOfDay")?,
            request_date: date(filters, "RequestDate")?,
            domain: filters
                .get("Domain")
                .map(|_| name(filters, "Domain", REALM))
                .transpose()?,
        })
    }

    /// What the filters select.
    ///
    /// # Errors
    /// 400 when the days make no period.
    pub fn selection(&self, reports: &Reports) -> Result<Selection, Problem> {
        let period = reports
            .period(self.start_date, self.end_date, self.start_of_day)
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

fn date(filters: &Map<String, Value>, field: &str) -> Result<civil::Date, Problem> {
    let text = required_text(filters, field, DATE)?;
    parse_date(text).ok_or_else(|| wrong(field, text, DATE))
}

fn time(filters: &Map<String, Value>, field: &str) -> Result<civil::Time, Problem> {
    let text = required_text(filters, field, TIME)?;
    parse_time(text).ok_or_else(|| wrong(field, text, TIME))
}

fn name(filters: &Map<String, Value>, field: &str, takes: &str) -> Result<String, Problem> {
    let text = required_text(filters, field, takes)?;
    let good = (1..=TEXT_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
    good.then(|| text.to_owned())
        .ok_or_else(|| wrong(field, text, takes))
}

fn wrong(field: &str, got: &str, takes: &str) -> Problem {
    Problem::bad_request(format!("{field}: got {}, takes {takes}.", excerpt(got)))
}
