//! The parts that surround each page: head, navigation, language switch and sign-out.

use actix_web::{
    HttpMessage, HttpRequest, HttpResponse,
    http::{StatusCode, header},
};
use maud::{DOCTYPE, Markup, html};

use crate::{
    assets::{ICON, MODULE, STYLESHEET},
    messages::Language,
};

/// Name of the cookie with the chosen language.
pub const LANGUAGE_COOKIE: &str = "__Host-language";

/// The API client of the visitor, as the head of a page shows it.
#[derive(Debug, Clone)]
pub struct Account {
    /// Name of the API client.
    pub client: String,
    /// True if the client may see the pages of the system.
    pub is_admin: bool,
}

/// Entry of the navigation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "named as in the navigation")]
pub enum Entry {
    Attendance,
    Exceptions,
    People,
    System,
    FirstSteps,
}

impl Entry {
    const ALL: [Self; 5] = [
        Self::Attendance,
        Self::Exceptions,
        Self::People,
        Self::System,
        Self::FirstSteps,
    ];

    fn path(self) -> &'static str {
        match self {
            Self::Attendance => "/console/",
            Self::Exceptions => "/console/exceptions",
            Self::People => "/console/people",
            Self::System => "/console/system",
            Self::FirstSteps => "/console/first-steps",
        }
    }

    fn name(self, language: Language) -> &'static str {
        language.text(match self {
            Self::Attendance => "navigation.attendance",
            Self::Exceptions => "navigation.exceptions",
            Self::People => "navigation.people",
            Self::System => "navigation.system",
            Self::FirstSteps => "navigation.first_steps",
        })
    }

    fn is_for_admins(self) -> bool {
        matches!(self, Self::System | Self::FirstSteps)
    }
}

/// Parts that surround a page.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Language of the page.
    pub language: Language,
    /// Path and query of the page.
    pub path: String,
    account: Option<Account>,
    entry: Option<Entry>,
    refresh_seconds: Option<u32>,
}

impl Frame {
    /// Returns the frame of the page that a request asks for.
    #[must_use]
    pub fn of(request: &HttpRequest) -> Self {
        let path = request.uri().path_and_query();
        Self {
            language: language(request),
            path: path.map_or_else(String::new, ToString::to_string),
            account: request.extensions().get::<Account>().cloned(),
            entry: None,
            refresh_seconds: None,
        }
    }

    /// Marks an entry of the navigation.
    #[must_use]
    pub fn at(mut self, entry: Entry) -> Self {
        self.entry = Some(entry);
        self
    }

    /// Makes the browser load the page again and again.
    #[must_use]
    pub fn refreshed(mut self, seconds: u32) -> Self {
        self.refresh_seconds = Some(seconds);
        self
    }
}

/// Returns host and port by which the browser calls this installation. The reverse proxy sets
/// `X-Forwarded-Host`.
#[must_use]
pub fn host(request: &HttpRequest) -> String {
    let value = |name: &str| request.headers().get(name)?.to_str().ok();
    value("x-forwarded-host")
        .or_else(|| value(header::HOST.as_str()))
        .unwrap_or_default()
        .to_owned()
}

fn language(request: &HttpRequest) -> Language {
    let chosen = request.cookie(LANGUAGE_COOKIE);
    chosen
        .and_then(|cookie| Language::by_tag(cookie.value()))
        .unwrap_or_else(|| {
            let accepted = request.headers().get(header::ACCEPT_LANGUAGE);
            let accepted = accepted.and_then(|value| value.to_str().ok());
            Language::preferred(accepted.unwrap_or_default())
        })
}

/// Returns a page with status 200.
#[must_use]
pub fn page(frame: &Frame, title: &str, content: Markup) -> HttpResponse {
    page_with_status(StatusCode::OK, frame, title, content)
}

/// Returns a page with any status.
#[must_use]
#[allow(
    clippy::needless_pass_by_value,
    reason = "callers write html! in place"
)]
pub fn page_with_status(
    status: StatusCode,
    frame: &Frame,
    title: &str,
    content: Markup,
) -> HttpResponse {
    let page = html! {
        (DOCTYPE)
        html lang=(frame.language.tag()) {
            (head(frame, title))
            body {
                a.skip href="#main" { (frame.language.text("layout.skip")) }
                (banner(frame))
                main id="main" tabindex="-1" data-refresh=[frame.refresh_seconds] {
                    h1 { (title) }
                    (content)
                }
            }
        }
    };
    HttpResponse::build(status)
        .content_type("text/html; charset=utf-8")
        .body(page.into_string())
}

fn head(frame: &Frame, title: &str) -> Markup {
    html! {
        head {
            meta charset="utf-8";
            meta name="viewport" content="width=device-width, initial-scale=1";
            meta name="color-scheme" content="light dark";
            @if let Some(seconds) = frame.refresh_seconds {
                noscript { meta http-equiv="refresh" content=(seconds); }
            }
            title { (title) " – Rollcall" }
            link rel="icon" type="image/svg+xml" href=(ICON.path);
            link rel="stylesheet" href=(STYLESHEET.path);
            script type="module" src=(MODULE.path) {}
        }
    }
}

fn banner(frame: &Frame) -> Markup {
    let text = |key| frame.language.text(key);
    html! {
        header.banner {
            a.brand href="/console/" { "Rollcall" }
            @if let Some(account) = &frame.account {
                nav aria-label=(text("layout.navigation")) {
                    ul {
                        @for entry in Entry::ALL {
                            @if account.is_admin || !entry.is_for_admins() {
                                @let is_current = frame.entry == Some(entry);
                                li {
                                    a href=(entry.path())
                                        aria-current=[is_current.then_some("page")]
                                        { (entry.name(frame.language)) }
                                }
                            }
                        }
                    }
                }
            }
            div.tools {
                (language_switch(frame))
                @if let Some(account) = &frame.account {
                    form method="post" action="/console/sign-out" {
                        span.account { (account.client) }
                        button type="submit" { (text("layout.sign_out")) }
                    }
                }
            }
        }
    }
}

fn language_switch(frame: &Frame) -> Markup {
    html! {
        form.languages method="post" action="/console/language"
            aria-label=(frame.language.text("layout.language")) {
            input type="hidden" name="next" value=(frame.path);
            @for language in Language::ALL {
                button type="submit" name="language" value=(language.tag()) lang=(language.tag())
                    aria-pressed=(language == frame.language) { (language.name()) }
            }
        }
    }
}
