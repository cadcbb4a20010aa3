//! Chooses a format by the header `Accept` (RFC 9110, section 12.5.1).

use std::cmp::Reverse;

use actix_web::{
    HttpRequest,
    http::{
        StatusCode,
        header::{Accept, Header, Quality},
    },
};
use rollcall_exports::{CsvOptions, Format};
use rollcall_platform::envelope::Problem;

use super::output::Output;

/// Returns the form that the client prefers. JSON without the header, or if the client prefers
/// none.
///
/// # Errors
/// 406 if the client accepts no format.
pub fn negotiate(request: &HttpRequest) -> Result<Output, Problem> {
    let Ok(Accept(mut ranges)) = Accept::parse(request) else {
        return Ok(Output::Page);
    };
    if ranges.is_empty() {
        return Ok(Output::Page);
    }
    ranges.retain(|range| range.quality > Quality::ZERO);
    ranges.sort_by_key(|range| Reverse(range.quality));
    ranges
        .iter()
        .find_map(|range| of_range(range.item.essence_str()))
        .ok_or_else(not_acceptable)
}

fn of_range(range: &str) -> Option<Output> {
    let file = |format| Output::File {
        format,
        csv: CsvOptions::default(),
    };
    match range {
        "*/*" | "application/*" | "application/json" => Some(Output::Page),
        "text/*" => Some(file(Format::Csv)),
        range => Format::ALL
            .into_iter()
            .find(|format| essence(*format) == range)
            .map(file),
    }
}

/// Returns the media type without parameters.
fn essence(format: Format) -> &'static str {
    format.media_type().split(';').next().unwrap_or_default()
}

fn not_acceptable() -> Problem {
    let accepted = Format::ALL.map(essence).join(", ");
    let message = format!("Accept must allow one of application/json, {accepted}.");
    Problem::new(StatusCode::NOT_ACCEPTABLE, message)
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn extension(accept: &str) -> Option<&'static str> {
        let request = TestRequest::default().insert_header(("accept", accept));
        match negotiate(&request.to_http_request()).ok()? {
            Output::File { format, .. } => Some(format.extension()),
            _ => Some("json"),
        }
    }

    #[test]
    fn format_with_the_highest_quality_is_chosen() {
        for (accept, expected) in [
            ("*/*", Some("json")),
            ("", Some("json")),
            ("text/csv", Some("csv")),
            ("text/html, text/*;q=0.5", Some("csv")),
            (
                "application/json;q=0.1, application/x-ndjson",
                Some("ndjson"),
            ),
            ("application/vnd.apache.parquet", Some("parquet")),
            ("text/csv;q=0, */*;q=0.1", Some("json")),
            ("text/html", None),
            ("text/csv;q=0", None),
        ] {
            assert_eq!(extension(accept), expected, "{accept:?}");
        }
        let request = TestRequest::default().to_http_request();
        assert_eq!(negotiate(&request).ok(), Some(Output::Page), "no header");
    }
}
