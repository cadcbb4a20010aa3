//! `GET /api/v2/live`: who is connected now.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use rollcall_exports::LocalTime;
use rollcall_platform::envelope::Problem;
use rollcall_store::{
    live::{self, OpenSession, Position, Selection},
    persons::PersonFilter,
};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
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

/// An open session.
#[derive(Debug, Serialize, ToSchema)]
pub struct LiveItem {
    /// Opaque ID, for `/api/v2/sessions/{id}/events`.
    #[schema(example = "MS5hYmM")]
    pub id: String,
    /// Display form of the user. Null until an event names one.
    #[schema(required, example = "user_4")]
    pub user: Option<String>,
    /// Display form of the realm.
    #[schema(required, example = "Default")]
    pub realm: Option<String>,
    /// The employee to whom the person is mapped today.
    #[schema(required, example = "E-1004")]
    pub employee_id: Option<String>,
    /// Login. Null if no login has arrived.
    #[schema(value_type = Option<String>, format = DateTime, required,
        example = "2025-01-01T15:30:00+05:30")]
    pub since: Option<LocalTime>,
    /// Time of the latest event.
    #[schema(value_type = String, format = DateTime, example = "2025-01-01T16:10:00+05:30")]
    pub last_activity: LocalTime,
    /// Name of the source.
    #[schema(example = "gateway-1")]
    pub source: String,
    /// Address of the client, of the latest event that has one.
    #[schema(required, example = "10.0.0.4")]
    pub client_ip: Option<String>,
}

impl LiveItem {
    fn new(session: OpenSession, times: &mut LocalTimes) -> Self {
        Self {
            id: session_id::encode(&session.key()),
            user: session.user,
            realm: session.realm,
            employee_id: session.employee_id,
            since: times.maybe(session.login_at),
            last_activity: times.show(session.last_activity_at),
            source: session.source,
            client_ip: session.client_ip,
        }
    }
}

/// Returns the open sessions, ordered by user and realm.
#[utoipa::path(get, path = "/api/v2/live", operation_id = "listLive",
    tag = "Attendance", security(("token" = ["reporting:read"])),
    params(
    ("user" = Option<Vec<String>>, Query, description = "User in any case; may be repeated"),
    ("realm" = Option<Vec<String>>, Query, description = "Realm in any case; may be repeated"),
    ("time_zone" = Option<String>, Query,
        description = "Time zone of the times in the response. The default is that of the calendar \
            `default`."),
    ("limit" = inline(Option<Limit>), Query, description = "Maximum number of sessions of a page"),
    ("cursor" = Option<String>, Query, description = "Value of `next` in the page before"),
    ),
    responses(
    (status = 200, body = List<LiveItem>),
    Problems,
))]
pub async fn live(
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
    let persons = PersonFilter {
        users: parameters.names("user"),
        realms: parameters.names("realm"),
        employee_ids: Vec::new(),
    };
    let zone = parameters.time_zone();
    let page = parameters.page::<Position>();
    parameters.finish()?;
    let call = Call {
        client,
        action: "v2.live",
        detail: parameters.detail(),
    };
    let admission = reports.admit(call, Extent::Small).await?;
    let selection = Selection {
        persons,
        today: reports.today(),
    };
    let found = admission.read(async |connection, moment| {
        let (after, limit) = (page.after.as_ref(), page.limit + 1);
        live::list(connection, &selection, after, limit, moment).await
    });
    let found = found.await?;
    let mut times = LocalTimes::asked(zone, reports);
    let item = |session| LiveItem::new(session, &mut times);
    let list = List::page(
        found,
        page.limit,
        |last| page.query.cursor(&last.position()),
        item,
    );
    Ok(HttpResponse::Ok().json(list))
}
