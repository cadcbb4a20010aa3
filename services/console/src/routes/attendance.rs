//! `GET /console/`: attendance of a day, a week or a month.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use futures::{FutureExt, StreamExt};
use rollcall_reports::{Admission, Call, Extent, Unavailable};
use rollcall_store::{attendance, calendars as named_calendars, sources};
use serde_json::json;

use crate::{
    attendance::{
        order::Place,
        page::{self, Page, ROWS},
        query::Query,
        sessions::{self, MAX_SESSIONS},
        timeline::Axis,
        view::{Timeline, View},
    },
    calendars::{self, Chosen, reporting_day},
    console::Console,
    error::Problem,
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
    let today = reporting_day(&console.reports.default_calendar(), console.clock.now());
    let query = match Query::parse(request.query_string(), today) {
        Ok(query) => query,
        Err(errors) => return Ok(invalid::page(&visitor, Entry::Attendance, &errors)),
    };
    let call = Call {
        client: &visitor.client,
        action: "console.attendance",
        detail: json!({"query": query.encoded()}),
    };
    let admission = console.reports.admit(call, Extent::Large).await?;
    let named = admission.ask(named_calendars::list).await?;
    let sources = admission.ask(sources::names).await?;
    let default = console.reports.default_calendar();
    let chosen = calendars::choose(&query.calendar, default, &named)
        .and_then(|chosen| known_source(&query, &sources).map(|()| chosen));
    let chosen = match chosen {
        Ok(chosen) => chosen,
        Err(errors) => return Ok(invalid::page(&visitor, Entry::Attendance, &errors)),
    };
    let rows = rows(&admission, &query, &chosen).await?;
    let times = Times {
        language: visitor.frame.language,
        zone: chosen.default.time_zone.clone(),
        day: today,
    };
    let names: Vec<String> = named.into_iter().map(|(name, _)| name).collect();
    let mut view = View {
        query: &query,
        page: &rows,
        calendars: &names,
        sources: &sources,
        times: &times,
        timeline: None,
        notice: None,
    };
    let axis = chosen
        .one()
        .and_then(|calendar| Axis::new(calendar, query.date));
    let spans;
    match &axis {
        _ if !query.timeline => {}
        None if chosen.one().is_none() => {
            view.notice = Some(view.text("timeline.one_calendar").into())
        }
        None => view.notice = Some(view.text("timeline.skipped_day").into()),
        Some(axis) => {
            let day = (query.date, axis);
            spans = sessions::of_rows(&admission, &rows.rows, day, query.employees).await?;
            view.timeline = spans.as_deref().map(|sessions| Timeline {
                axis,
                now: admission.moment().now,
                sessions,
            });
            if view.timeline.is_none() {
                let count = MAX_SESSIONS.to_string();
                view.notice = Some(times.say("timeline.too_many", &[("count", &count)]));
            }
        }
    }
    let title = visitor.frame.language.text("navigation.attendance");
    Ok(visitor.page(Entry::Attendance, title, view.content()))
}

/// Checks that the source of a filter exists, so that a wrong name does not read as nobody present.
pub(super) fn known_source(query: &Query, sources: &[String]) -> Result<(), Vec<Invalid>> {
    match &query.source {
        Some(source) if !sources.contains(source) => {
            Err(vec![Invalid::new("source", source, "invalid.source")])
        }
        _ => Ok(()),
    }
}

/// Reads a page of rows. If the database returns the rows in the order of the page, it computes no
/// more than the page needs.
async fn rows(
    admission: &Admission<'_>,
    query: &Query,
    chosen: &Chosen,
) -> Result<Page, Unavailable> {
    let selection = query.selection(chosen.calendars.clone());
    let filter = query.filter();
    let limited = query.order.is_native() && query.search.is_none() && query.state.is_none();
    let part = limited.then(|| attendance::Page {
        after: match &query.place {
            Place::After(key) => Some(key.position.clone()),
            Place::Start | Place::Before(_) => None,
        },
        limit: match &query.place {
            // The rows before a place are at the end of those that the database returns.
            Place::Before(_) => u32::MAX,
            Place::Start | Place::After(_) => u32::try_from(ROWS + 1).unwrap_or(u32::MAX),
        },
    });
    let (order, place) = (query.order, query.place.clone());
    let pages = admission.page(move |connection, moment| {
        let rows = attendance::rows(connection, selection, part, moment);
        let page = async move { page::choose(rows, order, place, |row| filter.keeps(row)).await };
        page.into_stream().boxed()
    });
    let mut pages = pages.await?;
    Ok(pages.pop().unwrap_or_default())
}
