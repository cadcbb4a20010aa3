//! Pages about the system, for the scope `admin`. They only show: where something is to be done,
//! they name the command.
#![allow(
    clippy::missing_errors_doc,
    reason = "an error of a page is a page, and the module `error` lists them"
)]

pub mod api_clients;
pub mod audit_log;
pub mod certificates;
pub mod overview;
pub mod rejected;
pub mod sources;

use actix_web::{HttpResponse, web};
use maud::{Markup, html};
use rollcall_platform::token::ADMIN;

use crate::{error::Problem, layout::Entry, messages::Language, routes::only, visitor::Visitor};

/// Adds the routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(only("/system", vec![web::get().to(overview::page)]))
        .service(only("/system/sources", vec![web::get().to(sources::page)]))
        .service(only(
            "/system/rejected",
            vec![web::get().to(rejected::page)],
        ))
        .service(only(
            "/system/clients",
            vec![web::get().to(api_clients::page)],
        ))
        .service(only("/system/audit", vec![web::get().to(audit_log::page)]));
}

/// A page about the system.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tab {
    Overview,
    Sources,
    Rejected,
    Clients,
    Audit,
}

impl Tab {
    const ALL: [Self; 5] = [
        Self::Overview,
        Self::Sources,
        Self::Rejected,
        Self::Clients,
        Self::Audit,
    ];

    fn path(self) -> &'static str {
        match self {
            Self::Overview => "/console/system",
            Self::Sources => "/console/system/sources",
            Self::Rejected => "/console/system/rejected",
            Self::Clients => "/console/system/clients",
            Self::Audit => "/console/system/audit",
        }
    }

    fn name(self, language: Language) -> &'static str {
        language.text(match self {
            Self::Overview => "system.overview",
            Self::Sources => "system.sources",
            Self::Rejected => "system.rejected",
            Self::Clients => "system.clients",
            Self::Audit => "system.audit",
        })
    }
}

/// Returns a page with the links to the other pages about the system.
fn page(visitor: &Visitor, tab: Tab, content: &Markup) -> HttpResponse {
    let language = visitor.frame.language;
    let content = html! {
        nav.tabs aria-label=(language.text("navigation.system")) {
            ul {
                @for other in Tab::ALL {
                    li {
                        a href=(other.path()) aria-current=[(other == tab).then_some("page")] {
                            (other.name(language))
                        }
                    }
                }
            }
        }
        (content)
    };
    visitor.page(Entry::System, tab.name(language), content)
}

/// Requires the scope `admin`.
fn require_admin(visitor: &Visitor) -> Result<(), Problem> {
    visitor.require(ADMIN)
}
