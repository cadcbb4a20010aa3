//! `GET /console/system/clients`: API clients with their latest sign-in and their locks.

use actix_web::{HttpResponse, web::Data};
use maud::{Markup, html};
use rollcall_store::api_clients::{self, ApiClient};

use super::{Tab, page as system_page, require_admin};
use crate::{
    console::Console, elements, error::Problem, messages::Language, moments, visitor::Visitor,
};

const ADD: &str = "scripts/rollcall client add NAME --scope reporting:read";

/// Returns the page.
pub async fn page(visitor: Visitor, console: Data<Console>) -> Result<HttpResponse, Problem> {
    require_admin(&visitor)?;
    let now = console.clock.now();
    let clients = console
        .pool
        .ask(async |connection| api_clients::list(connection, now).await)
        .await?;
    let language = visitor.frame.language;
    let text = |key| language.text(key);
    let zone = console.time_zone();
    let content = html! {
        (elements::scrolling(text("system.clients"), &html! { table {
            caption { (text("clients.caption")) }
            thead { tr {
                th scope="col" { (text("clients.name")) }
                th scope="col" { (text("clients.scopes")) }
                th scope="col" { (text("clients.last_sign_in")) }
                th scope="col" { (text("clients.added")) }
                th scope="col" { (text("clients.notes")) }
            } }
            tbody {
                @for client in &clients {
                    tr {
                        th scope="row" { (client.name) }
                        td { (client.scope) }
                        td { (moments::optional(client.last_sign_in_at, zone, language)) }
                        td { (moments::time_element(client.created_at, zone)) }
                        td { (notes(client, &console, language)) }
                    }
                }
            }
        } }))
        p.hint { (text("clients.hint")) }
        (elements::command("client", ADD, language))
    };
    Ok(system_page(&visitor, Tab::Clients, &content))
}

fn notes(client: &ApiClient, console: &Console, language: Language) -> Markup {
    let until = |at| moments::optional(at, console.time_zone(), language);
    html! {
        ul.plain {
            @if client.disabled_at.is_some() {
                li {
                    (elements::badge("warning", language.text("clients.disabled")))
                    " " code { "scripts/rollcall client rotate " (client.name) }
                }
            }
            @if client.locked_until.is_some() {
                li {
                    (elements::badge("warning", language.text("clients.locked")))
                    " " (until(client.locked_until))
                    " " code { "scripts/rollcall client unlock " (client.name) }
                }
            }
            @if client.new_addresses_closed_until.is_some() {
                li {
                    (elements::badge("warning", language.text("clients.closed")))
                    " " (until(client.new_addresses_closed_until))
                    " " code { "scripts/rollcall client unlock " (client.name) }
                }
            }
        }
    }
}
