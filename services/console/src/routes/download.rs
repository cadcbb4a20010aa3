//! `GET /console/download`: the rows of the attendance page as a file.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use rollcall_exports::{CsvOptions, Format, Provisional, Separator, Shape};
use rollcall_reports::{Call, Download, Extent};
use rollcall_store::{
    attendance::{Grouping, Selection, Subject},
    calendars as named_calendars, sources,
};
use serde_json::json;

use super::attendance::known_source;
use crate::{
    attendance::query::Query,
    calendars,
    console::Console,
    error::Problem,
    invalid,
    layout::Entry,
    parameters::{Invalid, Parameters},
    unmapped,
    visitor::Visitor,
};

/// People open the CSV of the console with a spreadsheet.
const FOR_SPREADSHEETS: CsvOptions = CsvOptions {
    separator: Separator::Comma,
    byte_order_mark: true,
};

/// The form of a file.
#[derive(Debug, Clone, Copy)]
enum Form {
    File(Format),
    Shape(Shape),
}

impl Form {
    fn parse(name: &str) -> Option<Self> {
        let file = Format::parse(name).map(Self::File);
        file.or_else(|| Shape::parse(name).map(Self::Shape))
    }
}

/// Responds with the file.
pub async fn file(
    request: HttpRequest,
    visitor: Visitor,
    console: Data<Console>,
) -> Result<HttpResponse, Problem> {
    let default = console.reports.default_calendar();
    let today = console.reports.today();
    let (form, query) = match parse(request.query_string(), today) {
        Ok(asked) => asked,
        Err(errors) => return Ok(invalid::page(&visitor, Entry::Attendance, &errors)),
    };
    let call = Call {
        client: &visitor.client,
        action: "console.download",
        detail: json!({"query": request.query_string()}),
    };
    let admission = console.reports.admit(call, Extent::Large).await?;
    let named = admission.ask(named_calendars::list).await?;
    let sources = admission.ask(sources::names).await?;
    let chosen = calendars::choose(&query.calendar, default, &named)
        .and_then(|chosen| known_source(&query, &sources).map(|()| chosen));
    let chosen = match chosen {
        Ok(chosen) => chosen,
        Err(errors) => return Ok(invalid::page(&visitor, Entry::Attendance, &errors)),
    };
    let mut selection = query.selection(chosen);
    if let Form::Shape(_) = form {
        selection = of_shape(selection);
        let persons = unmapped::persons(&admission, &selection).await?;
        if !persons.is_empty() {
            return Ok(unmapped::page(&visitor, &query, &persons));
        }
    }
    let download = Download {
        reports: &console.reports,
        admission,
        selection,
        calendar: Some(query.calendar.clone()),
    };
    Ok(match form {
        Form::File(format) => {
            let filter = query.filter();
            let keeps = move |row: &_| filter.keeps(row);
            download.file(format, FOR_SPREADSHEETS, keeps).await?
        }
        Form::Shape(shape) => download.shape(shape, Provisional::LeaveOut).await?,
    })
}

fn parse(query: &str, today: jiff::civil::Date) -> Result<(Form, Query), Vec<Invalid>> {
    let mut given = Parameters::new(query);
    let form = given.one("format", "invalid.choice", Form::parse);
    let query = Query::take(&mut given, today);
    given.finish()?;
    let form = form.ok_or_else(|| vec![Invalid::new("format", "", "invalid.choice")])?;
    Ok((form, query))
}

/// Returns the selection of intervals, which are those of employees.
fn of_shape(selection: Selection) -> Selection {
    Selection {
        grouping: Grouping::Day,
        subject: Subject::Employee,
        include_absent: false,
        ..selection
    }
}
