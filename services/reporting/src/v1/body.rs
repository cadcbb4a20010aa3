//! Body of a report: the response envelope of KB008 around rows, which are sent as they arrive.

use actix_web::web::Bytes;
use futures::{Stream, TryStreamExt};
use jiff::{Timestamp, fmt::temporal::DateTimePrinter, tz::TimeZone};
use rollcall_platform::{clock::Clock, envelope::response_date};
use rollcall_store::sessions;
use serde::Serialize;
use utoipa::ToSchema;

use crate::reports::Rows;

/// Approximate size of a chunk, in bytes.
const CHUNK: usize = 16 * 1024;

/// Response envelope of KB008.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// 200.
    #[schema(example = 200)]
    pub status_code: u16,
    /// `Data fetched successfully`
    pub status_message: String,
    /// UTC, seven fractional digits.
    #[schema(example = "2025-02-13T10:53:56.3567571Z")]
    pub response_date: String,
    /// Rows, one per user and realm, ordered by user, then realm.
    pub data: Vec<Row>,
}

/// A user's attendance in the period. Times are in the reporting time zone.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub struct Row {
    /// Display form of the user.
    #[serde(rename = "UserID")]
    pub user_id: String,
    /// Display form of the realm.
    pub realm: String,
    /// `YYYY-MM-DD HH:MM:SS`
    #[schema(example = "2025-01-01 15:30:00")]
    pub first_login_date_time: String,
    /// `YYYY-MM-DD HH:MM:SS`; null while any of the sessions is open.
    #[schema(example = "2025-01-01 21:10:00")]
    pub last_logout_date_time: Option<String>,
}

impl Row {
    fn new(row: sessions::Row, zone: &TimeZone) -> Self {
        Self {
            user_id: row.user,
            realm: row.realm,
            first_login_date_time: local(row.first_login_at, zone),
            last_logout_date_time: row.last_logout_at.map(|at| local(at, zone)),
        }
    }
}

/// Fractions are cut off.
fn local(at: Timestamp, zone: &TimeZone) -> String {
    const PRINTER: DateTimePrinter = DateTimePrinter::new().separator(b' ').precision(Some(0));
    PRINTER.datetime_to_string(&zone.to_datetime(at))
}

/// Streams the envelope. If the database fails, the body ends in the middle of its JSON.
pub fn stream(
    mut rows: Rows<sessions::Row>,
    zone: TimeZone,
    clock: &Clock,
) -> impl Stream<Item = Result<Bytes, rollcall_store::Error>> + use<> {
    let mut text = format!(
        r#"{{"statusCode":200,"statusMessage":"Data fetched successfully","responseDate":"{}","data":["#,
        response_date(clock)
    );
    async_stream::try_stream! {
        let mut separator = "";
        while let Some(row) = rows.try_next().await.inspect_err(|error| tracing::error!(%error, "a report broke off"))? {
            text.push_str(separator);
            text.push_str(&json(&Row::new(row, &zone)));
            separator = ",";
            if text.len() >= CHUNK {
                yield Bytes::from(std::mem::take(&mut text));
            }
        }
        text.push_str("]}");
        yield Bytes::from(text);
    }
}

fn json(row: &Row) -> String {
    serde_json::to_string(row).expect("JSON of plain fields")
}
