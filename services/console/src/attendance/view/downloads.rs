//! Links to the rows as files.

use maud::{Markup, html};
use rollcall_exports::{Format, Shape};

use super::View;

/// Address of the downloads.
const PATH: &str = "/console/download";

/// Returns the links. A file has the rows of all pages.
pub(super) fn links(view: &View) -> Markup {
    let text = |key| view.text(key);
    html! {
        details.downloads {
            summary { (text("download.title")) }
            h3 { (text("download.files")) }
            p { (text("download.explanation")) }
            ul.choices {
                @for format in Format::ALL {
                    li { (link(view, format.extension(), &format.extension().to_uppercase())) }
                }
            }
            h3 { (text("download.hr_systems")) }
            p { (text("download.hr_explanation")) }
            ul.choices {
                @for shape in Shape::ALL { li { (link(view, shape.name(), title(shape))) } }
            }
        }
    }
}

fn link(view: &View, format: &str, name: &str) -> Markup {
    let rows = view.query.with(|_| {});
    let query = rows.split_once('?').map_or("", |(_, query)| query);
    html! { a.button href={ (PATH) "?format=" (format) "&" (query) } { (name) } }
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
