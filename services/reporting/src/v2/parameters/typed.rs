//! Parameters of the types that several endpoints take.

use std::{fmt, str::FromStr};

use jiff::{civil::Date, tz::TimeZone};
use rollcall_attendance::{event::TEXT_BYTES, period::parse_date};
use rollcall_wire::quote::quoted;
use serde::de::{DeserializeOwned, IntoDeserializer, value};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

use super::Parameters;
use crate::v2::cursor::QueryDigest;

/// Maximum and default number of items of a page.
const MAX_LIMIT: u32 = 10_000;
const DEFAULT_LIMIT: u32 = 1_000;
const NAME: &str = "a name of 1 to 256 bytes without control characters";

/// Value of `limit`.
pub struct Limit;

impl PartialSchema for Limit {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::Integer)
            .minimum(Some(1))
            .maximum(Some(MAX_LIMIT))
            .default(Some(DEFAULT_LIMIT.into()))
            .into()
    }
}

impl ToSchema for Limit {}

/// The part of a list that a request asks for.
#[derive(Debug)]
pub struct PageParameters<P> {
    /// Maximum number of items.
    pub limit: u32,
    /// Position of the last item of the page before. None for the first page.
    pub after: Option<P>,
    /// Identifies the query in the cursor of the next page.
    pub query: QueryDigest,
}

impl Parameters {
    /// Takes one of the words that `T` names.
    pub fn word<T: DeserializeOwned>(&mut self, name: &'static str) -> Option<T> {
        let text = self.one(name, "a word", |text| Some(text.to_owned()))?;
        let word = T::deserialize(text.as_str().into_deserializer());
        word.map_err(|error: value::Error| {
            let error = error.to_string().replace('`', "");
            let accepted = error
                .rsplit_once("expected ")
                .map_or("", |(_, words)| words);
            let message = format!("must be {accepted} (got {})", quoted(&text));
            self.fail(name, message);
        })
        .ok()
    }

    /// Takes `true` or `false`. The default is false.
    pub fn flag(&mut self, name: &'static str) -> bool {
        self.one(name, "true or false", |text| text.parse().ok())
            .unwrap_or_default()
    }

    /// Takes names, such as users or realms, in any case.
    pub fn names(&mut self, name: &'static str) -> Vec<String> {
        self.many(name, NAME, parse_name)
    }

    /// Takes a required calendar date.
    pub fn date(&mut self, name: &'static str) -> Option<Date> {
        self.required(name, "a calendar date in the form YYYY-MM-DD", parse_date)
    }

    /// Takes an optional time zone.
    pub fn time_zone(&mut self) -> Option<TimeZone> {
        let accepted = "an IANA time zone such as Asia/Kolkata";
        self.one("time_zone", accepted, |name| TimeZone::get(name).ok())
    }

    /// Takes a number from `min` to `max`.
    pub fn number<T: FromStr + PartialOrd + fmt::Display>(
        &mut self,
        name: &'static str,
        (min, max): (T, T),
    ) -> Option<T> {
        let accepted = format!("a whole number from {min} to {max}");
        self.one(name, &accepted, |text| {
            let is_number = text.bytes().all(|byte| byte.is_ascii_digit());
            let number = is_number.then(|| text.parse().ok()).flatten()?;
            (min <= number && number <= max).then_some(number)
        })
    }

    /// Takes `limit` and `cursor`.
    pub fn page<P: DeserializeOwned>(&mut self) -> PageParameters<P> {
        let query = self.digest();
        let limit = self
            .number("limit", (1, MAX_LIMIT))
            .unwrap_or(DEFAULT_LIMIT);
        let accepted = "the value of next in a response to the same request";
        let after = self.one("cursor", accepted, |text| query.position(text));
        PageParameters {
            limit,
            after,
            query,
        }
    }
}

/// Parses a name of a user, a realm, an employee or another text.
#[must_use]
pub fn parse_name(text: &str) -> Option<String> {
    let is_valid = (1..=TEXT_BYTES).contains(&text.len()) && !text.chars().any(char::is_control);
    is_valid.then(|| text.to_owned())
}
