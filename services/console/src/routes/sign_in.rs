//! `/console/sign-in`: signs a visitor in as an API client.

use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite},
    http::{StatusCode, header::RETRY_AFTER},
    web::Data,
};
use maud::html;
use rollcall_platform::{request::Body, token::REPORTING_READ};
use rollcall_store::{api_clients, audit_log};
use secrecy::SecretString;
use serde::Deserialize;
use serde_json::json;

use super::{own_path, see_other};
use crate::{
    auth::{Credentials, SignInError},
    console::Console,
    elements,
    error::Problem,
    form,
    layout::{self, Frame},
    visitor::{COOKIE, grants, session_id},
};

const ADD: &str = "scripts/rollcall client add NAME --scope reporting:read";

#[derive(Deserialize)]
struct Query {
    #[serde(default)]
    next: String,
}

#[derive(Deserialize)]
struct Form {
    name: String,
    password: SecretString,
    #[serde(default)]
    next: String,
}

/// Returns the page with the form.
pub async fn page(request: HttpRequest) -> HttpResponse {
    let query = serde_urlencoded::from_str::<Query>(request.query_string());
    let next = query.map(|query| query.next).unwrap_or_default();
    let frame = Frame::of(&request);
    layout::page(
        &frame,
        frame.language.text("sign_in.title"),
        form(&frame, &next, "", None),
    )
}

/// Signs in, begins a session and redirects to the page that was asked for.
pub async fn sign_in(
    request: HttpRequest,
    body: Body,
    console: Data<Console>,
) -> Result<HttpResponse, Problem> {
    let Form {
        name,
        password,
        next,
    } = form::parse(&request, body)?;
    let address = address(&request);
    let credentials = Credentials {
        name: name.trim().to_owned(),
        password,
        address: address.clone(),
    };
    // Read before the password is checked, so that a password that is replaced meanwhile does not
    // begin a session of the new one.
    let version = password_version(&console, &credentials.name).await?;
    let scopes = match console.auth.scopes(&credentials).await {
        Ok(scopes) => scopes,
        Err(SignInError::Unavailable) => return Err(Problem::unavailable("error.auth")),
        Err(error) => return Ok(again(&Frame::of(&request), &next, &credentials.name, error)),
    };
    if !grants(&scopes, REPORTING_READ) {
        return Err(Problem::forbidden(REPORTING_READ));
    }
    let client = credentials.name;
    let signed_out = || Problem::signed_out(own_path(&next));
    let version = version.ok_or_else(signed_out)?;
    // A session that the browser had before must not outlive the cookie that named it.
    if let Some(id) = session_id(&request) {
        console.sessions.end(&id).await?;
    }
    let written = console.pool.ask(async |connection| {
        let detail = json!({"address": address});
        audit_log::write_for_client(connection, &client, "console.sign_in", detail).await
    });
    if !written.await? {
        return Err(signed_out());
    }
    let id = console.sessions.begin(client, version).await?;
    let mut response = see_other(own_path(&next));
    // The cookie has no characters that a header cannot carry.
    let _ = response.add_cookie(&cookie(&id));
    Ok(response)
}

/// Returns the number of the client's password, if there is such a client. PostgreSQL rejects text
/// with NUL, which no name has.
async fn password_version(console: &Console, name: &str) -> Result<Option<i32>, Problem> {
    if name.contains('\0') {
        return Ok(None);
    }
    let permission = console
        .pool
        .ask(async |connection| api_clients::permission(connection, name).await);
    Ok(permission.await?.map(|known| known.password_version))
}

/// Returns the cookie of a session. It ends with the browser: Redis decides how long it is valid.
fn cookie(id: &str) -> Cookie<'_> {
    Cookie::build(COOKIE, id)
        .path("/")
        .secure(true)
        .http_only(true)
        .same_site(SameSite::Strict)
        .finish()
}

/// Returns the address by which `auth` counts sign-ins. The reverse proxy overwrites
/// `X-Forwarded-For` with the address of its peer.
fn address(request: &HttpRequest) -> String {
    let forwarded = request.headers().get("x-forwarded-for");
    let forwarded = forwarded.and_then(|value| value.to_str().ok());
    let peer = || request.peer_addr().map(|peer| peer.ip().to_string());
    forwarded
        .map(ToOwned::to_owned)
        .or_else(peer)
        .unwrap_or_default()
}

/// Returns the page with the form and the reason why the sign-in failed.
fn again(frame: &Frame, next: &str, name: &str, error: SignInError) -> HttpResponse {
    let (status, key) = match error {
        SignInError::TooMany => (StatusCode::TOO_MANY_REQUESTS, "sign_in.too_many"),
        _ => (StatusCode::UNAUTHORIZED, "sign_in.wrong"),
    };
    let message = frame.language.text(key);
    let content = form(frame, next, name, Some(message));
    let title = frame.language.text("sign_in.title");
    let mut response = layout::page_with_status(status, frame, title, content);
    if status == StatusCode::TOO_MANY_REQUESTS {
        response.headers_mut().insert(RETRY_AFTER, 1.into());
    }
    response
}

fn form(frame: &Frame, next: &str, name: &str, message: Option<&str>) -> maud::Markup {
    let text = |key| frame.language.text(key);
    html! {
        @if let Some(message) = message {
            p.error role="alert" id="error" { (message) }
        }
        form.stacked method="post" action="/console/sign-in" {
            input type="hidden" name="next" value=(own_path(next));
            label for="name" { (text("sign_in.name")) }
            input id="name" name="name" value=(name) required autocomplete="username"
                autocapitalize="none" spellcheck="false"
                aria-describedby=[message.map(|_| "error")];
            label for="password" { (text("sign_in.password")) }
            input id="password" name="password" type="password" required
                autocomplete="current-password" aria-describedby=[message.map(|_| "error")];
            button.primary type="submit" { (text("sign_in.submit")) }
        }
        p.hint { (text("sign_in.hint")) }
        (elements::command("client", ADD, frame.language))
    }
}
