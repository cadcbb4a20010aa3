//! `POST /api/v1/ingestion/events`: the HTTP door.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{StatusCode, header},
    web::Data,
};
use rollcall_formats::json::{self, Format, Item, Rejected};
use rollcall_platform::{
    envelope::{Envelope, Problem},
    request::{Body, media_type, received, unsupported_media_type},
};
use rollcall_store::events::{Outcome, Reported};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{
    arrivals::Arrivals,
    counts::count,
    recorder::{Recorded, Recorder},
    source_key::SourceKeys,
};

/// What became of the events: each is counted once.
#[derive(Debug, Default, Serialize, ToSchema)]
pub struct Receipt {
    /// New, and on disk.
    pub accepted: usize,
    /// On disk already, with the same content.
    pub duplicates: usize,
    /// Not recorded: mend them and send them again.
    pub rejected: Vec<Rejection>,
}

/// An event that was not recorded.
#[derive(Debug, Serialize, ToSchema)]
pub struct Rejection {
    /// Its place in the body, from 0.
    pub index: usize,
    /// Its id, if it could be read.
    pub event_id: Option<String>,
    /// The field at fault, if it is one.
    pub field: Option<&'static str>,
    /// What is wrong, and what the field takes.
    pub message: String,
}

/// The body's form; what an event must have is said of the operation, since a bad one is no error of the body.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[allow(dead_code, reason = "for the documentation")]
pub enum Events {
    /// One event.
    One(std::collections::BTreeMap<String, serde_json::Value>),
    /// Several.
    Several(Vec<serde_json::Value>),
}

/// Records events.
///
/// The body is one event, an array of events, or NDJSON, plain or with `Content-Encoding: gzip` or
/// `zstd`. An event is a JSON object: `event_id` (unique within the source, at most 128 bytes), `type`
/// (`login`, `active`, `logout` or `restart`), `session_id`, `user`, `occurred_at` (RFC 3339), and optionally
/// `realm`, `reason`, `display_name`, `client_ip`, `wan_ip`, `mac`, `device`, `active_seconds` and
/// `complete_through`. A bad event rejects itself, not its neighbours. 200 comes when all accepted events are on disk;
/// after any other answer the same events can be sent again.
#[utoipa::path(post, path = "/api/v1/ingestion/events", security(("source" = [])),
    request_body(content(
        (Events = "application/json", example = json!({"event_id": "e1", "type": "login", "session_id": "s1", "user": "user_4",
            "realm": "Default", "occurred_at": "2025-01-01T15:30:00+05:30"})),
        (String = "application/x-ndjson"))),
    responses(
    (status = 200, body = Receipt),
    (status = 400, description = "The body is not JSON at all; nothing was stored", body = Envelope),
    (status = 401, description = "The source key is missing or unknown", body = Envelope, headers(("WWW-Authenticate" = String))),
    (status = 413, description = "The body is too large", body = Envelope),
    (status = 415, description = "Another media type or encoding", body = Envelope),
    (status = 503, description = "The database is down or behind", body = Envelope, headers(("Retry-After" = u32))),
))]
pub async fn events(
    request: HttpRequest,
    body: Body,
    keys: Data<SourceKeys>,
    recorder: Data<Recorder>,
    arrivals: Data<Arrivals>,
) -> Result<HttpResponse, Problem> {
    let source_id = keys.source_of(&request).await?;
    let format = format(&request)?;
    let items = json::parse(&received(body)?, format, &arrivals.now())
        .map_err(|error| Problem::bad_request(error.to_string()))?;
    let (places, events): (Vec<Place>, Vec<Option<Reported>>) = items
        .into_iter()
        .map(|item| placed(item, source_id))
        .unzip();
    let outcomes = recorder
        .record(events.into_iter().flatten().collect())
        .await
        .map_err(|error| {
            Problem::unavailable(format!(
                "The events could not be recorded: {error}. Send them again."
            ))
        })?;
    let receipt = receipt(places, outcomes);
    for (outcome, number) in [
        ("accepted", receipt.accepted),
        ("duplicate", receipt.duplicates),
        ("rejected", receipt.rejected.len()),
    ] {
        if number > 0 {
            count("http", outcome, number);
        }
    }
    Ok(HttpResponse::Ok().json(receipt))
}

/// Decompression is done already; an encoding that is not known was passed through.
fn format(request: &HttpRequest) -> Result<Format, Problem> {
    let encoding = request
        .headers()
        .get(header::CONTENT_ENCODING)
        .map_or("identity", |value| value.to_str().unwrap_or_default());
    if !["identity", "gzip", "zstd"].contains(&encoding.to_ascii_lowercase().as_str()) {
        let message = format!("Content-Encoding: got {encoding:?}, takes gzip or zstd, or none.");
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    match media_type(request).as_str() {
        "application/json" => Ok(Format::Json),
        "application/x-ndjson" => Ok(Format::Ndjson),
        other => Err(unsupported_media_type(
            other,
            "application/json or application/x-ndjson",
        )),
    }
}

/// What stands at a place of the body: the id of an event that is to be recorded, or why there is none.
type Place = Result<String, Rejected>;

fn placed(item: Item, source_id: i32) -> (Place, Option<Reported>) {
    match item {
        Ok(event) => (
            Ok(event.event_id.clone()),
            Some(Reported { source_id, event }),
        ),
        Err(rejected) => (Err(rejected), None),
    }
}

fn receipt(places: Vec<Place>, recorded: Vec<Recorded>) -> Receipt {
    let mut recorded = recorded.into_iter();
    let mut receipt = Receipt::default();
    for (index, place) in places.into_iter().enumerate() {
        let outcome = place.and_then(|event_id| match recorded.next() {
            Some(Recorded::As(outcome @ (Outcome::Accepted | Outcome::Duplicate))) => Ok(outcome),
            Some(Recorded::As(Outcome::Conflict)) => Err(Rejected {
                event_id: Some(event_id),
                field: Some("event_id"),
                message: "conflict: another event with this id is recorded".into(),
            }),
            Some(Recorded::Refused(why)) => Err(Rejected {
                event_id: Some(event_id),
                field: None,
                message: why,
            }),
            None => unreachable!("the recorder answers for each event"),
        });
        match outcome {
            Ok(Outcome::Accepted) => receipt.accepted += 1,
            Ok(_) => receipt.duplicates += 1,
            Err(Rejected {
                event_id,
                field,
                message,
            }) => {
                receipt.rejected.push(Rejection {
                    index,
                    event_id,
                    field,
                    message,
                });
            }
        }
    }
    receipt
}
