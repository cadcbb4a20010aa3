//! `GET /api/v2/exceptions`: what a person should look at.

mod detail;

use actix_web::{HttpRequest, HttpResponse, web::Data};
use jiff::civil::Date;
use rollcall_exports::LocalTime;
use rollcall_platform::envelope::Problem;
use rollcall_store::{
    exceptions::{self, Exception, Kind, Position, Selection},
    persons::PersonFilter,
};
use rollcall_wire::FieldError;
use serde::Serialize;
use utoipa::ToSchema;

use self::detail::detail;
use super::{
    calendars::CalendarParameter,
    list::List,
    local_times::LocalTimes,
    openapi::Problems,
    parameters::{Limit, PageParameters, Parameters},
    session_id,
};
use crate::{
    access::Access,
    reports::{Call, Extent, Reports},
};

/// Something that a person should look at.
#[derive(Debug, Serialize, ToSchema)]
pub struct ExceptionItem {
    /// Kind of the exception.
    #[schema(example = "closed_by_timeout")]
    pub kind: &'static str,
    /// The reporting day in which the session begins or the events occurred.
    #[schema(value_type = String, format = Date, example = "2025-01-01")]
    pub date: Date,
    /// Display form of the user. Null if no person is concerned.
    #[schema(required, example = "user_4")]
    pub user: Option<String>,
    /// Display form of the realm.
    #[schema(required, example = "Default")]
    pub realm: Option<String>,
    /// The employee to whom the person is mapped on the day.
    #[schema(required, example = "E-1004")]
    pub employee_id: Option<String>,
    /// Name of the source. Null if no single source is concerned.
    #[schema(required, example = "gateway-1")]
    pub source: Option<String>,
    /// Opaque ID of the session, for `/api/v2/sessions/{id}/events`. Null if no single session is
    /// concerned.
    #[schema(required, example = "MS5hYmM")]
    pub session: Option<String>,
    /// When it happened.
    #[schema(value_type = String, format = DateTime, example = "2025-01-01T21:10:00+05:30")]
    pub at: LocalTime,
    /// A sentence that says what it is.
    #[schema(
        example = "No logout arrived and the session was silent for too long. Its end is its \
        last activity."
    )]
    pub detail: String,
}

impl ExceptionItem {
    fn new(exception: Exception, times: &mut LocalTimes) -> Self {
        Self {
            kind: exception.kind.as_str(),
            date: exception.position.date,
            detail: detail(&exception, times),
            session: exception.session.as_ref().map(session_id::encode),
            at: times.show(exception.at),
            user: exception.user,
            realm: exception.realm,
            employee_id: exception.employee_id,
            source: exception.source,
        }
    }
}

/// Returns what a person should look at in a period, ordered by date, kind and person.
///
/// | kind | what |
/// |---|---|
/// | `changed_after_final` | late events may have changed a final row; `at` is the latest arrival |
/// | `clock_skew` | times are far from their arrival; `at` is the latest arrival |
/// | `closed_by_restart` | the source restarted; `at` is the end of the session |
/// | `closed_by_timeout` | the session was silent for too long; `at` is its end |
/// | `day_not_complete` | a source has not reported the whole day; `at` is its end |
/// | `logout_without_login` | the login of a session is missing; `at` is the logout |
/// | `open_longer_than_a_day` | a session is longer than 24 hours; `at` is its login |
/// | `person_without_employee` | a person is not mapped; `at` is the first login |
/// | `two_realms_at_once` | a user is in two realms; `at` is the later login |
/// | `two_sources_at_once` | a person uses two sources; `at` is the later login |
///
/// A filter by `user` or `realm` leaves out what concerns no person.
#[utoipa::path(get, path = "/api/v2/exceptions", operation_id = "listExceptions",
    tag = "Evidence", security(("token" = ["reporting:read"])),
    params(
    ("start_date" = String, Query, description = "First reporting day",
        format = Date, example = "2025-01-01"),
    ("end_date" = String, Query, description = "Last reporting day, included",
        format = Date, example = "2025-01-31"),
    ("calendar" = Option<String>, Query,
        description = "Calendar of the reporting days: `default` or one of `/api/v2/calendars`. \
            The default is `default`."),
    ("time_zone" = Option<String>, Query,
        description = "Time zone, instead of `calendar`, for example `Asia/Kolkata`"),
    ("start_of_day" = Option<String>, Query,
        description = "Start of a reporting day, instead of `calendar`, for example `00:00:00`"),
    ("kind" = Option<Vec<String>>, Query, description = "Kind; may be repeated"),
    ("user" = Option<Vec<String>>, Query, description = "User in any case; may be repeated"),
    ("realm" = Option<Vec<String>>, Query, description = "Realm in any case; may be repeated"),
    ("limit" = inline(Option<Limit>), Query, description = "Maximum number of items of a page"),
    ("cursor" = Option<String>, Query, description = "Value of `next` in the page before"),
    ),
    responses(
    (status = 200, body = List<ExceptionItem>),
    Problems,
))]
pub async fn exceptions(
    request: HttpRequest,
    access: Data<Access>,
    reports: Data<Reports>,
) -> HttpResponse {
    let list = async |client: &str| list(&request, client, &reports).await;
    access.respond(&request, list).await
}

struct Query {
    first: Date,
    last: Date,
    calendar: CalendarParameter,
    kinds: Vec<Kind>,
    persons: PersonFilter,
    page: PageParameters<Position>,
}

impl Query {
    fn parse(parameters: &mut Parameters, reports: &Reports) -> Result<Self, Problem> {
        let dates = (parameters.date("start_date"), parameters.date("end_date"));
        let calendar = CalendarParameter::take(parameters, &reports.default_calendar());
        calendar.check_period(parameters, reports, dates);
        if calendar == CalendarParameter::Assigned {
            let message = "must not be assigned here; ask for each calendar";
            parameters.fail("calendar", message.to_owned());
        }
        let names = Kind::ALL.map(|(name, _)| name).join(", ");
        let mut kinds = parameters.many("kind", &format!("one of {names}"), Kind::parse);
        if kinds.is_empty() {
            kinds = Kind::ALL.map(|(_, kind)| kind).to_vec();
        }
        let persons = PersonFilter {
            users: parameters.names("user"),
            realms: parameters.names("realm"),
            employee_ids: Vec::new(),
        };
        let page = parameters.page::<Position>();
        parameters.finish()?;
        let present = |date: Option<Date>| date.expect("`finish` rejects a request without it");
        Ok(Self {
            first: present(dates.0),
            last: present(dates.1),
            calendar,
            kinds,
            persons,
            page,
        })
    }
}

async fn list(
    request: &HttpRequest,
    client: &str,
    reports: &Reports,
) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(request);
    let query = Query::parse(&mut parameters, reports)?;
    let call = Call {
        client,
        action: "v2.exceptions",
        detail: parameters.detail(),
    };
    let extent = Extent::of_persons(query.persons.users.len());
    let admission = reports.admit(call, extent).await?;
    let chosen = query.calendar.resolve(&admission, reports).await?;
    let calendar = chosen.calendars.default().clone();
    let bounds = calendar.bounds(query.first, query.last);
    let selection = Selection {
        first_day: query.first,
        day_bounds: bounds.map_err(|_| beyond(query.last))?,
        kinds: query.kinds,
        persons: query.persons,
    };
    let page = query.page;
    let found = admission
        .page(|connection, moment| {
            let (after, limit) = (page.after.clone(), page.limit + 1);
            Box::pin(exceptions::list(
                connection, selection, after, limit, moment,
            ))
        })
        .await?;
    let mut times = LocalTimes::of(calendar.time_zone);
    let item = |exception| ExceptionItem::new(exception, &mut times);
    let list = List::page(
        found,
        page.limit,
        |last| page.query.cursor(&last.position),
        item,
    );
    Ok(HttpResponse::Ok().json(list))
}

fn beyond(last: Date) -> Problem {
    let message = format!("must be at most 9999-12-30 (got {last})");
    Problem::invalid_fields(vec![FieldError::new("end_date", message)])
}
