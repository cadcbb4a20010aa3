//! The content of the page of exceptions.

use std::collections::BTreeSet;

use maud::{Markup, html};
use rollcall_store::exceptions::{Exception, Kind};

use super::{
    query::{PATH, Query},
    words::{Section, detail},
};
use crate::{
    elements,
    person::query::{Query as PersonQuery, Subject},
    times::Times,
};

/// Number of exceptions of a page.
pub const ROWS: u32 = 100;

/// Content of the page.
pub struct View<'a> {
    /// The address of the page.
    pub query: &'a Query,
    /// The exceptions.
    pub exceptions: &'a [Exception],
    /// True if another page follows.
    pub has_next: bool,
    /// Format of times.
    pub times: &'a Times,
}

impl View<'_> {
    /// Returns the content of the page.
    #[must_use]
    pub fn content(&self) -> Markup {
        let next = self.exceptions.last().filter(|_| self.has_next);
        html! {
            p { (self.text("exceptions.explanation")) }
            (self.form())
            @if self.exceptions.is_empty() {
                p role="status" { (self.text("exceptions.none")) }
            } @else {
                (self.table())
                (self.glossary())
            }
            @if self.query.after.is_some() || next.is_some() {
                nav.pages aria-label=(self.text("attendance.pages")) {
                    @if self.query.after.is_some() {
                        a href=(self.query.address(None)) { (self.text("attendance.first_page")) }
                    }
                    @if let Some(last) = next {
                        a rel="next" href=(self.query.address(Some(&last.position))) {
                            (self.text("attendance.next_page"))
                        }
                    }
                }
            }
        }
    }

    fn text(&self, key: &'static str) -> &'static str {
        self.times.language.text(key)
    }

    fn about(&self, kind: Kind, section: Section) -> &'static str {
        section.of(kind, self.times.language)
    }

    fn form(&self) -> Markup {
        let query = self.query;
        html! {
            form.filters method="get" action=(PATH) role="search" {
                div {
                    label for="from" { (self.text("exceptions.from")) }
                    input id="from" type="date" name="from" value=(query.first) required;
                }
                div {
                    label for="to" { (self.text("exceptions.to")) }
                    input id="to" type="date" name="to" value=(query.last) required;
                }
                div {
                    label for="kind" { (self.text("exceptions.kind")) }
                    select id="kind" name="kind" {
                        option value="" { (self.text("attendance.all")) }
                        @for (name, kind) in Kind::ALL {
                            option value=(name) selected[query.kind == Some(kind)] {
                                (self.about(kind, Section::Name))
                            }
                        }
                    }
                }
                div {
                    label for="user" { (self.text("exceptions.user")) }
                    input id="user" type="text" name="user" value=[query.user.as_ref()]
                        autocapitalize="none" spellcheck="false" maxlength="256";
                }
                div {
                    label for="realm" { (self.text("attendance.realm")) }
                    input id="realm" type="text" name="realm" value=[query.realm.as_ref()]
                        autocapitalize="none" spellcheck="false" maxlength="256";
                }
                @if query.calendar != "default" {
                    input type="hidden" name="calendar" value=(query.calendar);
                }
                button.primary type="submit" { (self.text("attendance.show")) }
            }
        }
    }

    fn table(&self) -> Markup {
        let zone = self.times.zone.iana_name().unwrap_or("UTC");
        html! {
            (elements::scrolling(self.text("navigation.exceptions"), &html! {
                table.rows {
                    caption { (self.times.say("attendance.zone", &[("zone", zone)])) }
                    thead {
                        tr {
                            th scope="col" { (self.text("attendance.date")) }
                            th scope="col" { (self.text("exceptions.kind")) }
                            th scope="col" { (self.text("attendance.person")) }
                            th scope="col" { (self.text("attendance.source")) }
                            th scope="col" { (self.text("exceptions.what")) }
                        }
                    }
                    tbody { @for exception in self.exceptions { (self.line(exception)) } }
                }
            }))
        }
    }

    fn line(&self, exception: &Exception) -> Markup {
        let date = exception.position.date;
        let times = Times {
            day: date,
            ..self.times.clone()
        };
        let kind = exception.kind;
        html! {
            tr {
                td { (date) }
                th scope="row" { a href={ "#" (kind.as_str()) } { (self.about(kind, Section::Name)) } }
                td { (self.person(exception)) }
                td { @if let Some(source) = &exception.source { bdi { (source) } } }
                td { (detail(exception, &times)) }
            }
        }
    }

    fn person(&self, exception: &Exception) -> Markup {
        let (Some(user), Some(realm)) = (&exception.user, &exception.realm) else {
            return html! {};
        };
        let page = PersonQuery {
            subject: Subject::Person {
                user: user.clone(),
                realm: realm.clone(),
            },
            date: exception.position.date,
            calendar: self.query.calendar.clone(),
        };
        html! {
            a href=(page.address()) { bdi { (user) } } " " span.muted { bdi { (realm) } }
        }
    }

    /// Meanings of the kinds on this page, and what to do.
    fn glossary(&self) -> Markup {
        let kinds: BTreeSet<Kind> = self
            .exceptions
            .iter()
            .map(|exception| exception.kind)
            .collect();
        html! {
            section.glossary {
                h2 { (self.text("exceptions.meaning")) }
                @for kind in kinds {
                    article id=(kind.as_str()) {
                        h3 { (self.about(kind, Section::Name)) }
                        p { (self.about(kind, Section::Meaning)) }
                        p {
                            strong { (self.text("exceptions.action")) ": " }
                            (self.about(kind, Section::Action))
                        }
                    }
                }
            }
        }
    }
}
