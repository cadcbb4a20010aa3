//! Security schemes of the OpenAPI documents.

use utoipa::openapi::{
    OpenApi,
    security::{ClientCredentials, Flow, Http, HttpAuthScheme, OAuth2, Scopes, SecurityScheme},
};

use crate::token::REPORTING_READ;

/// Adds an HTTP authentication scheme to a document, under the name that its operations use.
#[must_use]
pub fn secured(document: OpenApi, name: &str, scheme: HttpAuthScheme) -> OpenApi {
    with_scheme(document, name, SecurityScheme::Http(Http::new(scheme)))
}

/// Adds the OAuth 2.0 client credentials flow to a document, under the name that its operations
/// use. A page such as Swagger UI can then get tokens itself.
#[must_use]
pub fn with_client_credentials(document: OpenApi, name: &str) -> OpenApi {
    let scopes = Scopes::from_iter([(REPORTING_READ, "Read attendance reports")]);
    let flow = Flow::ClientCredentials(ClientCredentials::new("/oauth2/token", scopes));
    let scheme = OAuth2::with_description(
        [flow],
        "client_id is the user name of an API client, client_secret is its password. A token is \
         valid for 120 seconds.",
    );
    with_scheme(document, name, SecurityScheme::OAuth2(scheme))
}

fn with_scheme(mut document: OpenApi, name: &str, scheme: SecurityScheme) -> OpenApi {
    document
        .components
        .get_or_insert_default()
        .add_security_scheme(name, scheme);
    document
}
