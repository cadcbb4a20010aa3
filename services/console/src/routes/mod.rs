//! The pages, one file for each.
#![allow(
    clippy::missing_errors_doc,
    reason = "an error of a page is a page, and the module `error` lists them"
)]

pub mod attendance;
pub mod download;
pub mod exceptions;
pub mod first_steps;
pub mod language;
pub mod person;
pub mod sign_in;
pub mod sign_out;

use actix_web::{
    HttpResponse, Resource, Route,
    dev::HttpServiceFactory,
    http::StatusCode,
    middleware::{Compress, from_fn},
    web,
};

use crate::{assets, cross_site, error, error::Problem, headers, people, system};

/// Returns all pages, below `/console`.
pub fn all() -> impl HttpServiceFactory {
    // The middleware that is added last runs first.
    web::scope("/console")
        .wrap(from_fn(cross_site::reject))
        .wrap(from_fn(error::respond))
        .wrap(Compress::default())
        .wrap(from_fn(headers::add))
        .service(only(
            "/assets/{hash}/{name}",
            vec![web::get().to(assets::asset)],
        ))
        .service(only("/", vec![web::get().to(attendance::page)]))
        .service(only("/person", vec![web::get().to(person::page)]))
        .service(only("/download", vec![web::get().to(download::file)]))
        .service(only("/exceptions", vec![web::get().to(exceptions::page)]))
        .service(only(
            "/sign-in",
            vec![
                web::get().to(sign_in::page),
                web::post().to(sign_in::sign_in),
            ],
        ))
        .service(only("/sign-out", vec![web::post().to(sign_out::sign_out)]))
        .service(only("/language", vec![web::post().to(language::choose)]))
        .service(only("/first-steps", vec![web::get().to(first_steps::page)]))
        .configure(people::routes)
        .configure(system::routes)
        .default_service(web::to(async || {
            Err::<HttpResponse, _>(Problem::not_found())
        }))
}

/// Creates a resource that responds to other methods with 405.
pub fn only(path: &str, routes: Vec<Route>) -> Resource {
    let reject = async || {
        let status = StatusCode::METHOD_NOT_ALLOWED;
        Err::<HttpResponse, _>(Problem::new(status, "error.method", &[]))
    };
    let resource = web::resource(path).default_service(web::to(reject));
    routes.into_iter().fold(resource, Resource::route)
}

/// Returns `path` if it is an address within the console. Any other value could lead a visitor to
/// another site.
#[must_use]
pub fn own_path(path: &str) -> &str {
    let is_own = path.starts_with("/console/")
        && path
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if is_own { path } else { "/console/" }
}

/// Redirects the browser to another page with GET.
#[must_use]
pub fn see_other(path: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header(("Location", path))
        .finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_within_the_console_are_followed() {
        for path in ["/console/", "/console/people?user=a%20b"] {
            assert_eq!(own_path(path), path);
        }
        for path in [
            "",
            "/",
            "//evil/console/",
            "https://evil/console/",
            "/console/\r\nX: y",
            "/console/\\",
        ] {
            assert_eq!(own_path(path), "/console/");
        }
    }
}
