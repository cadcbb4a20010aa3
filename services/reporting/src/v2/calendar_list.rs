//! `GET /api/v2/calendars`: the calendars by name.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use rollcall_attendance::{calendar::Calendar, employee::DEFAULT_CALENDAR};
use rollcall_platform::envelope::Problem;
use rollcall_store::calendars;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    calendars::start_of_day,
    list::List,
    openapi::Problems,
    parameters::{Limit, Parameters},
};
use crate::{
    access::Access,
    reports::{Call, Extent, Reports},
};

/// A calendar.
#[derive(Debug, Serialize, ToSchema)]
pub struct CalendarItem {
    /// Name.
    #[schema(example = "default")]
    pub name: String,
    /// IANA name of the time zone.
    #[schema(example = "Asia/Kolkata")]
    pub time_zone: String,
    /// Local time at which a reporting day begins.
    #[schema(example = "00:00:00")]
    pub start_of_day: String,
}

impl CalendarItem {
    fn new(name: String, calendar: &Calendar) -> Self {
        let zone = calendar.time_zone.iana_name();
        Self {
            name,
            time_zone: zone.unwrap_or("UTC").to_owned(),
            start_of_day: start_of_day(calendar.start_of_day),
        }
    }
}

/// Returns the calendars, ordered by name. The calendar `default` is one of them.
#[utoipa::path(get, path = "/api/v2/calendars", operation_id = "listCalendars",
    tag = "Directory", security(("token" = ["reporting:read"])),
    params(
    ("limit" = inline(Option<Limit>), Query, description = "Maximum number of calendars of a page"),
    ("cursor" = Option<String>, Query, description = "Value of `next` in the page before"),
    ),
    responses(
    (status = 200, body = List<CalendarItem>),
    Problems,
))]
pub async fn calendars(
    request: HttpRequest,
    access: Data<Access>,
    reports: Data<Reports>,
) -> HttpResponse {
    let list = async |client: &str| list(&request, client, &reports).await;
    access.respond(&request, list).await
}

async fn list(
    request: &HttpRequest,
    client: &str,
    reports: &Reports,
) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(request);
    let page = parameters.page::<String>();
    parameters.finish()?;
    let call = Call {
        client,
        action: "v2.calendars",
        detail: parameters.detail(),
    };
    let admission = reports.admit(call, Extent::Small).await?;
    let mut all = admission.ask(calendars::list).await?;
    all.push((DEFAULT_CALENDAR.to_owned(), reports.default_calendar()));
    let items = all
        .into_iter()
        .map(|(name, calendar)| CalendarItem::new(name, &calendar));
    let list = List::of_all(items.collect(), &page, |item| &item.name);
    Ok(HttpResponse::Ok().json(list))
}
