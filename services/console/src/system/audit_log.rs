//! `GET /console/system/audit`: the audit log with filters.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use maud::{Markup, html};
use rollcall_store::audit_log::{self, Found, Search};
use serde::Deserialize;

use super::{Tab, page as system_page, require_admin};
use crate::{
    console::Console, elements, error::Problem, form, messages::Language, moments, visitor::Visitor,
};

/// Number of entries of a page.
const PAGE: u32 = 100;

#[derive(Deserialize)]
struct Query {
    #[serde(default)]
    actor: String,
    #[serde(default)]
    action: String,
    #[serde(default)]
    from: String,
    #[serde(default)]
    to: String,
    /// Position after which the page begins, as `time,number`.
    #[serde(default)]
    after: String,
}

/// Returns the page.
pub async fn page(
    request: HttpRequest,
    visitor: Visitor,
    console: Data<Console>,
) -> Result<HttpResponse, Problem> {
    require_admin(&visitor)?;
    let query: Query = form::query(&request)?;
    let search = query.search(console.time_zone())?;
    let mut entries = console
        .pool
        .ask(async |connection| audit_log::search(connection, &search, PAGE + 1).await)
        .await?;
    let has_more = entries.len() > PAGE as usize;
    entries.truncate(PAGE as usize);
    let next = entries
        .last()
        .filter(|_| has_more)
        .map(|last| query.after(last));
    let language = visitor.frame.language;
    let content = html! {
        (filters(&query, language))
        @if entries.is_empty() {
            p { (language.text("audit.none")) }
        } @else {
            (table(&entries, language, console.time_zone()))
        }
        @if let Some(next) = next {
            p.pages { a rel="next" href=(next) { (language.text("audit.older")) } }
        }
    };
    Ok(system_page(&visitor, Tab::Audit, &content))
}

impl Query {
    fn search(&self, zone: &TimeZone) -> Result<Search, Problem> {
        let filled = |text: &str| (!text.is_empty()).then(|| text.to_owned());
        for (field, value) in [("actor", &self.actor), ("action", &self.action)] {
            if value.contains('\0') {
                return Err(Problem::bad_request("error.bad_text", &[("field", field)]));
            }
        }
        let to = form::date("to", &self.to)?.map(|date| date.tomorrow().unwrap_or(Date::MAX));
        Ok(Search {
            from: form::date("from", &self.from)?.map(|date| midnight(date, zone)),
            until: to.map(|date| midnight(date, zone)),
            actor: filled(&self.actor),
            action: filled(&self.action),
            after: self.position()?,
        })
    }

    fn position(&self) -> Result<Option<(Timestamp, i64)>, Problem> {
        if self.after.is_empty() {
            return Ok(None);
        }
        let position = self
            .after
            .split_once(',')
            .and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?)));
        position
            .map(Some)
            .ok_or_else(|| Problem::bad_request("error.bad_page", &[("got", &self.after)]))
    }

    /// Returns the address of the page after this entry.
    fn after(&self, last: &Found) -> String {
        let position = format!("{},{}", last.entry.at, last.id);
        elements::link(
            "/console/system/audit",
            &[
                ("actor", &self.actor),
                ("action", &self.action),
                ("from", &self.from),
                ("to", &self.to),
                ("after", &position),
            ],
        )
    }
}

/// Returns the first instant of a date. The last dates have no instant in some zones.
fn midnight(date: Date, zone: &TimeZone) -> Timestamp {
    date.to_zoned(zone.clone())
        .map_or(Timestamp::MAX, |midnight| midnight.timestamp())
}

fn filters(query: &Query, language: Language) -> Markup {
    let field = |id: &str, key, kind: &str, value: &str| {
        html! {
            div {
                label for=(id) { (language.text(key)) }
                input id=(id) name=(id) type=(kind) value=(value);
            }
        }
    };
    html! {
        form.filters method="get" action="/console/system/audit" {
            (field("actor", "audit.actor", "search", &query.actor))
            (field("action", "audit.action", "search", &query.action))
            (field("from", "audit.from", "date", &query.from))
            (field("to", "audit.to", "date", &query.to))
            button type="submit" { (language.text("system.search")) }
        }
    }
}

fn table(entries: &[Found], language: Language, zone: &TimeZone) -> Markup {
    let text = |key| language.text(key);
    html! {
        (elements::scrolling(text("system.audit"), &html! { table {
            caption { (text("audit.caption")) }
            thead { tr {
                th scope="col" { (text("audit.time")) }
                th scope="col" { (text("audit.actor")) }
                th scope="col" { (text("audit.action")) }
                th scope="col" { (text("audit.role")) }
                th scope="col" { (text("audit.detail")) }
            } }
            tbody {
                @for Found { entry, .. } in entries {
                    tr {
                        td { (moments::time_element(entry.at, zone)) }
                        td { (entry.actor) }
                        td { (entry.action) }
                        td { (entry.role) }
                        td { code.sample { (entry.detail) } }
                    }
                }
            }
        } }))
    }
}
