//! `GET /console/system`: health and versions of the services, and certificates.

use actix_web::{HttpResponse, web::Data};
use jiff::{SignedDuration, tz::TimeZone};
use maud::{Markup, html};
use rollcall_store::heartbeats::{self, Heartbeat, INTERVAL};

use super::{
    Tab,
    certificates::{Certificate, checked_at},
    page as system_page, require_admin,
};
use crate::{
    console::Console, elements, error::Problem, messages::Language, moments, visitor::Visitor,
};

/// Services that write heartbeats. Ingestion writes those of the receiver.
const SERVICES: [&str; 6] = [
    "auth",
    "console",
    "ingestion",
    "maintenance",
    "receiver",
    "reporting",
];
/// Time after which `ca`, which checks the certificates once an hour, counts as silent.
const MAX_SINCE_CHECK: SignedDuration = SignedDuration::from_hours(2);

/// Returns the page.
pub async fn page(visitor: Visitor, console: Data<Console>) -> Result<HttpResponse, Problem> {
    require_admin(&visitor)?;
    let replicas = console.pool.ask(heartbeats::list).await?;
    let certificates = Certificate::all(&console.certificate_directory);
    let language = visitor.frame.language;
    let content = html! {
        h2 { (language.text("system.services")) }
        (services(&replicas, &console, language))
        p.hint { (language.text("system.other_services")) }
        (elements::command("status", "scripts/status", language))
        h2 { (language.text("system.certificates")) }
        @if certificates.is_empty() {
            p { (language.text("system.no_certificates")) }
            (elements::command("certificates", "scripts/status", language))
        } @else {
            (certificate_table(&certificates, &console, language))
            p.hint { (language.text("system.certificate_hint")) }
            (elements::command("new-ca", "scripts/up --new-ca", language))
        }
    };
    Ok(system_page(&visitor, Tab::Overview, &content))
}

fn services(replicas: &[Heartbeat], console: &Console, language: Language) -> Markup {
    let zone = console.time_zone();
    let text = |key| language.text(key);
    html! {
        (elements::scrolling(text("system.services"), &html! { table {
            caption { (text("system.services_caption")) }
            thead { tr {
                th scope="col" { (text("system.service")) }
                th scope="col" { (text("system.state")) }
                th scope="col" { (text("system.replica")) }
                th scope="col" { (text("system.version")) }
                th scope="col" { (text("system.started")) }
            } }
            tbody {
                @for service in SERVICES {
                    @let own = replicas.iter().filter(|replica| replica.service == service);
                    @if own.clone().count() == 0 {
                        tr { th scope="row" { (service) } td colspan="4" { (unheard(service, language)) } }
                    }
                    @for replica in own {
                        tr {
                            th scope="row" { (service) }
                            td { (state(replica, language)) }
                            td { (replica.replica) }
                            td { (replica.version) }
                            td { (moments::time_element(replica.started_at, zone)) }
                        }
                    }
                }
                (authority(console, zone, language))
            }
        } }))
    }
}

/// The row of the certificate authority. It has no network, so only the time of its latest check of
/// the certificates is known.
fn authority(console: &Console, zone: &TimeZone, language: Language) -> Markup {
    let checked_at = checked_at(&console.certificate_directory);
    let now = console.clock.now();
    let is_recent = checked_at.is_some_and(|at| now.duration_since(at) < MAX_SINCE_CHECK);
    html! {
        tr {
            th scope="row" { "ca" }
            td colspan="4" {
                @if is_recent {
                    (elements::badge("good", language.text("system.healthy")))
                } @else {
                    (unheard("ca", language))
                }
                @if let Some(at) = checked_at {
                    " " (language.text("system.checked")) " " (moments::time_element(at, zone))
                }
            }
        }
    }
}

/// Says that a service has been silent for an hour, and how to start it.
fn unheard(service: &str, language: Language) -> Markup {
    html! {
        (elements::badge("bad", language.text("system.not_heard")))
        " " code { "docker compose up --detach " (service) }
    }
}

/// A replica that has missed two heartbeats is silent.
fn state(replica: &Heartbeat, language: Language) -> Markup {
    let max_age = 3 * INTERVAL.as_secs();
    if u64::try_from(replica.age_seconds).unwrap_or(0) > max_age {
        let seconds = replica.age_seconds.to_string();
        let text = language.with("system.silent", &[("seconds", &seconds)]);
        return elements::badge("bad", &text);
    }
    if replica.missing.is_empty() {
        return elements::badge("good", language.text("system.healthy"));
    }
    html! {
        (elements::badge("warning", language.text("system.unhealthy"))) " " (replica.missing)
    }
}

/// Returns the class of a number of days. `scripts/status` has the same limits.
fn urgency(days: i64) -> &'static str {
    match days {
        ..7 => "bad",
        7..29 => "warning",
        _ => "good",
    }
}

fn certificate_table(
    certificates: &[Certificate],
    console: &Console,
    language: Language,
) -> Markup {
    let text = |key| language.text(key);
    let now = console.clock.now();
    html! {
        (elements::scrolling(text("system.certificates"), &html! { table {
            caption { (text("system.certificates_caption")) }
            thead { tr {
                th scope="col" { (text("system.file")) }
                th scope="col" { (text("system.subject")) }
                th scope="col" { (text("system.valid_until")) }
                th scope="col" { (text("system.days_left")) }
            } }
            tbody {
                @for certificate in certificates {
                    @let days = certificate.days_left(now);
                    tr {
                        th scope="row" { (certificate.file) }
                        td { (certificate.subject) }
                        td { (moments::time_element(certificate.not_after, console.time_zone())) }
                        td {
                            (elements::badge(urgency(days), &days.to_string()))
                        }
                    }
                }
            }
        } }))
    }
}
