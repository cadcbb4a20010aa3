//! The form of a response: a page of JSON, a file of rows, or the shape of an HR system.

use std::iter;

use actix_web::HttpRequest;
use rollcall_exports::{CsvOptions, Format, Provisional, Separator, Shape};
use rollcall_platform::envelope::Problem;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{ObjectBuilder, RefOr, Schema, Type},
};

use super::{
    accept,
    words::{ProvisionalWord, Unmapped},
};
use crate::v2::parameters::Parameters;

/// The form of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// A page of JSON.
    Page,
    /// A file of rows.
    File {
        /// File format.
        format: Format,
        /// Options of CSV.
        csv: CsvOptions,
    },
    /// A file that an HR system imports.
    Shape {
        /// The HR system.
        shape: Shape,
        /// Says whether intervals that can still change are in the file.
        provisional: Provisional,
        /// True if persons without an employee are left out.
        skip_unmapped: bool,
    },
}

/// Name of the form [`Output::Page`].
const JSON: &str = "json";

/// Value of `format`: the name of a form.
pub struct FormatName;

impl FormatName {
    fn all() -> impl Iterator<Item = &'static str> {
        let files = Format::ALL.into_iter().map(Format::extension);
        let shapes = Shape::ALL.into_iter().map(Shape::name);
        iter::once(JSON).chain(files).chain(shapes)
    }
}

impl PartialSchema for FormatName {
    fn schema() -> RefOr<Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .description(Some("Value of `format`."))
            .enum_values(Some(Self::all()))
            .into()
    }
}

impl ToSchema for FormatName {}

impl Output {
    /// Returns the form with this name and no options.
    fn parse(name: &str) -> Option<Self> {
        let file = |format| Self::File {
            format,
            csv: CsvOptions::default(),
        };
        let shape = |shape| Self::Shape {
            shape,
            provisional: Provisional::LeaveOut,
            skip_unmapped: false,
        };
        match name {
            JSON => Some(Self::Page),
            _ => Format::parse(name)
                .map(file)
                .or_else(|| Shape::parse(name).map(shape)),
        }
    }

    /// Takes the parameters of the form. Parameters that do not belong to the form are errors.
    ///
    /// # Errors
    /// 406 if there is no parameter `format` and no format fits the header `Accept`.
    pub fn take(parameters: &mut Parameters, request: &HttpRequest) -> Result<Self, Problem> {
        let separator = parameters.one("separator", "one of , ; | or a tab", Separator::parse);
        let byte_order_mark = parameters.flag("bom");
        let provisional = parameters.word("provisional");
        let unmapped = parameters.word("unmapped");
        let names = FormatName::all().collect::<Vec<_>>().join(", ");
        let mut output = match parameters.one("format", &format!("one of {names}"), Self::parse) {
            Some(output) => output,
            None if parameters.has("format") => Self::Page,
            None => accept::negotiate(request)?,
        };
        output.reject_others(parameters);
        match &mut output {
            Self::Page => {}
            Self::File { csv, .. } => {
                *csv = CsvOptions {
                    separator: separator.unwrap_or_default(),
                    byte_order_mark,
                }
            }
            Self::Shape {
                provisional: include,
                skip_unmapped,
                ..
            } => {
                if provisional == Some(ProvisionalWord::Include) {
                    *include = Provisional::Include;
                }
                *skip_unmapped = unmapped == Some(Unmapped::Skip);
            }
        }
        Ok(output)
    }

    /// Adds an error for each parameter that contradicts this form.
    fn reject_others(self, parameters: &mut Parameters) {
        let is_csv = matches!(
            self,
            Self::File {
                format: Format::Csv,
                ..
            }
        );
        let is_shape = matches!(self, Self::Shape { .. });
        let whole = "must not be combined with a file, which has all rows in one response";
        let fixed = "must not be combined with the format of an HR system";
        for (names, is_wrong, message) in [
            (&["limit", "cursor"][..], self != Self::Page, whole),
            (
                &["bom", "separator"],
                !is_csv,
                "is accepted only with format=csv",
            ),
            (
                &["unmapped", "provisional"],
                !is_shape,
                "is accepted only with the format of an HR system, such as format=frappe",
            ),
            (
                &["group_by", "subject", "attribution", "include"],
                is_shape,
                fixed,
            ),
        ] {
            for name in names {
                if is_wrong && parameters.has(name) {
                    parameters.fail(*name, message.to_owned());
                }
            }
        }
    }
}
