//! `GET /console/exceptions`: what a person should look at.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use rollcall_reports::{Call, Extent};
use rollcall_store::{calendars as named_calendars, exceptions};
use serde_json::json;

use crate::{
    calendars,
    console::Console,
    error::Problem,
    exceptions::{
        query::Query,
        view::{ROWS, View},
    },
    invalid,
    layout::Entry,
    parameters::Invalid,
    times::Times,
    visitor::Visitor,
};

/// Returns the page.
pub async fn page(
    request: HttpRequest,
    visitor: Visitor,
    console: Data<Console>,
) -> Result<HttpResponse, Problem> {
    let default = console.reports.default_calendar();
    let today = console.reports.today();
    let query = match Query::parse(request.query_string(), today) {
        Ok(query) => query,
        Err(errors) => return Ok(invalid::page(&visitor, Entry::Exceptions, &errors)),
    };
    let call = Call {
        client: &visitor.client,
        action: "console.exceptions",
        detail: json!({"query": query.encoded(query.after.as_ref())}),
    };
    let admission = console.reports.admit(call, Extent::Large).await?;
    let named = admission.ask(named_calendars::list).await?;
    let chosen = calendars::choose(&query.calendar, default, &named);
    let calendar = match chosen {
        // Exceptions have no rows to which a calendar could be assigned.
        Ok(chosen) => chosen.default().clone(),
        Err(errors) => return Ok(invalid::page(&visitor, Entry::Exceptions, &errors)),
    };
    let Ok(bounds) = calendar.bounds(query.first, query.last) else {
        let errors = [Invalid::new("to", &query.last.to_string(), "invalid.date")];
        return Ok(invalid::page(&visitor, Entry::Exceptions, &errors));
    };
    let (selection, after) = (query.selection(bounds), query.after.clone());
    let mut found = admission
        .page(|connection, moment| {
            Box::pin(exceptions::list(
                connection,
                selection,
                after,
                ROWS + 1,
                moment,
            ))
        })
        .await?;
    let has_next = found.len() > ROWS as usize;
    found.truncate(ROWS as usize);
    let times = Times {
        language: visitor.frame.language,
        zone: calendar.time_zone,
        day: today,
    };
    let view = View {
        query: &query,
        exceptions: &found,
        has_next,
        times: &times,
    };
    let title = visitor.frame.language.text("navigation.exceptions");
    Ok(visitor.page(Entry::Exceptions, title, view.content()))
}
