//! Persons, their employees, and the file that maps them.
#![allow(
    clippy::missing_errors_doc,
    reason = "an error of a page is a page, and the module `error` lists them"
)]

pub mod import;
pub mod list;
pub mod mapping_file;
mod reasons;

use actix_web::web;

use crate::routes::only;

/// Adds the routes.
pub fn routes(config: &mut web::ServiceConfig) {
    config
        .service(only("/people", vec![web::get().to(list::page)]))
        .service(
            only(
                "/people/mapping",
                vec![web::get().to(import::page), web::post().to(import::upload)],
            )
            .app_data(import::limits()),
        );
}
