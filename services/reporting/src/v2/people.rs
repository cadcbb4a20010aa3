//! `GET /api/v2/people`: persons with their employee and calendar.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use rollcall_attendance::period::{day_start, parse_date};
use rollcall_exports::LocalTime;
use rollcall_platform::envelope::Problem;
use rollcall_store::{
    directory::{self, KnownPerson, PeopleSelection, PersonPosition},
    persons::PersonFilter,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    list::List,
    local_times::LocalTimes,
    openapi::Problems,
    parameters::{Limit, Parameters},
};
use crate::{
    access::Access,
    reports::{Call, Extent, Reports},
};

/// A person.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonItem {
    /// Display form of the user.
    #[schema(example = "user_4")]
    pub user: String,
    /// Display form of the realm.
    #[schema(example = "Default")]
    pub realm: String,
    /// The employee to whom the person is mapped today.
    #[schema(required, example = "E-1004")]
    pub employee_id: Option<String>,
    /// Calendar of the person today.
    #[schema(example = "default")]
    pub calendar: String,
    /// Earliest login. Null if no session of the person has a login.
    #[schema(value_type = Option<String>, format = DateTime, required,
        example = "2024-11-04T09:02:11+05:30")]
    pub first_login: Option<LocalTime>,
    /// Latest login.
    #[schema(value_type = Option<String>, format = DateTime, required,
        example = "2025-01-01T15:30:00+05:30")]
    pub last_login: Option<LocalTime>,
}

impl PersonItem {
    fn new(person: KnownPerson, times: &mut LocalTimes) -> Self {
        Self {
            user: person.user,
            realm: person.realm,
            employee_id: person.employee_id,
            calendar: person.calendar,
            first_login: times.maybe(person.first_login_at),
            last_login: times.maybe(person.last_login_at),
        }
    }
}

/// Returns persons with their present employee and calendar, ordered by user and realm.
#[utoipa::path(get, path = "/api/v2/people", operation_id = "listPeople",
    tag = "Directory", security(("token" = ["reporting:read"])),
    params(
    ("user" = Option<Vec<String>>, Query, description = "User in any case; may be repeated"),
    ("realm" = Option<Vec<String>>, Query, description = "Realm in any case; may be repeated"),
    ("employee_id" = Option<Vec<String>>, Query, description = "Employee; may be repeated"),
    ("unmapped" = Option<bool>, Query,
        description = "Only persons without an employee today, or only persons with one"),
    ("without_sessions_since" = Option<String>, Query, format = Date,
        description = "Only persons without a login since this reporting day of the calendar \
            `default`"),
    ("time_zone" = Option<String>, Query,
        description = "Time zone of the times in the response. The default is that of the calendar \
            `default`."),
    ("limit" = inline(Option<Limit>), Query, description = "Maximum number of persons of a page"),
    ("cursor" = Option<String>, Query, description = "Value of `next` in the page before"),
    ),
    responses(
    (status = 200, body = List<PersonItem>),
    Problems,
))]
pub async fn people(
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
    let calendar = reports.default_calendar();
    let mut parameters = Parameters::of(request);
    let persons = PersonFilter {
        users: parameters.names("user"),
        realms: parameters.names("realm"),
        employee_ids: parameters.names("employee_id"),
    };
    let is_unmapped = parameters.one("unmapped", "true or false", |text| text.parse().ok());
    let accepted = "a calendar date in the form YYYY-MM-DD";
    let since = parameters.one("without_sessions_since", accepted, |text| {
        day_start(
            parse_date(text)?,
            calendar.start_of_day,
            &calendar.time_zone,
        )
        .ok()
    });
    let zone = parameters.time_zone();
    let page = parameters.page::<PersonPosition>();
    parameters.finish()?;
    let call = Call {
        client,
        action: "v2.people",
        detail: parameters.detail(),
    };
    let admission = reports.admit(call, Extent::Small).await?;
    let selection = PeopleSelection {
        persons,
        is_unmapped,
        without_sessions_since: since,
        today: reports.today(),
    };
    let found = admission.read(async |connection, _| {
        let (after, limit) = (page.after.as_ref(), page.limit + 1);
        directory::people(connection, &selection, after, limit).await
    });
    let found = found.await?;
    let mut times = LocalTimes::asked(zone, reports);
    let item = |person| PersonItem::new(person, &mut times);
    let list = List::page(
        found,
        page.limit,
        |last| page.query.cursor(&last.position()),
        item,
    );
    Ok(HttpResponse::Ok().json(list))
}
