//! `GET /api/v2/attendance`: rows per person and reporting day, or for a whole period.

mod accept;
mod output;
mod page;
mod query;
mod unmapped;
mod words;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use rollcall_platform::{envelope::Problem, problem_details::ProblemDetails};

pub use self::page::AttendancePage;
use self::{
    output::{FormatName, Output},
    query::Query,
    words::{AttributionWord, GroupBy, Include, ProvisionalWord, SubjectWord, Unmapped},
};
use crate::{
    access::Access,
    reports::{Admission, Call, Download, Reports},
    v2::{
        calendars::Chosen,
        openapi::{Binary, Problems},
        parameters::Limit,
    },
};

/// Returns rows per person and reporting day, or for the whole period.
#[utoipa::path(get, path = "/api/v2/attendance", operation_id = "listAttendance",
    tag = "Attendance", security(("token" = ["reporting:read"])),
    params(
    ("start_date" = String, Query, description = "First reporting day",
        format = Date, example = "2025-01-01"),
    ("end_date" = String, Query, description = "Last reporting day, included",
        format = Date, example = "2025-01-31"),
    ("calendar" = Option<String>, Query,
        description = "Calendar of the reporting days: `default`, one of `/api/v2/calendars`, or \
            `assigned` for each employee's own. The default is `default`."),
    ("time_zone" = Option<String>, Query,
        description = "Time zone, instead of `calendar`, for example `Asia/Kolkata`"),
    ("start_of_day" = Option<String>, Query,
        description = "Start of a reporting day, instead of `calendar`, for example `00:00:00`"),
    ("user" = Option<Vec<String>>, Query, description = "User in any case; may be repeated"),
    ("realm" = Option<Vec<String>>, Query, description = "Realm in any case; may be repeated"),
    ("employee_id" = Option<Vec<String>>, Query, description = "Employee; may be repeated"),
    ("group_by" = inline(Option<GroupBy>), Query,
        description = "`day`: a row per reporting day. `period`: a row for the whole period. The \
            default is `day`."),
    ("subject" = inline(Option<SubjectWord>), Query,
        description = "`person`: a row per person. `employee`: the persons of one employee are one \
            row. The default is `person`."),
    ("attribution" = inline(Option<AttributionWord>), Query,
        description = "`login`: a session belongs as a whole to the day in which it began. \
            `overlap`: it counts in every day that it touches. The default is `login`."),
    ("include" = inline(Option<Include>), Query,
        description = "`absent`: add a row without sessions for each employee who was absent"),
    ("format" = inline(Option<FormatName>), Query,
        description = "Form of the response. A file or the shape of an HR system has all rows in \
            one response. Without this parameter the header `Accept` decides."),
    ("bom" = Option<bool>, Query,
        description = "With `format=csv`: the file is for a spreadsheet. It begins with a byte \
            order mark, and text that looks like a formula gets an apostrophe."),
    ("separator" = Option<String>, Query,
        description = "With `format=csv`: character between fields, one of `,` `;` `|` or a tab"),
    ("unmapped" = inline(Option<Unmapped>), Query,
        description = "With the format of an HR system. `skip`: leave out persons without an \
            employee. Without this parameter such persons are an error."),
    ("provisional" = inline(Option<ProvisionalWord>), Query,
        description = "With the format of an HR system. `include`: the file has also what can \
            still change."),
    ("limit" = inline(Option<Limit>), Query, description = "Maximum number of rows of a page"),
    ("cursor" = Option<String>, Query, description = "Value of `next` in the page before"),
    ),
    responses(
    (status = 200, description = "A page, or with `format` or `Accept` a file with all rows",
        headers(("Content-Disposition" = String, description = "File name of a file")),
        content(
            (AttendancePage = "application/json"),
            (String = "text/csv"),
            (String = "application/x-ndjson"),
            (inline(Binary) =
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
            (inline(Binary) = "application/vnd.apache.parquet"),
            (String = "text/plain"),
        )),
    (status = 409, content_type = "application/problem+json", body = ProblemDetails,
        description = "With the format of an HR system: persons have no employee. The members \
            `unmapped_count` and `unmapped` say which."),
    Problems,
))]
pub async fn attendance(
    request: HttpRequest,
    access: Data<Access>,
    reports: Data<Reports>,
) -> HttpResponse {
    let report = async |client: &str| report(&request, client, &reports).await;
    access.respond(&request, report).await
}

async fn report(
    request: &HttpRequest,
    client: &str,
    reports: &Reports,
) -> Result<HttpResponse, Problem> {
    let query = Query::parse(request, reports)?;
    let call = Call {
        client,
        action: "v2.attendance",
        detail: query.detail.clone(),
    };
    let admission = reports.admit(call, query.extent()).await?;
    let calendar = query.calendar.clone().resolve(&admission, reports).await?;
    calendar.check(reports, query.first, query.last)?;
    match query.output {
        Output::Page => {
            let page = page::read(&admission, &query, calendar).await?;
            Ok(HttpResponse::Ok().json(page))
        }
        Output::File { format, csv } => {
            let download = download(reports, admission, &query, calendar);
            Ok(download.file(format, csv, |_| true).await?)
        }
        Output::Shape {
            shape,
            provisional,
            skip_unmapped,
        } => {
            let download = download(reports, admission, &query, calendar);
            if !skip_unmapped {
                unmapped::check(&download.admission, &download.selection).await?;
            }
            Ok(download.shape(shape, provisional).await?)
        }
    }
}

fn download<'a>(
    reports: &'a Reports,
    admission: Admission<'a>,
    query: &Query,
    calendar: Chosen,
) -> Download<'a> {
    Download {
        reports,
        admission,
        selection: query.selection(calendar.calendars),
        calendar: calendar.name,
    }
}
