//! `GET /console/`: attendance.

use actix_web::{HttpResponse, web::Data};
use maud::html;
use serde_json::json;

use crate::{console::Console, error::Problem, layout::Entry, visitor::Visitor};

/// Returns the page.
pub async fn page(visitor: Visitor, console: Data<Console>) -> Result<HttpResponse, Problem> {
    let title = visitor.frame.language.text("navigation.attendance");
    console
        .audit(&visitor, "console.attendance", json!({}))
        .await?;
    Ok(visitor.page(Entry::Attendance, title, html! {}))
}
