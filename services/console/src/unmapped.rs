//! The page in place of a file for an HR system while persons lack an employee.

use actix_web::{HttpResponse, http::StatusCode};
use maud::{Markup, html};
use rollcall_platform::token::ATTENDANCE_WRITE;
use rollcall_reports::{Admission, Unavailable};
use rollcall_store::attendance::{self, Selection};

use crate::{
    attendance::query::Query,
    layout::{self, Entry},
    person::query::{Query as PersonQuery, Subject},
    visitor::Visitor,
};

/// Maximum number of persons that the page lists.
const MAX_LISTED: usize = 100;

/// Returns the display forms (user, realm) of the persons of a selection who are mapped to no
/// employee, so that no HR system can take them.
///
/// # Errors
/// The database does not answer.
pub async fn persons(
    admission: &Admission<'_>,
    selection: &Selection,
) -> Result<Vec<(String, String)>, Unavailable> {
    admission
        .read(async |connection, _| attendance::unmapped(connection, selection).await)
        .await
}

/// Returns the page with status 409. It lists the persons and says who can map them.
#[must_use]
pub fn page(visitor: &Visitor, query: &Query, persons: &[(String, String)]) -> HttpResponse {
    let language = visitor.frame.language;
    let count = persons.len().to_string();
    let shown = persons.len().min(MAX_LISTED).to_string();
    let content = html! {
        div.error role="alert" {
            p { (language.with("unmapped.persons", &[("count", &count)])) }
            @if visitor.may(ATTENDANCE_WRITE) {
                p { (language.text("unmapped.map")) }
                p { a href="/console/people/mapping" { (language.text("people.upload")) } }
            } @else {
                p { (language.with("unmapped.ask", &[("scope", ATTENDANCE_WRITE)])) }
            }
        }
        @if persons.len() > MAX_LISTED {
            p { (language.with("unmapped.first", &[("shown", &shown), ("count", &count)])) }
        }
        ul { @for person in persons.iter().take(MAX_LISTED) { li { (link(query, person)) } } }
    };
    let frame = visitor.frame.clone().at(Entry::Attendance);
    let title = language.text("error.title");
    layout::page_with_status(StatusCode::CONFLICT, &frame, title, content)
}

fn link(query: &Query, (user, realm): &(String, String)) -> Markup {
    let page = PersonQuery {
        subject: Subject::Person {
            user: user.clone(),
            realm: realm.clone(),
        },
        date: query.date,
        calendar: query.calendar.clone(),
    };
    html! { a href=(page.address()) { bdi { (user) } } " " span.muted { bdi { (realm) } } }
}
