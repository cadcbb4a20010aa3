//! Links to the rows as files.

use maud::{Markup, html};
use rollcall_exports::{Format, Shape};

use super::View;
use crate::attendance::{
    order::{Order, Place},
    query::Query,
};

/// Address of the downloads.
const PATH: &str = "/console/download";

/// Returns the links. A file has the rows of all pages.
pub(super) fn links(view: &View) -> Markup {
    let text = |key| view.text(key);
    let (rows, intervals) = (rows(view), intervals(view));
    html! {
        details.downloads {
            summary { (text("download.title")) }
            h3 { (text("download.files")) }
            p { (text("download.explanation")) }
            ul.choices {
                @for format in Format::ALL {
                    li { (link(&rows, format.extension(), &format.extension().to_uppercase())) }
                }
            }
            h3 { (text("download.hr_systems")) }
            p { (text("download.hr_explanation")) }
            ul.choices {
                @for shape in Shape::ALL { li { (link(&intervals, shape.name(), title(shape))) } }
            }
        }
    }
}

fn link(rows: &Query, format: &str, name: &str) -> Markup {
    html! { a.button href={ (PATH) "?format=" (format) "&" (rows.encoded()) } { (name) } }
}

/// Returns the rows of a file, without what only the page has.
fn rows(view: &View) -> Query {
    Query {
        timeline: false,
        order: Order::default(),
        place: Place::Start,
        ..view.query.clone()
    }
}

/// Returns the rows whose intervals an HR system gets. Search and state select no intervals.
fn intervals(view: &View) -> Query {
    Query {
        employees: false,
        absent: false,
        search: None,
        state: None,
        ..rows(view)
    }
}

fn title(shape: Shape) -> &'static str {
    match shape {
        Shape::Frappe => "Frappe HR",
        Shape::Odoo => "Odoo",
        Shape::Zoho => "Zoho People",
        Shape::Greythr => "greytHR",
        Shape::Keka => "Keka",
        Shape::Orangehrm => "OrangeHRM",
    }
}
