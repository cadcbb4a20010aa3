//! The table of the rows.

use maud::{Markup, html};
use rollcall_attendance::row::AttendanceRow;

use super::{View, filters::label, heading};
use crate::{
    attendance::{
        order::{Order, Sort},
        query::Range,
        state::State,
    },
    elements, moments,
    person::query::address,
    times::Times,
};

/// Returns the table, or a sentence if there is no row.
pub(super) fn table(view: &View) -> Markup {
    let text = |key| view.text(key);
    if view.page.rows.is_empty() {
        return html! { p role="status" { (text("attendance.no_rows")) } };
    }
    let zone = view.times.zone.iana_name().unwrap_or("UTC");
    let is_period = view.query.range != Range::Day;
    html! {
        (elements::scrolling(text("navigation.attendance"), &html! {
            table.rows {
                caption {
                    (heading::title(view)) ". "
                    @if view.query.calendar == "assigned" { (text("attendance.zones")) }
                    @else { (view.times.say("attendance.zone", &[("zone", zone)])) }
                }
                thead {
                    tr {
                        (header(view, Sort::Name, "attendance.person", false))
                        th scope="col" { (text("attendance.employee")) }
                        (header(view, Sort::FirstLogin, "attendance.first_login", false))
                        (header(view, Sort::LastLogout, "attendance.last_logout", false))
                        (header(view, Sort::Worked, "attendance.worked", true))
                        (header(view, Sort::Sessions, "attendance.sessions", true))
                        @if is_period { th.number scope="col" { (text("attendance.days")) } }
                        th scope="col" { (text("attendance.state")) }
                    }
                }
                tbody {
                    @for row in &view.page.rows { (line(view, row, is_period)) }
                }
            }
        }))
    }
}

/// A heading that is a link to the same rows in another order.
fn header(view: &View, sort: Sort, name: &'static str, number: bool) -> Markup {
    let order = view.query.order;
    let is_current = order.sort == sort;
    let next = Order {
        sort,
        descending: is_current && !order.descending,
    };
    let direction = match (is_current, order.descending) {
        (false, _) => None,
        (true, false) => Some("ascending"),
        (true, true) => Some("descending"),
    };
    html! {
        th.number[number] scope="col" aria-sort=[direction] {
            a.sort href=(view.query.with(|query| query.order = next)) { (view.text(name)) }
        }
    }
}

fn line(view: &View, row: &AttendanceRow, is_period: bool) -> Markup {
    let times = Times {
        zone: row.time_zone.clone(),
        day: row.date.unwrap_or(view.query.date),
        language: view.times.language,
    };
    let (first, last) = if is_period {
        let written = |at| times.date_and_clock(at);
        (
            row.first_login_at.map(written),
            row.last_logout_at.map(written),
        )
    } else {
        let written = |at| times.short(at);
        (
            row.first_login_at.map(written),
            row.last_logout_at.map(written),
        )
    };
    let worked = jiff::SignedDuration::from_secs(row.worked_seconds);
    html! {
        tr {
            th scope="row" {
                a href=(address(view.query, row)) { bdi { (row.user) } }
                " " span.muted { bdi { (row.realm) } }
            }
            td { @if let Some(employee) = &row.employee_id { bdi { (employee) } } }
            td.time { (first.unwrap_or_default()) }
            td.time { (last.unwrap_or_default()) }
            td.number { (moments::hours(worked)) }
            td.number { (row.sessions) }
            @if is_period { td.number { (row.days.unwrap_or_default()) } }
            td { (badges(&times, row)) }
        }
    }
}

/// Returns the badges of a row.
#[must_use]
pub fn badges(times: &Times, row: &AttendanceRow) -> Markup {
    let class = |state| match state {
        State::Timeout | State::Restart => "badge bad",
        State::Open | State::Provisional => "badge warning",
        State::Final | State::Absent => "badge",
    };
    html! {
        @for (_, state) in State::badges(row) {
            span class=(class(state)) { (times.language.text(label(state))) } " "
        }
    }
}
