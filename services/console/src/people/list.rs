//! `GET /console/people`: persons with their employee, calendar and latest login.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use jiff::{civil::Date, tz::TimeZone};
use maud::{Markup, html};
use rollcall_platform::token::ATTENDANCE_WRITE;
use rollcall_store::{
    directory::{self, KnownPerson, PeopleSelection, PersonPosition},
    persons::PersonFilter,
};
use serde::Deserialize;
use serde_json::json;

use crate::{
    console::Console, elements, error::Problem, form, layout::Entry, messages::Language, moments,
    visitor::Visitor,
};

/// Number of persons of a page.
const PAGE: u32 = 100;

#[derive(Deserialize)]
struct Query {
    #[serde(default)]
    user: String,
    #[serde(default)]
    realm: String,
    #[serde(default)]
    employee_id: String,
    #[serde(default)]
    unmapped: String,
    /// The person after which the page begins.
    #[serde(default)]
    after_user: String,
    #[serde(default)]
    after_realm: String,
}

/// Returns the page.
pub async fn page(
    request: HttpRequest,
    visitor: Visitor,
    console: Data<Console>,
) -> Result<HttpResponse, Problem> {
    let query: Query = form::query(&request)?;
    let selection = query.selection(console.reports.today())?;
    let detail = json!({
        "user": query.user, "realm": query.realm, "employee_id": query.employee_id,
        "unmapped": query.unmapped,
    });
    console.audit(&visitor, "console.people", detail).await?;
    let after = query.after();
    let mut people = console
        .pool
        .ask(async |connection| {
            directory::people(connection, &selection, after.as_ref(), PAGE + 1).await
        })
        .await?;
    let has_more = people.len() > PAGE as usize;
    people.truncate(PAGE as usize);
    let next = people
        .last()
        .filter(|_| has_more)
        .map(|last| query.next(last));
    let language = visitor.frame.language;
    let content = html! {
        @if visitor.may(ATTENDANCE_WRITE) {
            p { a href="/console/people/mapping" { (language.text("people.upload")) } }
        }
        (filters(&query, language))
        @if people.is_empty() {
            p { (language.text("people.none")) }
        } @else {
            (table(&people, language, console.time_zone()))
        }
        @if let Some(next) = next {
            p.pages { a rel="next" href=(next) { (language.text("pages.next")) } }
        }
    };
    Ok(visitor.page(Entry::People, language.text("navigation.people"), content))
}

impl Query {
    fn selection(&self, today: Date) -> Result<PeopleSelection, Problem> {
        let list = |field, value: &str| {
            if value.contains('\0') {
                return Err(Problem::bad_request("error.bad_text", &[("field", field)]));
            }
            let filled = (!value.is_empty()).then(|| value.to_owned());
            Ok(filled.into_iter().collect::<Vec<_>>())
        };
        list("after_user", &self.after_user)?;
        list("after_realm", &self.after_realm)?;
        Ok(PeopleSelection {
            persons: PersonFilter {
                users: list("user", &self.user)?,
                realms: list("realm", &self.realm)?,
                employee_ids: list("employee_id", &self.employee_id)?,
            },
            is_unmapped: match self.unmapped.as_str() {
                "" => None,
                "true" => Some(true),
                "false" => Some(false),
                got => return Err(Problem::bad_request("people.bad_unmapped", &[("got", got)])),
            },
            without_sessions_since: None,
            today,
        })
    }

    fn after(&self) -> Option<PersonPosition> {
        (!self.after_user.is_empty()).then(|| PersonPosition {
            user: self.after_user.clone(),
            realm: self.after_realm.clone(),
        })
    }

    /// Returns the address of the page after this person.
    fn next(&self, last: &KnownPerson) -> String {
        let position = last.position();
        elements::link(
            "/console/people",
            &[
                ("user", &self.user),
                ("realm", &self.realm),
                ("employee_id", &self.employee_id),
                ("unmapped", &self.unmapped),
                ("after_user", &position.user),
                ("after_realm", &position.realm),
            ],
        )
    }
}

fn filters(query: &Query, language: Language) -> Markup {
    let field = |id: &str, key, value: &str| {
        html! {
            div {
                label for=(id) { (language.text(key)) }
                input id=(id) name=(id) type="search" value=(value);
            }
        }
    };
    let choices = [
        ("", language.text("people.all")),
        ("true", language.text("people.unmapped")),
        ("false", language.text("people.mapped")),
    ];
    html! {
        form.filters method="get" action="/console/people" {
            (field("user", "people.user", &query.user))
            (field("realm", "people.realm", &query.realm))
            (field("employee_id", "people.employee_id", &query.employee_id))
            div {
                label for="unmapped" { (language.text("people.show")) }
                select id="unmapped" name="unmapped" {
                    @for (value, name) in choices {
                        option value=(value) selected[value == query.unmapped] { (name) }
                    }
                }
            }
            button type="submit" { (language.text("system.search")) }
        }
    }
}

fn table(people: &[KnownPerson], language: Language, zone: &TimeZone) -> Markup {
    let text = |key| language.text(key);
    html! {
        (elements::scrolling(text("navigation.people"), &html! { table {
            caption { (text("people.caption")) }
            thead { tr {
                th scope="col" { (text("people.user")) }
                th scope="col" { (text("people.realm")) }
                th scope="col" { (text("people.employee_id")) }
                th scope="col" { (text("people.calendar")) }
                th scope="col" { (text("people.last_login")) }
            } }
            tbody {
                @for person in people {
                    tr {
                        th scope="row" {
                            a href=(elements::link("/console/person",
                                &[("user", &person.user), ("realm", &person.realm)])) {
                                (person.user)
                            }
                        }
                        td { (person.realm) }
                        td {
                            @match &person.employee_id {
                                Some(id) => { (id) }
                                None => { (elements::badge("warning", text("people.no_employee"))) }
                            }
                        }
                        td { (person.calendar) }
                        td { (moments::optional(person.last_login_at, zone, language)) }
                    }
                }
            }
        } }))
    }
}
