//! `GET /console/first-steps`: leads the operator from an empty installation to the first report.

use actix_web::{HttpResponse, web::Data};
use maud::{Markup, html};
use rollcall_platform::token::ADMIN;
use rollcall_store::sources::{self, Source};

use crate::{
    console::Console,
    elements,
    error::Problem,
    layout::{self, Entry},
    messages::Language,
    moments,
    visitor::Visitor,
};

/// Time after which the page looks for new events, in seconds.
const REFRESH_SECONDS: u32 = 5;
/// Number of sources that are shown.
const SHOWN: usize = 10;

/// Returns the page.
pub async fn page(visitor: Visitor, console: Data<Console>) -> Result<HttpResponse, Problem> {
    visitor.require(ADMIN)?;
    let mut sources = console.pool.ask(sources::list).await?;
    sources.sort_by_key(|source| std::cmp::Reverse(source.last_received_at));
    let has_events = sources.iter().any(|source| source.events > 0);
    let language = visitor.frame.language;
    let text = |key| language.text(key);
    let content = html! {
        ol.steps {
            li {
                h2 {
                    (text("first_steps.register")) " "
                    span data-live id="registered" { (mark(!sources.is_empty(), language)) }
                }
                p { (text("first_steps.register_how")) }
                (elements::command("source", "scripts/rollcall source add gateway-1", language))
            }
            li {
                h2 {
                    (text("first_steps.send")) " "
                    span data-live id="sent" { (mark(has_events, language)) }
                }
                p { (text("first_steps.send_how")) }
                (elements::command("send", &send(&console), language))
            }
            li {
                h2 { (text("first_steps.arrive")) }
                p { (text("first_steps.arrive_how")) }
                div data-live id="arrivals" aria-live="polite" {
                    (arrivals(&sources, &console, language))
                }
            }
            li {
                h2 { (text("first_steps.call")) }
                p { (text("first_steps.call_how")) }
                (elements::command("token", &token(&console), language))
                (elements::command("report", &report(&console), language))
                p { a href="/api/docs/" { (text("first_steps.docs")) } }
            }
        }
    };
    let frame = visitor
        .frame
        .at(Entry::FirstSteps)
        .refreshed(REFRESH_SECONDS);
    Ok(layout::page(
        &frame,
        language.text("navigation.first_steps"),
        content,
    ))
}

fn mark(is_done: bool, language: Language) -> Markup {
    if is_done {
        elements::badge("good", language.text("first_steps.done"))
    } else {
        elements::badge("warning", language.text("first_steps.open"))
    }
}

fn arrivals(sources: &[Source], console: &Console, language: Language) -> Markup {
    let text = |key| language.text(key);
    let zone = console.time_zone();
    html! {
        @if sources.is_empty() {
            p { (text("first_steps.no_source")) }
        } @else {
            (elements::scrolling(text("first_steps.arrive"), &html! { table {
                caption { (text("first_steps.latest")) }
                thead { tr {
                    th scope="col" { (text("sources.name")) }
                    th scope="col" .number { (text("sources.events")) }
                    th scope="col" { (text("sources.last_received")) }
                } }
                tbody {
                    @for source in sources.iter().take(SHOWN) {
                        tr {
                            th scope="row" { (source.name) }
                            td.number { (source.events) }
                            td { (moments::optional(source.last_received_at, zone, language)) }
                        }
                    }
                }
            } }))
        }
    }
}

/// Returns the command that sends a login of this moment.
fn send(console: &Console) -> String {
    let now = console.clock.now().to_zoned(console.time_zone().clone());
    let now = now.strftime("%Y-%m-%dT%H:%M:%S%:z");
    format!(
        r#"curl --cacert .rollcall/ca.pem {}/api/v1/ingestion/events \
  -H "Authorization: Bearer SOURCE_KEY" -H "Content-Type: application/json" \
  -d '{{"event_id":"first-1","type":"login","session_id":"first-1",
       "user":"user_4","occurred_at":"{now}"}}'"#,
        console.url
    )
}

fn token(console: &Console) -> String {
    format!(
        r#"TOKEN=$(curl --cacert .rollcall/ca.pem {}/api/v1/auth/connect \
  -H "Content-Type: application/json" -d @.rollcall/first-client.json |
  sed 's/.*"token":"\([^"]*\)".*/\1/')"#,
        console.url
    )
}

fn report(console: &Console) -> String {
    let today = console
        .clock
        .now()
        .to_zoned(console.time_zone().clone())
        .date();
    format!(
        r#"curl --cacert .rollcall/ca.pem -H "Authorization: Bearer $TOKEN" \
  "{}/api/v2/attendance?start_date={today}&end_date={today}""#,
        console.url
    )
}
