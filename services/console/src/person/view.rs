//! The content of the page of a person.

mod day;

use jiff::{SignedDuration, ToSpan, civil::Date};
use maud::{Markup, html};
use rollcall_attendance::row::AttendanceRow;

pub use self::day::{Evidence, MAX_EVENTS, MAX_SESSIONS};
use super::{
    month::weeks,
    query::{Query, Subject},
};
use crate::{attendance::view::badges, elements, moments, times::Times};

/// Content of the page.
pub struct View<'a> {
    /// The address of the page.
    pub query: &'a Query,
    /// The rows of the month by date.
    pub rows: &'a [AttendanceRow],
    /// Reasons for which the row of the day is provisional. Empty if the row is final or missing.
    pub provisional: &'a [String],
    /// The sessions of the day.
    pub evidence: &'a [Evidence],
    /// Format of times. Its day is that of the page.
    pub times: &'a Times,
}

impl View<'_> {
    /// Returns the content of the page.
    #[must_use]
    pub fn content(&self) -> Markup {
        html! {
            (self.subject())
            (self.month())
            (self.provisional())
            (day::day(self))
        }
    }

    /// Returns the title of the page.
    #[must_use]
    pub fn title(&self) -> String {
        match (&self.query.subject, self.rows.first()) {
            (Subject::Employee(employee), _) => employee.clone(),
            // The display form.
            (Subject::Person { .. }, Some(row)) => row.user.clone(),
            (Subject::Person { user, .. }, None) => user.clone(),
        }
    }

    fn text(&self, key: &'static str) -> &'static str {
        self.times.language.text(key)
    }

    fn subject(&self) -> Markup {
        let employee = self
            .rows
            .iter()
            .rev()
            .find_map(|row| row.employee_id.as_ref());
        html! {
            dl.facts {
                @if let Subject::Person { realm, .. } = &self.query.subject {
                    dt { (self.text("attendance.realm")) }
                    dd { bdi { (realm) } }
                    @if let Some(employee) = employee {
                        dt { (self.text("attendance.employee")) }
                        dd { bdi { (employee) } }
                    }
                }
                dt { (self.text("person.worked_in_month")) }
                dd { (hours(self.rows.iter().map(|row| row.worked_seconds).sum())) }
                dt { (self.text("attendance.days")) }
                dd { (self.rows.iter().filter(|row| row.sessions > 0).count()) }
            }
        }
    }

    /// The month as a table with a row for each week.
    fn month(&self) -> Markup {
        let first = self.query.date.first_of_month();
        let neighbours = (
            first.checked_sub(1.month()).ok(),
            first.checked_add(1.month()).ok(),
        );
        let month = format!("{} {}", self.times.month(first), first.year());
        let zone = self.times.zone.iana_name().unwrap_or("UTC");
        html! {
            div.period {
                h2 { (month) }
                nav.moves aria-label=(self.text("attendance.month")) {
                    @if let Some(date) = neighbours.0 {
                        a.button rel="prev" href=(self.query.at(date)) {
                            (self.text("attendance.previous_month"))
                        }
                    }
                    @if let Some(date) = neighbours.1 {
                        a.button rel="next" href=(self.query.at(date)) {
                            (self.text("attendance.next_month"))
                        }
                    }
                }
            }
            (elements::scrolling(&month, &html! {
                table.month {
                    caption { (self.times.say("attendance.zone", &[("zone", zone)])) }
                    thead {
                        tr { @for name in self.times.weekdays() { th scope="col" { (name) } } }
                    }
                    tbody {
                        @for week in weeks(first) {
                            tr { @for day in week { (self.cell(day)) } }
                        }
                    }
                }
            }))
        }
    }

    fn provisional(&self) -> Markup {
        let date = self.times.date(self.query.date);
        html! {
            @if !self.provisional.is_empty() {
                p { (self.times.say("provisional.row", &[("date", &date)])) }
                ul { @for reason in self.provisional { li { (reason) } } }
            }
        }
    }

    fn cell(&self, day: Option<Date>) -> Markup {
        let Some(day) = day else {
            return html! { td.outside {} };
        };
        let row = self.rows.iter().find(|row| row.date == Some(day));
        let is_chosen = day == self.query.date;
        let times = Times {
            day,
            ..self.times.clone()
        };
        html! {
            td.chosen[is_chosen] {
                a href={ (self.query.at(day)) "#day" } aria-current=[is_chosen.then_some("date")]
                    aria-label=(times.date(day)) { (day.day()) }
                @if let Some(row) = row {
                    @if let Some(first) = row.first_login_at {
                        p { (times.clock(first)) "–"
                            @if let Some(last) = row.last_logout_at { (times.short(last)) } }
                        p.muted { (hours(row.worked_seconds)) " h" }
                    }
                    (badges(&times, row))
                }
            }
        }
    }
}

fn hours(seconds: i64) -> String {
    moments::hours(SignedDuration::from_secs(seconds))
}
