//! `/console/people/mapping`: uploads a file that maps persons to employees. The visitor sees what
//! the file would change before it is stored.

use actix_multipart::form::{
    MultipartForm, MultipartFormConfig, bytes::Bytes as Field, text::Text,
};
use actix_web::{
    HttpResponse,
    web::{self, Data},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use maud::{Markup, html};
use rollcall_formats::csv::{Counts, Plan};
use rollcall_platform::token::ATTENDANCE_WRITE;

use super::{mapping_file::MappingFile, reasons::reason};
use crate::{
    console::Console, elements, error::Problem, layout::Entry, messages::Language, visitor::Visitor,
};

/// Maximum size of a file, in bytes.
const MAX_FILE_BYTES: usize = 4 * 1024 * 1024;
/// Number of rejected rows that are shown.
const SHOWN: usize = 200;

/// Returns the limits of an upload. The content of a previewed file is in base64, which takes a
/// third more.
#[must_use]
pub fn limits() -> MultipartFormConfig {
    MultipartFormConfig::default()
        .total_limit(MAX_FILE_BYTES / 3 * 4 + 64 * 1024)
        .memory_limit(MAX_FILE_BYTES / 3 * 4 + 64 * 1024)
        .error_handler(|error, _| match error {
            actix_multipart::MultipartError::Payload(_) => Problem::new(
                actix_web::http::StatusCode::PAYLOAD_TOO_LARGE,
                "error.too_large",
                &[],
            )
            .into(),
            _ => Problem::bad_request("error.no_form", &[]).into(),
        })
}

/// The form. Either it has a file, or the content of a file that was previewed.
#[derive(MultipartForm)]
pub struct Upload {
    #[multipart(limit = "4MiB")]
    file: Option<Field>,
    #[multipart(limit = "6MiB")]
    content: Option<Text<String>>,
    #[multipart(limit = "1KiB")]
    name: Option<Text<String>>,
}

/// Returns the page with the form.
pub async fn page(visitor: Visitor) -> Result<HttpResponse, Problem> {
    visitor.require(ATTENDANCE_WRITE)?;
    Ok(respond(&visitor, &html! {}))
}

/// Shows what an uploaded file would change, or stores a previewed file.
pub async fn upload(
    visitor: Visitor,
    console: Data<Console>,
    MultipartForm(form): MultipartForm<Upload>,
) -> Result<HttpResponse, Problem> {
    visitor.require(ATTENDANCE_WRITE)?;
    let is_previewed = form.content.is_some();
    let (name, content) = form.into_file()?;
    let encoded = BASE64_STANDARD.encode(&content);
    let file_name = name.clone();
    // Parsing many rows would block the other requests of this thread.
    let file = web::block(move || MappingFile::read(file_name, content)).await;
    let file = file.map_err(|_| Problem::unavailable("error.busy"))??;
    let client = is_previewed.then_some(visitor.client.as_str());
    let plan = file.import(&console.pool, client).await?;
    let plan = plan.ok_or_else(|| Problem::signed_out(&visitor.frame.path))?;
    let language = visitor.frame.language;
    let content = html! {
        div role="status" {
            h2 {
                @if is_previewed {
                    (language.text("mapping.stored"))
                } @else {
                    (language.with("mapping.preview", &[("name", &name)]))
                }
            }
            (summary(&plan.counts, language))
        }
        @if !is_previewed && !plan.changed.is_empty() {
            form method="post" action="/console/people/mapping" enctype="multipart/form-data" {
                input type="hidden" name="name" value=(name);
                input type="hidden" name="content" value=(encoded);
                button.primary type="submit" { (language.text("mapping.store")) }
            }
        }
        (rejections(&file, &plan, language))
    };
    Ok(respond(&visitor, &content))
}

impl Upload {
    /// Returns the name and the content of the file.
    fn into_file(self) -> Result<(String, web::Bytes), Problem> {
        let missing = || Problem::bad_request("mapping.no_file", &[]);
        if let Some(Text(content)) = self.content {
            let content = BASE64_STANDARD.decode(content).map_err(|_| missing())?;
            let Text(name) = self.name.unwrap_or(Text(String::new()));
            // PostgreSQL rejects text with NUL.
            return Ok((name.replace('\0', ""), content.into()));
        }
        let file = self.file.filter(|file| !file.data.is_empty());
        let file = file.ok_or_else(missing)?;
        Ok((file.file_name.unwrap_or_default(), file.data))
    }
}

fn respond(visitor: &Visitor, result: &Markup) -> HttpResponse {
    let language = visitor.frame.language;
    let text = |key| language.text(key);
    let content = html! {
        (result)
        h2 { (text("mapping.choose")) }
        p { (text("mapping.how")) }
        pre tabindex="0" { code {
            "user,realm,employee_id,calendar,valid_from,valid_to\n"
            "user_4,Default,E-1004,,2025-01-01,\n"
        } }
        form.stacked method="post" action="/console/people/mapping" enctype="multipart/form-data" {
            label for="file" { (text("mapping.file")) }
            input id="file" name="file" type="file" accept=".csv,text/csv" required;
            button.primary type="submit" { (text("mapping.check")) }
        }
    };
    visitor.page(Entry::People, text("mapping.title"), content)
}

fn summary(counts: &Counts, language: Language) -> Markup {
    let rows = [
        (language.text("mapping.rows"), counts.rows),
        (language.text("mapping.added"), counts.added),
        (language.text("mapping.replaced"), counts.replaced),
        (language.text("mapping.ended"), counts.ended),
        (language.text("mapping.unchanged"), counts.unchanged),
        (language.text("mapping.rejected"), counts.rejected),
    ];
    html! {
        table.narrow {
            caption { (language.text("mapping.summary")) }
            tbody {
                @for (name, number) in rows {
                    tr { th scope="row" { (name) } td.number { (number) } }
                }
            }
        }
    }
}

fn rejections(file: &MappingFile, plan: &Plan, language: Language) -> Markup {
    let text = |key| language.text(key);
    let (shown, all) = (SHOWN.to_string(), plan.rejected.len().to_string());
    html! {
        @if !plan.rejected.is_empty() {
            h2 { (elements::badge("bad", &all)) " " (text("mapping.rejected")) }
            @if plan.rejected.len() > SHOWN {
                p { (language.with("mapping.shown", &[("shown", &shown), ("all", &all)])) }
            }
            (elements::scrolling(text("mapping.rejected"), &html! { table {
                caption { (text("mapping.rejected_caption")) }
                thead { tr {
                    th scope="col" .number { (text("mapping.line")) }
                    th scope="col" { (text("mapping.column")) }
                    th scope="col" { (text("mapping.reason")) }
                } }
                tbody {
                    @for rejection in plan.rejected.iter().take(SHOWN) {
                        tr {
                            td.number { (file.line(rejection.row)) }
                            td { (rejection.column) }
                            td { (reason(&rejection.reason, language)) }
                        }
                    }
                }
            } }))
        }
    }
}
