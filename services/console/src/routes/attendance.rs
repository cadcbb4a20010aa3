//! `GET /console/`: attendance of a day, a week or a month.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use futures::{FutureExt, StreamExt};
use jiff::Timestamp;
use rollcall_reports::{Admission, Call, Extent, Unavailable};
use rollcall_store::{
    attendance::{self, Calendars},
    calendars as named_calendars, sources,
};
use serde_json::json;

use crate::{
    attendance::{
        order::Place,
        page::{self, Page, ROWS},
        query::Query,
        sessions::{self, MAX_SESSIONS},
        timeline::{Axis, Span},
        view::{Timeline, View},
    },
    calendars,
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
    let today = console.reports.today();
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
        zone: chosen.default().time_zone.clone(),
        day: today,
    };
    let drawn = draw(&admission, &query, &chosen, &rows, &times).await?;
    let calendars: Vec<String> = named.into_iter().map(|(name, _)| name).collect();
    let view = View {
        query: &query,
        page: &rows,
        calendars: &calendars,
        sources: &sources,
        times: &times,
        timeline: drawn.timeline(admission.moment().now),
        notice: drawn.notice.as_deref(),
    };
    let title = visitor.frame.language.text("navigation.attendance");
    Ok(visitor.page(Entry::Attendance, title, view.content()))
}

/// The timeline of a page, or the reason why it cannot be drawn.
#[derive(Default)]
struct Drawn {
    axis_and_sessions: Option<(Axis, Vec<Vec<Span>>)>,
    notice: Option<String>,
}

impl Drawn {
    fn timeline(&self, now: Timestamp) -> Option<Timeline<'_>> {
        let (axis, sessions) = self.axis_and_sessions.as_ref()?;
        Some(Timeline {
            axis,
            now,
            sessions,
        })
    }
}

/// Prepares the timeline if the address asks for it.
async fn draw(
    admission: &Admission<'_>,
    query: &Query,
    chosen: &Calendars,
    rows: &Page,
    times: &Times,
) -> Result<Drawn, Unavailable> {
    let notice = |notice| Drawn {
        axis_and_sessions: None,
        notice: Some(notice),
    };
    if !query.timeline {
        return Ok(Drawn::default());
    }
    let Some(calendar) = chosen.one() else {
        return Ok(notice(times.say("timeline.one_calendar", &[])));
    };
    let Some(axis) = Axis::new(calendar, query.date) else {
        return Ok(notice(times.say("timeline.skipped_day", &[])));
    };
    let day = (query.date, &axis);
    let sessions = sessions::of_rows(admission, &rows.rows, day, query.employees).await?;
    let Some(sessions) = sessions else {
        let count = MAX_SESSIONS.to_string();
        return Ok(notice(times.say("timeline.too_many", &[("count", &count)])));
    };
    Ok(Drawn {
        axis_and_sessions: Some((axis, sessions)),
        notice: None,
    })
}

/// Checks that the source of a filter exists, so that a wrong name does not read as no person
/// present.
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
    chosen: &Calendars,
) -> Result<Page, Unavailable> {
    let selection = query.selection(chosen.clone());
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
