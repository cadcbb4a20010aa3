//! What the OpenAPI documents of the services share.

use utoipa::openapi::{
    OpenApi,
    security::{Http, HttpAuthScheme, SecurityScheme},
};

/// The document with a way to authenticate, under the name that its operations use.
#[must_use]
pub fn secured(mut document: OpenApi, name: &str, scheme: HttpAuthScheme) -> OpenApi {
    document
        .components
        .get_or_insert_default()
        .add_security_scheme(name, SecurityScheme::Http(Http::new(scheme)));
    document
}
