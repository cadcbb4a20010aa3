//! `GET /console/person`: the month of a person or an employee, and a day with its evidence.

use std::collections::HashMap;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use rollcall_attendance::{
    calendar::Calendar,
    row::{AttendanceRow, Status},
};
use rollcall_reports::{Admission, Call, Extent, Unavailable};
use rollcall_store::{
    attendance::{self, Attribution, Calendars, Grouping, Selection},
    calendars as named_calendars, events,
    persons::PersonFilter,
    sessions::{self, Cause, ListSelection, ListedSession, SessionKey},
    sources,
};
use serde_json::json;

use crate::{
    attendance::query::Range,
    calendars,
    console::Console,
    error::Problem,
    invalid,
    layout::Entry,
    person::{
        provisional,
        query::Query,
        view::{Evidence, MAX_EVENTS, MAX_SESSIONS, View},
    },
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
        Err(errors) => return Ok(invalid::page(&visitor, Entry::Attendance, &errors)),
    };
    let call = Call {
        client: &visitor.client,
        action: "console.person",
        detail: json!({"query": query.encoded()}),
    };
    let admission = console.reports.admit(call, Extent::Small).await?;
    let named = admission.ask(named_calendars::list).await?;
    let chosen = match calendars::choose(&query.calendar, default, &named) {
        Ok(chosen) => chosen,
        Err(errors) => return Ok(invalid::page(&visitor, Entry::Attendance, &errors)),
    };
    let rows = month(&admission, &query, chosen.clone()).await?;
    let calendar = calendars::on_day(&chosen, &admission, &query.persons(), query.date).await?;
    let times = Times {
        language: visitor.frame.language,
        zone: calendar.time_zone.clone(),
        day: query.date,
    };
    let evidence = day(&admission, &query, &calendar, &times).await?;
    let provisional = provisional(&admission, &query, &rows, &calendar, &times).await?;
    let view = View {
        query: &query,
        rows: &rows,
        provisional: &provisional,
        evidence: &evidence,
        times: &times,
    };
    let name = view.title();
    let title = times.say("person.title", &[("name", &name)]);
    Ok(visitor.page(Entry::Attendance, &title, view.content()))
}

/// Returns the rows of the month by date.
async fn month(
    admission: &Admission<'_>,
    query: &Query,
    calendars: Calendars,
) -> Result<Vec<AttendanceRow>, Unavailable> {
    let (first, last) = Range::Month.days(query.date);
    let PersonFilter {
        users,
        realms,
        employee_ids,
    } = query.persons();
    let selection = Selection {
        first,
        last,
        calendars,
        users,
        realms,
        subject: if employee_ids.is_empty() {
            attendance::Subject::Person
        } else {
            attendance::Subject::Employee
        },
        employee_ids,
        sources: Vec::new(),
        grouping: Grouping::Day,
        attribution: Attribution::Login,
        include_absent: true,
    };
    admission
        .page(|connection, moment| Box::pin(attendance::rows(connection, selection, None, moment)))
        .await
}

/// Returns the reasons why the row of the day is provisional.
async fn provisional(
    admission: &Admission<'_>,
    query: &Query,
    rows: &[AttendanceRow],
    calendar: &Calendar,
    times: &Times,
) -> Result<Vec<String>, Unavailable> {
    let row = rows
        .iter()
        .find(|row| row.date == Some(query.date) && row.status == Status::Provisional);
    let bounds = calendar.bounds(query.date, query.date).unwrap_or_default();
    let (Some(row), Some(&end)) = (row, bounds.last()) else {
        return Ok(Vec::new());
    };
    let sources = admission.ask(sources::counted).await?;
    let now = admission.moment().now;
    Ok(provisional::reasons(row, end, &sources, now, times))
}

/// Returns the sessions that begin on the day, with their events.
async fn day(
    admission: &Admission<'_>,
    query: &Query,
    calendar: &Calendar,
    times: &Times,
) -> Result<Vec<Evidence>, Unavailable> {
    let day_bounds = calendar.bounds(query.date, query.date).unwrap_or_default();
    let [start, end] = day_bounds[..] else {
        return Ok(Vec::new());
    };
    let selection = ListSelection {
        start,
        end,
        persons: query.persons(),
        sources: Vec::new(),
        is_open: None,
        first_day: query.date,
        day_bounds,
    };
    let moment = admission.moment();
    let listed = admission
        .ask(async |connection| {
            sessions::list(connection, &selection, None, MAX_SESSIONS, moment).await
        })
        .await?;
    let keys: Vec<SessionKey> = listed.iter().map(ListedSession::key).collect();
    let causes = admission
        .ask(async |connection| sessions::causes(connection, &keys).await)
        .await?;
    let causes: HashMap<SessionKey, Cause> = causes
        .into_iter()
        .map(|cause| (cause.key(), cause))
        .collect();
    let mut evidence = Vec::new();
    for session in listed {
        let key = session.key();
        let events = admission
            .ask(async |connection| {
                events::of_session(connection, &key, None, MAX_EVENTS + 1).await
            })
            .await?;
        let cause = causes.get(&key);
        evidence.push(Evidence::new(
            session,
            events.unwrap_or_default(),
            cause,
            moment.timeout,
            times,
        ));
    }
    Ok(evidence)
}
