//! `POST /api/v1/ingestion/events`: the HTTP receiver.
//!
//! The source key is checked before the body is read, so that unknown clients cause little work.

use actix_web::{
    HttpRequest, HttpResponse,
    web::{Bytes, BytesMut, Data, Payload},
};
use rollcall_attendance::event::Arrival;
use rollcall_formats::json;
use rollcall_platform::{
    envelope::{Envelope, Problem},
    request::{media_type, unsupported_media_type},
};
use rollcall_wire::{IngestionResult, RawEvent, Rejection};
use serde::Deserialize;
use tokio_util::codec::{AnyDelimiterCodec, AnyDelimiterCodecError, Decoder};
use utoipa::ToSchema;

use crate::{
    arrivals::Arrivals,
    body::{Body, Encoding, Limits},
    recorder::Recorder,
    rejected_inputs::RejectedInputs,
    source_key::SourceKeys,
    window::{MAX_EVENTS, Window, unreadable},
};

/// Maximum length of a line of NDJSON, in bytes. This is also about the part of the body that is
/// kept in memory.
const LINE_BYTES: usize = 1 << 20;

/// Body: one event or an array of events.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
#[allow(
    dead_code,
    reason = "`json::split` separates the events, so that an invalid one is rejected alone"
)]
enum EventsBody {
    /// A single event.
    One(Box<RawEvent>),
    /// At most 100,000 events.
    Several(Vec<RawEvent>),
}

/// Records events.
///
/// The body is one event, an array of events, or NDJSON, plain or with `Content-Encoding: gzip` or
/// `zstd`. An invalid event does not affect the other events of a request. A request may have at
/// most 100,000 events. 200 is returned when all accepted events are on disk. After any other
/// status the same events can be sent again: those already recorded count as duplicates.
#[utoipa::path(post, path = "/api/v1/ingestion/events", operation_id = "sendEvents",
    tag = "Events", security(("source" = [])),
    request_body(description = "One event, an array of events, or NDJSON", content(
        (EventsBody = "application/json", example = json!({"event_id": "e1", "type": "login",
            "session_id": "s1", "user": "user_4", "realm": "Default",
            "occurred_at": "2025-01-01T15:30:00+05:30"})),
        (String = "application/x-ndjson"))),
    responses(
    (status = 200, body = IngestionResult),
    (status = 400, description = "The body is not JSON; nothing was recorded", body = Envelope),
    (status = 401, description = "The source key is missing or unknown", body = Envelope,
        headers(("WWW-Authenticate" = String))),
    (status = 408, description = "The body did not arrive in time", body = Envelope),
    (status = 413, description = "The body is too large, or has more than 100,000 events",
        body = Envelope),
    (status = 415, description = "Another media type or encoding", body = Envelope),
    (status = 503, body = Envelope, headers(("Retry-After" = u32)),
        description = "The database is down or behind, or too many large bodies arrive at once"),
))]
pub async fn events(
    request: HttpRequest,
    payload: Payload,
    keys: Data<SourceKeys>,
    limits: Data<Limits>,
    recorder: Data<Recorder>,
    rejected: Data<RejectedInputs>,
    arrivals: Data<Arrivals>,
) -> Result<HttpResponse, Problem> {
    let source = keys.source_of(&request).await?;
    let sent = (source.source_id, Encoding::of(&request)?);
    let window = Window::new(&recorder, &rejected, &source);
    let media_type = media_type(&request);
    let result = match media_type.as_str() {
        "application/json" => {
            let body = Body::begin(&request, payload, sent, &limits, limits.max_body_bytes)?;
            record_json(body, window, &arrivals.now()).await
        }
        "application/x-ndjson" => {
            let body = Body::begin(&request, payload, sent, &limits, LINE_BYTES)?;
            record_lines(body, window, &arrivals.now()).await
        }
        other => Err(unsupported_media_type(
            other,
            "application/json or application/x-ndjson",
        )),
    }?;
    Ok(HttpResponse::Ok().json(result))
}

/// Records a JSON body. Nothing is recorded unless the whole body is JSON.
async fn record_json(
    mut body: Body<'_>,
    mut window: Window<'_>,
    arrival: &Arrival,
) -> Result<IngestionResult, Problem> {
    let whole = body.whole().await?;
    let events =
        json::split(&whole, MAX_EVENTS).map_err(|error| window.unreadable(&error, &whole))?;
    for event in events {
        let item = json::parse_event(event, arrival);
        window.add(item, event.as_bytes()).await?;
    }
    window.finish().await
}

/// Records NDJSON while it arrives. If no line is JSON, every line is rejected and the answer is
/// 400.
async fn record_lines(
    mut body: Body<'_>,
    mut window: Window<'_>,
    arrival: &Arrival,
) -> Result<IngestionResult, Problem> {
    let mut lines = AnyDelimiterCodec::new_with_max_length(b"\n".into(), Vec::new(), LINE_BYTES);
    let mut buffer = BytesMut::new();
    let mut has_json = false;
    loop {
        let chunk = body.next().await?;
        buffer.extend_from_slice(chunk.as_deref().unwrap_or_default());
        let is_end = chunk.is_none();
        while let Some(line) = next_line(&mut lines, &mut buffer, is_end).transpose() {
            let (item, line) = match line {
                Ok(line) if line.trim_ascii().is_empty() => continue,
                Ok(line) => {
                    has_json = has_json || json::is_json(&line);
                    (json::parse_line(line.trim_ascii(), arrival), line)
                }
                Err(message) => {
                    let rejection = Rejection {
                        message,
                        ..Rejection::default()
                    };
                    (Err(rejection), Bytes::new())
                }
            };
            window.add(item, &line).await?;
        }
        if is_end && has_json {
            return window.finish().await;
        } else if is_end {
            return Err(unreadable(&json::no_json_line()));
        }
    }
}

fn next_line(
    lines: &mut AnyDelimiterCodec,
    buffer: &mut BytesMut,
    is_end: bool,
) -> Result<Option<Bytes>, String> {
    let line = if is_end {
        lines.decode_eof(buffer)
    } else {
        lines.decode(buffer)
    };
    line.map_err(|error| match error {
        AnyDelimiterCodecError::MaxChunkLengthExceeded => {
            format!("The line has more than {LINE_BYTES} bytes")
        }
        AnyDelimiterCodecError::Io(error) => error.to_string(),
    })
}
