//! `POST /console/sign-out`: ends the session.

use actix_web::{HttpRequest, HttpResponse, cookie::Cookie, web::Data};
use serde_json::json;

use super::see_other;
use crate::{
    console::Console,
    error::Problem,
    visitor::{COOKIE, Visitor, session_id},
};

/// Ends the session and returns to the sign-in. The audit log has no entry if the session had ended
/// before or if its API client may see no page now.
pub async fn sign_out(
    request: HttpRequest,
    visitor: Result<Visitor, Problem>,
    console: Data<Console>,
) -> Result<HttpResponse, Problem> {
    if let Some(id) = session_id(&request) {
        console.sessions.end(&id).await?;
    }
    if let Ok(visitor) = visitor {
        console
            .audit(&visitor, "console.sign_out", json!({}))
            .await?;
    }
    let mut response = see_other("/console/sign-in");
    let cookie = Cookie::build(COOKIE, "")
        .path("/")
        .secure(true)
        .http_only(true);
    // The cookie has no characters that a header cannot carry.
    let _ = response.add_removal_cookie(&cookie.finish());
    Ok(response)
}
