//! `GET /api/v2/sources`: the sources and how complete their reports are.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use jiff::Timestamp;
use rollcall_exports::LocalTime;
use rollcall_platform::envelope::Problem;
use rollcall_store::{
    AsyncPgConnection,
    sources::{self, Gap, Source},
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

/// Maximum number of gaps that are listed for each source.
const MAX_GAPS: u32 = 100;

/// A source.
#[derive(Debug, Serialize, ToSchema)]
pub struct SourceItem {
    /// Name.
    #[schema(example = "gateway-1")]
    pub name: String,
    /// Registration.
    #[schema(value_type = String, format = DateTime, example = "2024-11-01T10:00:00+05:30")]
    pub created_at: LocalTime,
    /// Disabling. Null if the source is enabled.
    #[schema(value_type = Option<String>, format = DateTime, required, example = json!(null))]
    pub disabled_at: Option<LocalTime>,
    /// Number of events.
    #[schema(example = 120_000)]
    pub events: i64,
    /// Time of the latest event.
    #[schema(value_type = Option<String>, format = DateTime, required,
        example = "2025-01-01T15:30:00+05:30")]
    pub last_event: Option<LocalTime>,
    /// Time of the latest arrival.
    #[schema(value_type = Option<String>, format = DateTime, required,
        example = "2025-01-01T15:30:02+05:30")]
    pub last_received: Option<LocalTime>,
    /// Latest restart.
    #[schema(value_type = Option<String>, format = DateTime, required, example = json!(null))]
    pub last_restart: Option<LocalTime>,
    /// True if rows become final only when this source is complete. False for a source that only
    /// imports.
    #[schema(example = true)]
    pub counts_for_completeness: bool,
    /// The source has reported everything up to this time, as it says or as is assumed. Null if
    /// the source does not count for completeness or has not said it.
    #[schema(value_type = Option<String>, format = DateTime, required,
        example = "2025-01-01T15:29:00+05:30")]
    pub complete_through: Option<LocalTime>,
    /// The source is assumed to be complete through this number of seconds before now. Null if it
    /// reports its completeness itself.
    #[schema(required, example = json!(null))]
    pub assume_complete_after: Option<i64>,
    /// Number of intervals in which the source sent nothing and which `complete_through`, as the
    /// source says it, does not cover.
    #[schema(example = 1)]
    pub gaps: i64,
    /// The latest of these gaps, at most 100.
    pub latest_gaps: Vec<GapItem>,
    /// Number of events whose time was far from their arrival.
    #[schema(example = 0)]
    pub clock_skewed: i64,
    /// Number of rejected inputs.
    #[schema(example = 0)]
    pub rejected: i64,
    /// Number of events that the database refused. The operator can replay them.
    #[schema(example = 0)]
    pub set_aside: i64,
}

/// An interval in which a source sent nothing.
#[derive(Debug, Serialize, ToSchema)]
pub struct GapItem {
    /// Beginning.
    #[schema(value_type = String, format = DateTime, example = "2024-12-24T02:00:00+05:30")]
    pub from: LocalTime,
    /// End.
    #[schema(value_type = String, format = DateTime, example = "2024-12-24T03:15:00+05:30")]
    pub to: LocalTime,
}

/// Facts about the sources in the database.
struct Known {
    sources: Vec<Source>,
    gaps: Vec<Gap>,
}

/// Returns the sources, ordered by name.
#[utoipa::path(get, path = "/api/v2/sources", operation_id = "listSources",
    tag = "Evidence", security(("token" = ["reporting:read"])),
    params(
    ("time_zone" = Option<String>, Query,
        description = "Time zone of the times in the response. The default is that of the calendar \
            `default`."),
    ("limit" = inline(Option<Limit>), Query, description = "Maximum number of sources of a page"),
    ("cursor" = Option<String>, Query, description = "Value of `next` in the page before"),
    ),
    responses(
    (status = 200, body = List<SourceItem>),
    Problems,
))]
pub async fn sources(
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
    let zone = parameters.time_zone();
    let page = parameters.page::<String>();
    parameters.finish()?;
    let call = Call {
        client,
        action: "v2.sources",
        detail: parameters.detail(),
    };
    let admission = reports.admit(call, Extent::Small).await?;
    let known = admission.ask(known).await?;
    let now = admission.moment().now;
    let times = LocalTimes::asked(zone, reports);
    let list = List::of_all(known.items(now, times), &page, |item| &item.name);
    Ok(HttpResponse::Ok().json(list))
}

async fn known(connection: &mut AsyncPgConnection) -> Result<Known, rollcall_store::Error> {
    let sources = sources::list(connection).await?;
    let with_gaps = sources.iter().filter(|source| source.gaps > 0);
    let names: Vec<String> = with_gaps.map(|source| source.name.clone()).collect();
    Ok(Known {
        gaps: sources::gaps(connection, &names, MAX_GAPS).await?,
        sources,
    })
}

impl Known {
    fn items(self, now: Timestamp, mut times: LocalTimes) -> Vec<SourceItem> {
        let item = |source| SourceItem::new(source, &self.gaps, now, &mut times);
        self.sources.into_iter().map(item).collect()
    }
}

impl SourceItem {
    fn new(source: Source, gaps: &[Gap], now: Timestamp, times: &mut LocalTimes) -> Self {
        let counted = source.completeness();
        let after = counted
            .as_ref()
            .and_then(|counted| counted.assume_complete_after);
        let gaps = gaps.iter().filter(|gap| gap.source == source.name);
        Self {
            created_at: times.show(source.created_at),
            disabled_at: times.maybe(source.disabled_at),
            events: source.events,
            last_event: times.maybe(source.last_event_at),
            last_received: times.maybe(source.last_received_at),
            last_restart: times.maybe(source.last_restart_at),
            counts_for_completeness: counted.is_some(),
            complete_through: times.maybe(source.complete_through(now)),
            assume_complete_after: after.map(|after| after.as_secs()),
            latest_gaps: gaps.map(|gap| GapItem::new(gap, times)).collect(),
            gaps: source.gaps,
            clock_skewed: source.clock_skewed,
            rejected: source.rejected,
            set_aside: source.set_aside,
            name: source.name,
        }
    }
}

impl GapItem {
    fn new(gap: &Gap, times: &mut LocalTimes) -> Self {
        Self {
            from: times.show(gap.from_at),
            to: times.show(gap.to_at),
        }
    }
}
