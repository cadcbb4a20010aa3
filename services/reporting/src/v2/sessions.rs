//! `GET /api/v2/sessions`: the sessions behind the rows.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use rollcall_exports::LocalTime;
use rollcall_platform::envelope::Problem;
use rollcall_store::{
    persons::PersonFilter,
    sessions::{self, ListSelection, ListedSession, Position},
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    instants::{self, Instants},
    list::List,
    local_times::LocalTimes,
    openapi::Problems,
    parameters::{Limit, Parameters},
    session_id,
};
use crate::{
    access::Access,
    reports::{Call, Extent, Reports},
};

/// A session.
#[derive(Debug, Serialize, ToSchema)]
pub struct SessionItem {
    /// Opaque ID, for `/api/v2/sessions/{id}/events`. The ID of a session that the gateway does not
    /// number itself can change when a late log line arrives.
    #[schema(example = "MS5hYmM")]
    pub id: String,
    /// Display form of the user. Null until an event names one.
    #[schema(required, example = "user_4")]
    pub user: Option<String>,
    /// Display form of the realm.
    #[schema(required, example = "Default")]
    pub realm: Option<String>,
    /// The employee to whom the person is mapped on the reporting day, in the calendar `default`, in
    /// which the session begins.
    #[schema(required, example = "E-1004")]
    pub employee_id: Option<String>,
    /// Name of the source.
    #[schema(example = "gateway-1")]
    pub source: String,
    /// Login. Null if no login has arrived.
    #[schema(value_type = Option<String>, format = DateTime, required,
        example = "2025-01-01T15:30:00+05:30")]
    pub login: Option<LocalTime>,
    /// True if the login is computed from the duration in a logout.
    #[schema(example = false)]
    pub login_derived: bool,
    /// Number of seconds by which the login may be wrong. Null without a login.
    #[schema(required, example = 0)]
    pub login_accuracy_seconds: Option<i64>,
    /// Time of the latest event.
    #[schema(value_type = String, format = DateTime, example = "2025-01-01T21:10:00+05:30")]
    pub last_activity: LocalTime,
    /// End. Null while the session is open.
    #[schema(value_type = Option<String>, format = DateTime, required,
        example = "2025-01-01T21:10:00+05:30")]
    pub end: Option<LocalTime>,
    /// `logout`, `restart` or `timeout`. Null while the session is open.
    #[schema(required, example = "logout")]
    pub end_reason: Option<String>,
    /// Number of seconds by which the end may be wrong. Null while the session is open.
    #[schema(required, example = 0)]
    pub end_accuracy_seconds: Option<i64>,
    /// True if the session has not ended.
    #[schema(example = false)]
    pub open: bool,
    /// Active time that the source measured.
    #[schema(required, example = 17_400)]
    pub active_seconds: Option<i64>,
}

impl SessionItem {
    fn new(session: ListedSession, times: &mut LocalTimes) -> Self {
        Self {
            id: session_id::encode(&session.key()),
            user: session.user,
            realm: session.realm,
            employee_id: session.employee_id,
            source: session.source,
            login: times.maybe(session.login_at),
            login_derived: session.login_derived,
            login_accuracy_seconds: session.login_accuracy_seconds,
            last_activity: times.show(session.last_activity_at),
            end: times.maybe(session.ended_at),
            open: session.end_reason.is_none(),
            end_reason: session.end_reason,
            end_accuracy_seconds: session.end_accuracy_seconds,
            active_seconds: session.active_seconds,
        }
    }
}

/// Returns the sessions whose login is in a period, ordered by login. A session without a login
/// counts with its first event.
#[utoipa::path(get, path = "/api/v2/sessions", operation_id = "listSessions",
    tag = "Evidence", security(("token" = ["reporting:read"])),
    params(
    ("start" = String, Query, description = "Start of the period, included",
        format = DateTime, example = "2025-01-01T00:00:00+05:30"),
    ("end" = String, Query, description = "End of the period, not included",
        format = DateTime, example = "2025-01-02T00:00:00+05:30"),
    ("user" = Option<Vec<String>>, Query, description = "User in any case; may be repeated"),
    ("realm" = Option<Vec<String>>, Query, description = "Realm in any case; may be repeated"),
    ("employee_id" = Option<Vec<String>>, Query, description = "Employee; may be repeated"),
    ("source" = Option<Vec<String>>, Query, description = "Name of a source; may be repeated"),
    ("open" = Option<bool>, Query, description = "Only open, or only ended sessions"),
    ("time_zone" = Option<String>, Query,
        description = "Time zone of the times in the response. The default is that of the calendar \
            `default`."),
    ("limit" = inline(Option<Limit>), Query, description = "Maximum number of sessions of a page"),
    ("cursor" = Option<String>, Query, description = "Value of `next` in the page before"),
    ),
    responses(
    (status = 200, body = List<SessionItem>),
    Problems,
))]
pub async fn sessions(
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
    let instants = instants::take(&mut parameters);
    let persons = PersonFilter {
        users: parameters.names("user"),
        realms: parameters.names("realm"),
        employee_ids: parameters.names("employee_id"),
    };
    let sources = parameters.names("source");
    let is_open = parameters.one("open", "true or false", |text| text.parse().ok());
    let zone = parameters.time_zone();
    let page = parameters.page::<Position>();
    parameters.finish()?;
    let instants = instants.expect("`finish` rejects a request without them");
    let instants = Instants::new(reports, instants)?;
    let extent = Extent::of_persons(persons.users.len() + persons.employee_ids.len());
    let selection = ListSelection {
        start: instants.start,
        end: instants.end,
        persons,
        sources,
        is_open,
        first_day: instants.first_day,
        day_bounds: instants.day_bounds,
    };
    let call = Call {
        client,
        action: "v2.sessions",
        detail: parameters.detail(),
    };
    let admission = reports.admit(call, extent).await?;
    let found = admission.read(async |connection, moment| {
        let (after, limit) = (page.after.as_ref(), page.limit + 1);
        sessions::list(connection, &selection, after, limit, moment).await
    });
    let found = found.await?;
    let mut times = LocalTimes::asked(zone, reports);
    let item = |session| SessionItem::new(session, &mut times);
    let list = List::page(
        found,
        page.limit,
        |last| page.query.cursor(&last.position()),
        item,
    );
    Ok(HttpResponse::Ok().json(list))
}
