//! Version 2: everything beyond KB008.
#![allow(
    clippy::missing_errors_doc,
    reason = "the answers of each address are in its utoipa attribute"
)]

pub mod attendance;
pub mod calendar_list;
pub mod calendars;
pub mod compression;
pub mod cursor;
pub mod employees;
pub mod exceptions;
pub mod instants;
pub mod list;
pub mod live;
pub mod local_times;
pub mod openapi;
pub mod parameters;
pub mod people;
pub mod session_events;
pub mod session_id;
pub mod sessions;
pub mod sources;

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
        .service(get("/calendars", web::get().to(calendar_list::calendars)))
        .service(get("/employees", web::get().to(employees::employees)))
        .service(get("/exceptions", web::get().to(exceptions::exceptions)))
        .service(get("/live", web::get().to(live::live)))
        .service(get("/people", web::get().to(people::people)))
        .service(get("/sessions", web::get().to(sessions::sessions)))
        .service(get(
            "/sessions/{id}/events",
            web::get().to(session_events::events),
        ))
        .service(get("/sources", web::get().to(sources::sources)))
}
