//! The content of the attendance page.

mod downloads;
mod filters;
mod heading;
mod picture;
mod table;

use jiff::Timestamp;
use maud::{Markup, html};

pub use self::table::badges;
use super::{
    page::Page,
    query::Query,
    timeline::{Axis, Span},
};
use crate::times::Times;

/// Content of the page.
pub struct View<'a> {
    /// The address of the page.
    pub query: &'a Query,
    /// The rows.
    pub page: &'a Page,
    /// Names of the named calendars.
    pub calendars: &'a [String],
    /// Names of the sources.
    pub sources: &'a [String],
    /// Format of times.
    pub times: &'a Times,
    /// The timeline, if it is shown.
    pub timeline: Option<Timeline<'a>>,
    /// Reason why the timeline is not shown although the address asks for it.
    pub notice: Option<&'a str>,
}

/// The timeline of a day.
pub struct Timeline<'a> {
    /// The day.
    pub axis: &'a Axis,
    /// The present time.
    pub now: Timestamp,
    /// The sessions of each row of the page.
    pub sessions: &'a [Vec<Span>],
}

impl View<'_> {
    /// Returns the content of the page.
    #[must_use]
    pub fn content(&self) -> Markup {
        html! {
            (heading::period(self))
            (filters::form(self))
            @if let Some(notice) = self.notice { p role="status" { (notice) } }
            @if let Some(timeline) = &self.timeline {
                (picture::picture(self, timeline))
            }
            (table::table(self))
            (self.pages())
            (downloads::links(self))
        }
    }

    /// Returns a text in the language of the page.
    #[must_use]
    pub fn text(&self, key: &'static str) -> &'static str {
        self.times.language.text(key)
    }

    /// Links to the pages before and after this one.
    fn pages(&self) -> Markup {
        let link =
            |place: &super::order::Place| self.query.with(|query| query.place = place.clone());
        html! {
            @if self.page.previous.is_some() || self.page.next.is_some() {
                nav.pages aria-label=(self.text("attendance.pages")) {
                    @if let Some(previous) = &self.page.previous {
                        a href=(self.query.with(|_| {})) { (self.text("attendance.first_page")) }
                        a rel="prev" href=(link(previous)) { (self.text("attendance.previous_page")) }
                    }
                    @if let Some(next) = &self.page.next {
                        a rel="next" href=(link(next)) { (self.text("attendance.next_page")) }
                    }
                }
            }
        }
    }
}
