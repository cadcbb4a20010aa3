//! Rows for tests.

use bytes::Bytes;
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};
use jiff::{Timestamp, ToSpan, civil::date, tz::TimeZone};
use proptest::prelude::{Strategy, any, prop, prop_oneof};
use rollcall_attendance::row::{AttendanceRow, Continues, EndReason, Status};
use serde_json::{Map, Value};

use crate::{CsvOptions, EncodeError, Format, Layout, Options, row::Row};

/// Returns an instant.
pub fn at(text: &str) -> Timestamp {
    text.parse().expect("an instant")
}

/// Returns the row that the contract shows.
pub fn closed_row() -> AttendanceRow {
    AttendanceRow {
        date: Some(date(2025, 1, 1)),
        days: None,
        user: "user_4".into(),
        realm: "Default".into(),
        employee_id: Some("E-1004".into()),
        first_login_at: Some(at("2025-01-01T15:30:00+05:30")),
        last_logout_at: Some(at("2025-01-01T21:10:00+05:30")),
        sessions: 2,
        worked_seconds: 18_600,
        active_seconds: None,
        open_sessions: 0,
        end_reason: Some(EndReason::Logout),
        continues: None,
        status: Status::Final,
        time_zone: TimeZone::get("Asia/Kolkata").expect("a zone"),
    }
}

/// Returns a row that compresses badly.
pub fn row(index: u64) -> AttendanceRow {
    AttendanceRow {
        user: format!("{:x}", index.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        ..closed_row()
    }
}

/// Returns any row of a layout.
pub fn any_row(layout: Layout) -> impl Strategy<Value = AttendanceRow> {
    let zone = prop::sample::select(vec!["Asia/Kolkata", "Europe/Berlin", "America/St_Johns"]);
    let instant = || (0_i64..4_000_000_000_000_000).prop_map(microsecond);
    let reason = prop::option::of(prop::sample::select(vec![
        EndReason::Logout,
        EndReason::Restart,
        EndReason::Timeout,
    ]));
    let names = (name(), name(), prop::option::of(name()));
    let times = (
        prop::option::of(instant()),
        prop::option::of(instant()),
        zone,
    );
    let numbers = (
        0_i64..100,
        0_i64..100_000,
        prop::option::of(0_i64..100_000),
        any::<[bool; 3]>(),
    );
    (names, times, numbers, reason, 0_i32..20_000).prop_map(
        move |(names, times, numbers, end_reason, day)| AttendanceRow {
            date: (!layout.period).then(|| date(2000, 1, 1) + day.days()),
            days: layout.period.then_some(numbers.0),
            user: names.0,
            realm: names.1,
            employee_id: names.2,
            first_login_at: times.0,
            last_logout_at: times.1,
            sessions: numbers.0,
            worked_seconds: numbers.1,
            active_seconds: numbers.2,
            open_sessions: numbers.0 / 2,
            end_reason,
            continues: layout.overlap.then_some(Continues {
                from_previous_day: numbers.3[0],
                to_next_day: numbers.3[1],
            }),
            status: if numbers.3[2] {
                Status::Final
            } else {
                Status::Provisional
            },
            time_zone: TimeZone::get(times.2).expect("a zone"),
        },
    )
}

/// Returns any layout.
pub fn any_layout() -> impl Strategy<Value = Layout> {
    any::<(bool, bool)>().prop_map(|(period, overlap)| Layout { period, overlap })
}

/// Returns any name, often with characters that a format must escape.
fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z=+@\",;|\t\r\n '<&-]{1,12}", "\\PC{1,12}"]
}

fn microsecond(microsecond: i64) -> Timestamp {
    Timestamp::from_microsecond(microsecond).expect("an instant before 2100")
}

/// Returns a file of rows. An error of the input ends the file.
pub fn file(
    format: Format,
    rows: impl IntoIterator<Item = Result<AttendanceRow, EncodeError>>,
    options: Options,
) -> (Vec<u8>, Option<EncodeError>) {
    let rows: Vec<_> = rows.into_iter().collect();
    collect(format.encode(stream::iter(rows), options))
}

/// Collects chunks.
pub fn collect(
    mut chunks: BoxStream<'_, Result<Bytes, EncodeError>>,
) -> (Vec<u8>, Option<EncodeError>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a runtime");
    runtime.block_on(async move {
        let mut bytes = Vec::new();
        while let Some(chunk) = chunks.next().await {
            match chunk {
                Ok(chunk) => bytes.extend_from_slice(&chunk),
                Err(error) => return (bytes, Some(error)),
            }
        }
        (bytes, None)
    })
}

/// Returns options without any wish.
pub fn options(layout: Layout) -> Options {
    Options {
        layout,
        csv: CsvOptions::default(),
        metadata: vec![("time_zone".into(), "Asia/Kolkata".into())],
        scratch_directory: std::env::temp_dir(),
    }
}

/// Returns the fields of rows as the JSON of the API has them.
pub fn json(rows: &[AttendanceRow]) -> Vec<Map<String, Value>> {
    rows.iter()
        .map(|row| serde_json::to_value(Row::from(row.clone())).expect("JSON"))
        .map(|row| row.as_object().expect("an object").clone())
        .collect()
}
