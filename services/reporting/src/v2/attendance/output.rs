//! The form of a response: a page of JSON, a file of rows, or the shape of an HR system.

use actix_web::HttpRequest;
use rollcall_platform::envelope::Problem;

use crate::v2::parameters::Parameters;

/// The form of a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// A page of JSON.
    Page,
}

/// Takes the parameters of the form.
///
/// # Errors
/// 406 if no format fits the header `Accept`.
pub fn take(_parameters: &mut Parameters, _request: &HttpRequest) -> Result<Output, Problem> {
    Ok(Output::Page)
}
