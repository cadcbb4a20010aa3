//! A page of rows as JSON.

use rollcall_exports::{LocalTime, Offsets, row::Row};
use rollcall_store::attendance::{self, Page, Position};
use serde::Serialize;
use utoipa::ToSchema;

use super::query::{CursorPosition, Query};
use crate::{
    reports::{Admission, Unavailable},
    v2::{
        calendars::{Chosen, start_of_day},
        list::cut,
    },
};

/// A page of `/api/v2/attendance`.
#[derive(Debug, Serialize, ToSchema)]
pub struct AttendancePage {
    /// Rows ordered by date, user and realm.
    pub data: Vec<Row>,
    /// Value of the parameter `cursor` for the next page. Null after the last page.
    #[schema(required, example = json!(null))]
    pub next: Option<String>,
    /// Name of the calendar. Null if the request had a time zone or a start of day.
    #[schema(required, example = "default")]
    pub calendar: Option<String>,
    /// Time zone of the calendar. Null with `calendar=assigned`.
    #[schema(required, example = "Asia/Kolkata")]
    pub time_zone: Option<String>,
    /// Start of a reporting day. Null with `calendar=assigned`.
    #[schema(required, example = "00:00:00")]
    pub start_of_day: Option<String>,
    /// Time at which the page was computed.
    #[schema(value_type = String, format = DateTime, example = "2025-02-13T16:23:56+05:30")]
    pub generated_at: LocalTime,
}

/// Reads a page.
///
/// # Errors
/// The rows are not available now.
pub async fn read(
    admission: &Admission<'_>,
    query: &Query,
    chosen: Chosen,
) -> Result<AttendancePage, Unavailable> {
    let limit = query.page.limit;
    let page = Page {
        after: query.after(),
        limit: limit + 1,
    };
    let selection = query.selection(chosen.calendars.clone());
    let rows = admission.page(|connection, moment| {
        Box::pin(attendance::rows(connection, selection, Some(page), moment))
    });
    let mut rows = rows.await?;
    let has_next = cut(&mut rows, limit);
    let last = rows.last().filter(|_| has_next).map(Position::of);
    let next = last.map(|position| query.page.query.cursor(&CursorPosition::from(position)));
    let mut offsets = Offsets::default();
    let Chosen { name, calendars } = chosen;
    let one = calendars.one();
    let generated_at = admission.moment().now;
    Ok(AttendancePage {
        data: rows
            .into_iter()
            .map(|row| Row::new(row, &mut offsets))
            .collect(),
        next,
        calendar: name,
        time_zone: one.and_then(|calendar| calendar.time_zone.iana_name().map(ToOwned::to_owned)),
        start_of_day: one.map(|calendar| start_of_day(calendar.start_of_day)),
        generated_at: LocalTime::new(generated_at, &calendars.default().time_zone, &mut offsets),
    })
}
