//! `GET /console/system/sources`: sources with what they have sent and what was wrong with it.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use jiff::tz::TimeZone;
use maud::{Markup, html};
use rollcall_store::sources::{self, Source};
use serde::Deserialize;

use super::{Tab, page as system_page, require_admin};
use crate::{
    console::Console,
    elements::{self, Paging},
    error::Problem,
    form,
    messages::Language,
    moments,
    times::length_of,
    visitor::Visitor,
};

const ADD: &str = "scripts/rollcall source add NAME";
const ASSUME: &str = "scripts/rollcall source set NAME --assume-complete-after 24h";
const IMPORTS_ONLY: &str = "scripts/rollcall source set NAME --imports-only true";

#[derive(Deserialize)]
struct Query {
    #[serde(default)]
    name: String,
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
    let wanted = query.name.to_lowercase();
    let mut sources = console.pool.ask(sources::list).await?;
    sources.retain(|source| source.name.to_lowercase().contains(&wanted));
    let paging = Paging::new(query.page.as_deref(), sources.len())?;
    let language = visitor.frame.language;
    let content = html! {
        (search(&query.name, language))
        @if sources.is_empty() {
            p { (language.text("sources.none")) }
        } @else {
            (table(paging.of(&sources), language, &console))
            (paging.links("/console/system/sources", &[("name", &query.name)], language))
        }
        p.hint { (language.text("sources.hint")) }
        (elements::command("add", ADD, language))
        p.hint { (language.text("sources.completeness_hint")) }
        (elements::command("assume", ASSUME, language))
        p.hint { (language.text("sources.imports_hint")) }
        (elements::command("imports", IMPORTS_ONLY, language))
    };
    Ok(system_page(&visitor, Tab::Sources, &content))
}

fn search(name: &str, language: Language) -> Markup {
    html! {
        form.filters method="get" action="/console/system/sources" {
            div {
                label for="name" { (language.text("sources.name")) }
                input id="name" name="name" type="search" value=(name) data-filter="sources";
            }
            button type="submit" { (language.text("system.search")) }
        }
    }
}

fn table(sources: &[Source], language: Language, console: &Console) -> Markup {
    let text = |key| language.text(key);
    let (zone, now) = (console.time_zone(), console.clock.now());
    html! {
        (elements::scrolling(text("system.sources"), &html! { table id="sources" {
            caption { (text("sources.caption")) }
            thead { tr {
                th scope="col" { (text("sources.name")) }
                th scope="col" { (text("sources.last_received")) }
                th scope="col" { (text("sources.last_event")) }
                th scope="col" { (text("sources.complete_through")) }
                th scope="col" { (text("sources.completeness")) }
                th scope="col" .number { (text("sources.events")) }
                th scope="col" { (text("sources.notes")) }
            } }
            tbody {
                @for source in sources {
                    tr {
                        th scope="row" { (source.name) }
                        td { (moments::optional(source.last_received_at, zone, language)) }
                        td { (moments::optional(source.last_event_at, zone, language)) }
                        td {
                            @if !source.imports_only {
                                (moments::optional(source.complete_through(now), zone, language))
                            }
                        }
                        td { (completeness(source, language)) }
                        td.number { (source.events) }
                        td { (notes(source, language, zone)) }
                    }
                }
            }
        } }))
    }
}

/// Says when rows of reports need not wait for the source any more to become final.
fn completeness(source: &Source, language: Language) -> String {
    match source.assume_complete_seconds {
        _ if source.imports_only => language.text("sources.imports_only").to_owned(),
        None => language.text("sources.stated").to_owned(),
        Some(seconds) => {
            let length = length_of(seconds.into());
            language.with("sources.assumed", &[("length", &length)])
        }
    }
}

/// Findings that need a person, each with what to do.
fn notes(source: &Source, language: Language, zone: &TimeZone) -> Markup {
    let rejected = elements::link("/console/system/rejected", &[("source", &source.name)]);
    let count = |key, number: i64| language.with(key, &[("number", &number.to_string())]);
    html! {
        ul.plain {
            @if source.disabled_at.is_some() {
                li { (elements::badge("warning", language.text("sources.disabled"))) }
            }
            @if source.gaps > 0 {
                li {
                    (elements::badge("warning", &count("sources.gaps", source.gaps))) " "
                    (moments::optional(source.last_gap_from, zone, language)) " – "
                    (moments::optional(source.last_gap_to, zone, language))
                }
            }
            @if source.clock_skewed > 0 {
                li {
                    (elements::badge("warning", &count("sources.skewed", source.clock_skewed)))
                    " " (language.text("sources.skewed_advice"))
                }
            }
            @if source.rejected > 0 {
                li {
                    a href=(rejected) {
                        (count("sources.rejected", source.rejected))
                    }
                }
            }
            @if source.set_aside > 0 {
                li {
                    (elements::badge("bad", &count("sources.set_aside", source.set_aside)))
                    " " code { "scripts/rollcall source replay " (source.name) }
                }
            }
        }
    }
}
