//! The page for an address with invalid parameters.

use actix_web::{HttpResponse, http::StatusCode};
use maud::html;

use crate::{
    layout::{self, Entry},
    parameters::Invalid,
    visitor::Visitor,
};

/// Returns the page with status 400. It says for each parameter what is wrong.
#[must_use]
pub fn page(visitor: &Visitor, entry: Entry, errors: &[Invalid]) -> HttpResponse {
    let language = visitor.frame.language;
    let content = html! {
        div.error role="alert" {
            p { (language.text("invalid.intro")) }
            ul { @for error in errors { li { (error.sentence(language)) } } }
        }
    };
    let frame = visitor.frame.clone().at(entry);
    let title = language.text("invalid.title");
    layout::page_with_status(StatusCode::BAD_REQUEST, &frame, title, content)
}
