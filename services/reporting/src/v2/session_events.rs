//! `GET /api/v2/sessions/{id}/events`: the events behind a session.

use actix_web::{
    HttpRequest, HttpResponse,
    http::StatusCode,
    web::{Data, Path},
};
use jiff::Timestamp;
use rollcall_exports::LocalTime;
use rollcall_platform::{envelope::Problem, problem_details::ProblemDetails};
use rollcall_store::events::{self, EventOfSession};
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

/// An event, as evidence. Fields that the source did not send are null.
#[derive(Debug, Serialize, ToSchema)]
pub struct EventItem {
    /// Event ID, unique within the source.
    #[schema(example = "e-1")]
    pub event_id: String,
    /// `login`, `active` or `logout`.
    #[serde(rename = "type")]
    #[schema(example = "login")]
    pub kind: String,
    /// True for a login that is computed from the duration in a logout.
    #[schema(example = false)]
    pub derived: bool,
    /// When the event occurred.
    #[schema(value_type = String, format = DateTime, example = "2025-01-01T15:30:00+05:30")]
    pub occurred_at: LocalTime,
    /// When the event was received.
    #[schema(value_type = String, format = DateTime, example = "2025-01-01T15:30:02+05:30")]
    pub received_at: LocalTime,
    /// By which receiver: `http`, `radius`, `syslog` or `import`.
    #[schema(example = "http")]
    pub receiver: String,
    /// Name of the imported file that brought the event.
    #[schema(required, example = json!(null))]
    pub import: Option<String>,
    /// True if the time of the event is far from its arrival, so that a clock may be wrong.
    #[schema(example = false)]
    pub clock_skewed: bool,
    /// True if the source already counted as complete through the time of the event.
    #[schema(example = false)]
    pub late: bool,
    /// Name of the user, after the name rules of the source.
    #[schema(required, example = "user_4")]
    pub user: Option<String>,
    /// Name of the realm, after the name rules of the source.
    #[schema(required, example = "Default")]
    pub realm: Option<String>,
    /// Name of the user as reported.
    #[schema(required, example = "CORP\\user_4")]
    pub reported_user: Option<String>,
    /// Name of the realm as reported.
    #[schema(required, example = json!(null))]
    pub reported_realm: Option<String>,
    /// Full name of the user.
    #[schema(required, example = "User Four")]
    pub display_name: Option<String>,
    /// Correlation key, which ties log lines without a session ID together.
    #[schema(required, example = json!(null))]
    pub correlation_key: Option<String>,
    /// Reason that the source gives.
    #[schema(required, example = "User-Request")]
    pub reason: Option<String>,
    /// Address that the client has in the network behind the gateway.
    #[schema(required, example = "10.0.0.4")]
    pub client_ip: Option<String>,
    /// Address from which the client connected.
    #[schema(required, example = "192.0.2.4")]
    pub wan_ip: Option<String>,
    /// MAC address of the client.
    #[schema(required, example = "00-00-5E-00-53-01")]
    pub mac: Option<String>,
    /// Device of the client.
    #[schema(required, example = "Windows 11")]
    pub device: Option<String>,
    /// RADIUS attribute Class.
    #[schema(required, example = json!(null))]
    pub class: Option<String>,
    /// Active time of the session so far.
    #[schema(required, example = 17_400)]
    pub active_seconds: Option<i64>,
    /// Duration of the session so far.
    #[schema(required, example = 20_400)]
    pub duration_seconds: Option<i64>,
    /// The next activity event is due within this number of seconds.
    #[schema(required, example = json!(null))]
    pub next_in_seconds: Option<i64>,
    /// Last activity of the user before the event.
    #[schema(value_type = Option<String>, format = DateTime, required, example = json!(null))]
    pub last_activity: Option<LocalTime>,
    /// The source says with this event that it has reported everything up to this time.
    #[schema(value_type = Option<String>, format = DateTime, required, example = json!(null))]
    pub complete_through: Option<LocalTime>,
}

impl EventItem {
    fn new(event: EventOfSession, times: &mut LocalTimes) -> Self {
        Self {
            event_id: event.event_id,
            kind: event.kind,
            derived: event.is_derived,
            occurred_at: times.show(event.occurred_at),
            received_at: times.show(event.received_at),
            receiver: event.receiver,
            import: event.import,
            clock_skewed: event.clock_skewed,
            late: event.is_late,
            user: event.user,
            realm: event.realm,
            reported_user: event.reported_user,
            reported_realm: event.reported_realm,
            display_name: event.display_name,
            correlation_key: event.correlation_key,
            reason: event.reason,
            client_ip: event.client_ip,
            wan_ip: event.wan_ip,
            mac: event.mac,
            device: event.device,
            class: event.class,
            active_seconds: event.active_seconds,
            duration_seconds: event.duration_seconds,
            next_in_seconds: event.next_in_seconds,
            last_activity: times.maybe(event.last_activity_at),
            complete_through: times.maybe(event.complete_through),
        }
    }
}

/// Returns the events behind a session, ordered by time.
#[utoipa::path(get, path = "/api/v2/sessions/{id}/events", operation_id = "listEventsOfSession",
    tag = "Evidence", security(("token" = ["reporting:read"])),
    params(
    ("id" = String, Path, description = "ID of the session", example = "MS5hYmM"),
    ("time_zone" = Option<String>, Query,
        description = "Time zone of the times in the response. The default is that of the calendar \
            `default`."),
    ("limit" = inline(Option<Limit>), Query, description = "Maximum number of events of a page"),
    ("cursor" = Option<String>, Query, description = "Value of `next` in the page before"),
    ),
    responses(
    (status = 200, body = List<EventItem>),
    (status = 404, body = ProblemDetails, content_type = "application/problem+json",
        description = "There is no such session"),
    Problems,
))]
pub async fn events(
    request: HttpRequest,
    id: Path<String>,
    access: Data<Access>,
    reports: Data<Reports>,
) -> HttpResponse {
    let list = async |client: &str| list(&request, &id, client, &reports).await;
    access.respond(&request, list).await
}

async fn list(
    request: &HttpRequest,
    id: &str,
    client: &str,
    reports: &Reports,
) -> Result<HttpResponse, Problem> {
    let mut parameters = Parameters::of(request);
    let zone = parameters.time_zone();
    let page = parameters.page::<(Timestamp, String)>();
    parameters.finish()?;
    let mut detail = parameters.detail();
    detail["id"] = id.into();
    let call = Call {
        client,
        action: "v2.events",
        detail,
    };
    let admission = reports.admit(call, Extent::Small).await?;
    let session = session_id::parse(id);
    let found = admission.ask(async |connection| {
        let (after, limit) = (page.after.as_ref(), page.limit + 1);
        match &session {
            Some(session) => events::of_session(connection, session, after, limit).await,
            None => Ok(None),
        }
    });
    let found = found.await?.ok_or_else(unknown)?;
    let mut times = LocalTimes::asked(zone, reports);
    let item = |event| EventItem::new(event, &mut times);
    let list = List::page(
        found,
        page.limit,
        |last| page.query.cursor(&(last.occurred_at, &last.event_id)),
        item,
    );
    Ok(HttpResponse::Ok().json(list))
}

fn unknown() -> Problem {
    let message = "There is no session with this ID. An ID can change when a late event arrives: \
        take it from /api/v2/sessions again.";
    Problem::new(StatusCode::NOT_FOUND, message)
}
