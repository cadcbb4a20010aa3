//! All rows in one response, as a file.

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE},
};
use futures::{Stream, StreamExt, TryStreamExt};
use rollcall_attendance::row::AttendanceRow;
use rollcall_exports::{CsvOptions, Format, Layout, Options, Provisional, Shape};
use rollcall_platform::envelope::Problem;
use rollcall_store::attendance::{self, Attribution, Grouping, Selection};

use super::{query::Query, unmapped};
use crate::{
    reports::{Admission, Report, Reports},
    streams::feed::CutError,
    v2::{
        calendars::{Chosen, start_of_day},
        compression::COMPRESSED_ALREADY,
    },
};

/// What a response says about its file.
struct Head {
    /// File name after `attendance`, without the extension.
    suffix: String,
    extension: &'static str,
    media_type: &'static str,
    is_compressed: bool,
}

/// Responds with a file of rows.
///
/// # Errors
/// The rows are not available now.
pub async fn file(
    (reports, admission): (&Reports, Admission<'_>),
    query: &Query,
    calendar: &Chosen,
    (format, csv): (Format, CsvOptions),
) -> Result<HttpResponse, Problem> {
    let selection = query.selection(calendar.calendars.clone());
    let options = Options {
        layout: layout(&selection),
        csv,
        metadata: metadata(calendar),
        scratch_directory: reports.scratch_directory().to_owned(),
    };
    let report = admission.report(|connection, moment| {
        Box::pin(attendance::rows(
            connection,
            selection.clone(),
            None,
            moment,
        ))
    });
    let Report { rows, permit } = report.await?;
    let rows = rows.map_err(CutError::from);
    let chunks = match format {
        Format::Xlsx => format.encode(within_scratch(reports, rows), options),
        _ => format.encode(rows, options),
    };
    let head = Head {
        suffix: format!("_{}_{}", query.first, query.last),
        extension: format.extension(),
        media_type: format.media_type(),
        is_compressed: format.is_compressed(),
    };
    Ok(head.respond(reports.body(permit, chunks).await?))
}

/// Responds with the file that an HR system imports.
///
/// # Errors
/// 409 if persons have no employee, unless they are skipped. The rows are not available now.
pub async fn shape(
    (reports, admission): (&Reports, Admission<'_>),
    query: &Query,
    calendar: &Chosen,
    (shape, provisional, skip_unmapped): (Shape, Provisional, bool),
) -> Result<HttpResponse, Problem> {
    let selection = query.selection(calendar.calendars.clone());
    if !skip_unmapped {
        unmapped::check(&admission, &selection).await?;
    }
    let report = admission.report(|connection, moment| {
        Box::pin(attendance::intervals(connection, selection.clone(), moment))
    });
    let Report { rows, permit } = report.await?;
    let chunks = shape.encode(rows.map_err(CutError::from), provisional);
    let head = Head {
        suffix: format!("_{}_{}_{}", shape.name(), query.first, query.last),
        extension: shape.extension(),
        media_type: shape.media_type(),
        is_compressed: false,
    };
    Ok(head.respond(reports.body(permit, chunks).await?))
}

fn layout(selection: &Selection) -> Layout {
    Layout {
        period: selection.grouping == Grouping::Period,
        overlap: selection.attribution == Attribution::Overlap,
    }
}

/// Returns what a file says about itself, as the pages do.
fn metadata(calendar: &Chosen) -> Vec<(String, String)> {
    let one = calendar.one();
    let zone = one.and_then(|calendar| calendar.time_zone.iana_name());
    [
        ("calendar", calendar.name.clone()),
        ("time_zone", zone.map(ToOwned::to_owned)),
        (
            "start_of_day",
            one.map(|one| start_of_day(one.start_of_day)),
        ),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name.to_owned(), value?)))
    .collect()
}

/// Ends the rows with an error when the scratch files of all workbooks become too large.
fn within_scratch<S: Stream<Item = Result<AttendanceRow, CutError>>>(
    reports: &Reports,
    rows: S,
) -> impl Stream<Item = Result<AttendanceRow, CutError>> + use<S> {
    let mut scratch = reports.scratch().begin();
    rows.map(move |row| {
        let row = row?;
        let employee_bytes = row.employee_id.as_ref().map_or(0, String::len);
        scratch.add_row(row.user.len() + row.realm.len() + employee_bytes)?;
        Ok(row)
    })
}

impl Head {
    fn respond(self, body: crate::reports::Body) -> HttpResponse {
        let Self {
            suffix,
            extension,
            media_type,
            is_compressed,
        } = self;
        let mut response = HttpResponse::Ok();
        response
            .insert_header((CONTENT_TYPE, media_type))
            .insert_header((
                CONTENT_DISPOSITION,
                format!("attachment; filename=\"attendance{suffix}.{extension}\""),
            ));
        if is_compressed {
            response.insert_header((CONTENT_ENCODING, COMPRESSED_ALREADY));
        }
        response.streaming(body)
    }
}
