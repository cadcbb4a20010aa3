//! The signed-in visitor of a page.

use std::{future::Future, pin::Pin};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest, HttpResponse, cookie::Cookie, dev::Payload, web::Data,
};
use maud::Markup;
use rollcall_platform::token::REPORTING_READ;
use rollcall_store::api_clients;

use crate::{
    console::Console,
    error::Problem,
    layout::{self, Account, Entry, Frame},
};

/// Name of the cookie with the session ID. With the prefix, browsers accept the cookie only over
/// TLS, for this host alone and without a domain.
pub const COOKIE: &str = "__Host-console";

/// A visitor with a valid session, whose API client is enabled and has the scope `reporting:read`.
///
/// A handler with this type as a parameter responds to others with a redirect to the sign-in,
/// 403, or 503 if Redis or PostgreSQL does not answer.
pub struct Visitor {
    /// Name of the API client.
    pub client: String,
    /// Parts that surround each page.
    pub frame: Frame,
    scopes: String,
}

impl Visitor {
    /// Returns true if the API client has this scope now.
    #[must_use]
    pub fn may(&self, scope: &str) -> bool {
        grants(&self.scopes, scope)
    }

    /// Requires a scope of the API client.
    ///
    /// # Errors
    /// 403 if the API client lacks the scope.
    pub fn require(&self, scope: &str) -> Result<(), Problem> {
        if self.may(scope) {
            Ok(())
        } else {
            Err(Problem::forbidden(scope))
        }
    }

    /// Returns a page, on which the navigation marks `entry`.
    #[must_use]
    pub fn page(&self, entry: Entry, title: &str, content: Markup) -> HttpResponse {
        layout::page(&self.frame.clone().at(entry), title, content)
    }
}

/// Returns true if `scope` is among `scopes`, which are separated by spaces.
#[must_use]
pub fn grants(scopes: &str, scope: &str) -> bool {
    scopes.split(' ').any(|granted| granted == scope)
}

/// Returns the session ID in the cookie of a request.
#[must_use]
pub fn session_id(request: &HttpRequest) -> Option<String> {
    request
        .cookie(COOKIE)
        .map(|cookie: Cookie| cookie.value().to_owned())
}

impl FromRequest for Visitor {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move { visitor(&request).await })
    }
}

async fn visitor(request: &HttpRequest) -> Result<Visitor, Problem> {
    // `startup` sets the console for each worker.
    let console = request
        .app_data::<Data<Console>>()
        .ok_or_else(|| Problem::unavailable("error.database"))?;
    let signed_out = || Problem::signed_out(&Frame::of(request).path);
    let id = session_id(request).ok_or_else(signed_out)?;
    let session = console.sessions.resume(&id).await?.ok_or_else(signed_out)?;
    let client = session.client;
    let permission = console
        .pool
        .ask(async |connection| api_clients::permission(connection, &client).await)
        .await?;
    let scopes = permission
        .filter(|permission| permission.password_version == session.password_version)
        .ok_or_else(signed_out)?
        .scope;
    request.extensions_mut().insert(Account {
        client: client.clone(),
        is_admin: grants(&scopes, rollcall_platform::token::ADMIN),
    });
    if !grants(&scopes, REPORTING_READ) {
        return Err(Problem::forbidden(REPORTING_READ));
    }
    Ok(Visitor {
        client,
        frame: Frame::of(request),
        scopes,
    })
}
