//! All rows of a report in one response, as a file.

use std::future::ready;

use actix_web::{
    HttpResponse,
    http::header::{CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_TYPE},
};
use futures::{Stream, StreamExt, TryStreamExt};
use rollcall_attendance::row::AttendanceRow;
use rollcall_exports::{CsvOptions, Format, Layout, Options, Provisional, Shape};
use rollcall_store::attendance::{self, Attribution, Grouping, Selection};

use crate::{Admission, Body, Report, Reports, Unavailable, streams::feed::CutError};

/// Value of `Content-Encoding` by which a route asks that its response is not compressed again.
pub const COMPRESSED_ALREADY: &str = "identity";

/// A report that is sent as a file.
pub struct Download<'a> {
    /// Creates the report.
    pub reports: &'a Reports,
    /// The admitted call.
    pub admission: Admission<'a>,
    /// The rows.
    pub selection: Selection,
    /// Name of the calendar. None if it has no name.
    pub calendar: Option<String>,
}

/// Description of the file of a response.
struct Head {
    /// File name after `attendance`, without the extension.
    suffix: String,
    extension: &'static str,
    media_type: &'static str,
    is_compressed: bool,
}

impl Download<'_> {
    /// Responds with a file of the rows for which `keeps` returns true.
    ///
    /// # Errors
    /// The rows are not available now.
    pub async fn file<F>(
        self,
        format: Format,
        csv: CsvOptions,
        keeps: F,
    ) -> Result<HttpResponse, Unavailable>
    where
        F: Fn(&AttendanceRow) -> bool + Clone + Send + 'static,
    {
        let Self {
            reports,
            admission,
            selection,
            calendar,
        } = self;
        let options = Options {
            layout: layout(&selection),
            csv,
            metadata: metadata(calendar, &selection),
            scratch_directory: reports.scratch_directory().to_owned(),
        };
        let report = admission.report(|connection, moment| {
            let rows = attendance::rows(connection, selection.clone(), None, moment);
            let keeps = keeps.clone();
            Box::pin(rows.try_filter(move |row| ready(keeps(row))))
        });
        let Report { rows, permit } = report.await?;
        let rows = rows.map_err(CutError::from);
        let chunks = match format {
            Format::Xlsx => format.encode(within_scratch(reports, rows), options),
            _ => format.encode(rows, options),
        };
        let head = Head {
            suffix: format!("_{}_{}", selection.first, selection.last),
            extension: format.extension(),
            media_type: format.media_type(),
            is_compressed: format.is_compressed(),
        };
        Ok(head.respond(reports.body(permit, chunks).await?))
    }

    /// Responds with the file that an HR system imports. Persons without an employee are not in it.
    ///
    /// # Errors
    /// The intervals are not available now.
    pub async fn shape(
        self,
        shape: Shape,
        provisional: Provisional,
    ) -> Result<HttpResponse, Unavailable> {
        let Self {
            reports,
            admission,
            selection,
            ..
        } = self;
        let report = admission.report(|connection, moment| {
            Box::pin(attendance::intervals(connection, selection.clone(), moment))
        });
        let Report { rows, permit } = report.await?;
        let chunks = shape.encode(rows.map_err(CutError::from), provisional);
        let head = Head {
            suffix: format!("_{}_{}_{}", shape.name(), selection.first, selection.last),
            extension: shape.extension(),
            media_type: shape.media_type(),
            is_compressed: false,
        };
        Ok(head.respond(reports.body(permit, chunks).await?))
    }
}

fn layout(selection: &Selection) -> Layout {
    Layout {
        period: selection.grouping == Grouping::Period,
        overlap: selection.attribution == Attribution::Overlap,
    }
}

/// Returns what a file says about itself, as the pages of the API do.
fn metadata(name: Option<String>, selection: &Selection) -> Vec<(String, String)> {
    let one = selection.calendars.one();
    let zone = one.and_then(|calendar| calendar.time_zone.iana_name());
    let start_of_day = one.map(|one| one.start_of_day.strftime("%H:%M:%S").to_string());
    [
        ("calendar", name),
        ("time_zone", zone.map(ToOwned::to_owned)),
        ("start_of_day", start_of_day),
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
    fn respond(self, body: Body) -> HttpResponse {
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
