//! `GET /console/system/rejected`: what ingestion rejected, with a sample of each reason.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rollcall_store::{
    rejected_inputs::{self, Row},
    sources,
};
use serde::Deserialize;

use super::{Tab, page as system_page, require_admin};
use crate::{
    console::Console,
    elements::{self, Paging},
    error::Problem,
    form,
    messages::Language,
    moments,
    visitor::Visitor,
};

#[derive(Deserialize)]
struct Query {
    #[serde(default)]
    source: String,
    #[serde(default)]
    page: Option<String>,
}

/// Returns the page.
pub async fn page(
    request: HttpRequest,
    visitor: Visitor,
    console: Data<Console>,
) -> Result<HttpResponse, Problem> {
    require_admin(&visitor)?;
    let query: Query = form::query(&request)?;
    let rows = rows(&console, &query.source).await?;
    let paging = Paging::new(query.page.as_deref(), rows.len())?;
    let language = visitor.frame.language;
    let content = html! {
        form.filters method="get" action="/console/system/rejected" {
            div {
                label for="source" { (language.text("rejected.source")) }
                input id="source" name="source" type="search" value=(query.source);
            }
            button type="submit" { (language.text("system.search")) }
        }
        @if rows.is_empty() {
            p { (language.text("rejected.none")) }
        } @else {
            (table(paging.of(&rows), language, console.time_zone()))
            (paging.links("/console/system/rejected", &[("source", &query.source)], language))
            p.hint { (language.text("rejected.hint")) }
            (elements::command("reset", "scripts/rollcall source rejected NAME --reset", language))
        }
    };
    Ok(system_page(&visitor, Tab::Rejected, &content))
}

/// Returns the rejected input of the source with this name, or of all if the name is empty.
async fn rows(console: &Console, source: &str) -> Result<Vec<Row>, Problem> {
    if source.is_empty() {
        let all = console
            .pool
            .ask(async |connection| rejected_inputs::list(connection, None).await);
        return Ok(all.await?);
    }
    let unknown = || Problem::bad_request("rejected.unknown_source", &[("source", source)]);
    if source.contains('\0') {
        return Err(unknown());
    }
    let id = console
        .pool
        .ask(async |connection| sources::id_of(connection, source).await);
    let id = id.await?.ok_or_else(unknown)?;
    let rows = console
        .pool
        .ask(async |connection| rejected_inputs::list(connection, Some(id)).await);
    Ok(rows.await?)
}

fn table(rows: &[Row], language: Language, zone: &TimeZone) -> Markup {
    let text = |key| language.text(key);
    html! {
        (elements::scrolling(text("system.rejected"), &html! { table {
            caption { (text("rejected.caption")) }
            thead { tr {
                th scope="col" { (text("rejected.source")) }
                th scope="col" { (text("rejected.receiver")) }
                th scope="col" { (text("rejected.reason")) }
                th scope="col" .number { (text("rejected.count")) }
                th scope="col" { (text("rejected.last")) }
                th scope="col" { (text("rejected.sample")) }
            } }
            tbody {
                @for row in rows {
                    tr {
                        th scope="row" {
                            (row.source.as_deref().unwrap_or(text("rejected.unknown_address")))
                        }
                        td { (row.receiver) }
                        td { (row.reason) }
                        td.number { (row.count) }
                        td { (moments::time_element(row.last_at, zone)) }
                        td { code.sample { (row.sample) } }
                    }
                }
            }
        } }))
    }
}
