//! `POST /console/language`: chooses the language.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
};
use rollcall_platform::request::Body;
use serde::Deserialize;

use super::{own_path, see_other};
use crate::{error::Problem, form, layout::LANGUAGE_COOKIE, messages::Language};

#[derive(Deserialize)]
struct Choice {
    language: String,
    next: String,
}

/// Sets the cookie and returns to the page.
pub async fn choose(request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    let choice: Choice = form::parse(&request, body)?;
    let language = Language::by_tag(&choice.language)
        .ok_or_else(|| Problem::bad_request("error.language", &[("language", &choice.language)]))?;
    let cookie = Cookie::build(LANGUAGE_COOKIE, language.tag())
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Strict)
        .max_age(Duration::days(365))
        .finish();
    let mut response = see_other(own_path(&choice.next));
    // The cookie has no characters that a header cannot carry.
    let _ = response.add_cookie(&cookie);
    Ok(response)
}
