//! Version 2: everything beyond KB008.
#![allow(
    clippy::missing_errors_doc,
    reason = "the answers of each address are in its utoipa attribute"
)]

pub mod attendance;
pub mod calendars;
pub mod compression;
pub mod cursor;
pub mod list;
pub mod openapi;
pub mod parameters;

use actix_web::{
    Route,
    dev::HttpServiceFactory,
    http::Method,
    middleware::{Compress, from_fn},
    web,
};
use rollcall_platform::request::only;

/// Returns the addresses below `/api/v2`.
pub fn routes() -> impl HttpServiceFactory {
    let get = |path, route: Route| only(path, &Method::GET, route);
    web::scope("/api/v2")
        .wrap(Compress::default())
        .wrap(from_fn(compression::complete))
        .service(get("/openapi.json", web::get().to(openapi::document)))
        .service(get("/attendance", web::get().to(attendance::attendance)))
}
