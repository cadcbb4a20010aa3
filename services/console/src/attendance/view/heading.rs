//! The period of the page, with links to its neighbours and to other lengths.

use maud::{Markup, html};

use super::View;
use crate::attendance::query::{Query, Range};

/// Returns the heading.
pub(super) fn period(view: &View) -> Markup {
    let step = |forward| view.query.range.step(view.query.date, forward);
    let link = |date| view.query.with(|query| query.date = date);
    html! {
        div.period {
            h2 { (title(view)) }
            nav.moves aria-label=(view.text("attendance.period")) {
                @if let Some(date) = step(false) {
                    a.button rel="prev" href=(link(date)) { (previous(view)) }
                }
                @if view.query.date != view.times.day {
                    a.button href=(link(view.times.day)) { (view.text("attendance.today")) }
                }
                @if let Some(date) = step(true) {
                    a.button rel="next" href=(link(date)) { (next(view)) }
                }
            }
            (lengths(view))
        }
    }
}

/// The days of the period in words.
pub(super) fn title(view: &View) -> String {
    let (first, last) = view.query.range.days(view.query.date);
    let times = view.times;
    match view.query.range {
        Range::Day => format!("{}, {}", times.weekday(first), times.date(first)),
        Range::Week => format!("{} – {}", times.date(first), times.date(last)),
        Range::Month => format!("{} {}", times.month(first), first.year()),
    }
}

fn previous(view: &View) -> &'static str {
    view.text(match view.query.range {
        Range::Day => "attendance.previous_day",
        Range::Week => "attendance.previous_week",
        Range::Month => "attendance.previous_month",
    })
}

fn next(view: &View) -> &'static str {
    view.text(match view.query.range {
        Range::Day => "attendance.next_day",
        Range::Week => "attendance.next_week",
        Range::Month => "attendance.next_month",
    })
}

/// Links to a day, a week or a month, and to the timeline of a day.
fn lengths(view: &View) -> Markup {
    let is_current =
        |query: &Query| query.range == view.query.range && query.timeline == view.query.timeline;
    let entries = [
        ("attendance.day", Range::Day, false),
        ("attendance.timeline", Range::Day, true),
        ("attendance.week", Range::Week, false),
        ("attendance.month", Range::Month, false),
    ];
    html! {
        nav.moves aria-label=(view.text("attendance.view")) {
            @for (name, range, timeline) in entries {
                @let query = Query { range, timeline, ..view.query.clone() };
                a href=(query.with(|_| {})) aria-current=[is_current(&query).then_some("page")] {
                    (view.text(name))
                }
            }
        }
    }
}
