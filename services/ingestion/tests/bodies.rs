//! Tests of large, slow and malicious request bodies.

use std::{fmt::Write as _, io::Write as _, time::Duration};

use reqwest::{Response, StatusCode, header};
use rollcall_test_support::Rollcall;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const MIB: usize = 1 << 20;

/// Opens a connection and sends the head of a request with a body.
async fn begin(rollcall: &Rollcall, key: &str, headers: &str) -> TcpStream {
    let mut stream = TcpStream::connect(rollcall.ingestion)
        .await
        .expect("connected");
    let head = format!(
        "POST /api/v1/ingestion/events HTTP/1.1\r\nHost: ingestion\r\n\
         Authorization: Bearer {key}\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("written");
    stream
}

async fn answer(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    while !text.ends_with(b"}") {
        if stream.read_buf(&mut text).await.expect("a response") == 0 {
            break;
        }
    }
    String::from_utf8(text).expect("text")
}

/// Returns whether the service responds within 100 ms.
async fn is_answered(stream: &TcpStream) -> bool {
    let response = tokio::time::timeout(Duration::from_millis(100), stream.readable());
    response.await.is_ok()
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(body).expect("gzip");
    gzip.finish().expect("gzip")
}

async fn send(
    rollcall: &Rollcall,
    key: &str,
    media_type: &str,
    encoding: &str,
    body: Vec<u8>,
) -> Response {
    let address = format!("http://{}/api/v1/ingestion/events", rollcall.ingestion);
    let request = rollcall.http.post(address).bearer_auth(key).body(body);
    let request = request
        .header(header::CONTENT_TYPE, media_type)
        .header(header::CONTENT_ENCODING, encoding);
    request.send().await.expect("a response")
}

/// Returns NDJSON with this number of events.
fn lines(events: usize) -> String {
    (0..events).fold(String::new(), |mut lines, number| {
        let event = json!({
            "event_id": number.to_string(), "type": "login", "session_id": "s", "user": "user_4",
            "occurred_at": "2025-02-13T10:00:00Z", "reason": "x".repeat(100),
        });
        writeln!(lines, "{event}").expect("written");
        lines
    })
}

/// Starts the services with a small memory budget, so that tests are fast. The budget has capacity
/// for one body of 1 MiB of each source, and for two such bodies of all sources.
async fn with_small_budget() -> Rollcall {
    let builder = Rollcall::builder().await;
    builder
        .set(|settings| {
            settings.server.body_bytes = MIB;
            settings.ingestion.body_budget_bytes = 8 * MIB;
            settings.ingestion.request_seconds = 600;
        })
        .start()
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_key_gets_401_before_the_body_is_sent() {
    let rollcall = Rollcall::start().await;
    for headers in [
        "Content-Type: application/x-ndjson\r\nContent-Length: 16777216\r\n",
        "Content-Type: application/json\r\nContent-Encoding: gzip\r\n\
         Transfer-Encoding: chunked\r\n",
        "Content-Type: image/png\r\nContent-Length: 99999999999\r\n",
    ] {
        let mut stream = begin(&rollcall, "unknown-key", headers).await;
        let answer = answer(&mut stream).await;
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_key_gets_401_after_the_whole_body_is_sent() {
    let rollcall = Rollcall::start().await;
    let body = vec![b' '; 16 * MIB];
    let packed = gzip(&body);
    for (encoding, body) in [
        ("identity", body),
        ("gzip", packed),
        ("gzip", b"no gzip".to_vec()),
    ] {
        let refused = send(&rollcall, "unknown-key", "application/json", encoding, body).await;
        assert_eq!(refused.status(), StatusCode::UNAUTHORIZED);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn large_body_beyond_the_budget_gets_503_and_small_body_gets_200() {
    let rollcall = with_small_budget().await;
    let (slow, other, third) = (
        rollcall.source().await,
        rollcall.source().await,
        rollcall.source().await,
    );
    let length = format!("Content-Type: application/json\r\nContent-Length: {MIB}\r\n");
    let large = || {
        let mut body = vec![b' '; MIB - 2];
        body.extend(b"[]");
        body
    };
    let status = async |key: &str| {
        let response = send(&rollcall, key, "application/json", "identity", large()).await;
        let retry = response.headers().get(header::RETRY_AFTER).cloned();
        assert_eq!(
            retry.is_some(),
            response.status() == StatusCode::SERVICE_UNAVAILABLE
        );
        response.status()
    };
    // The service may handle this request after later ones, and may then refuse it.
    let begin_within_budget = async |key: &str| loop {
        let stream = begin(&rollcall, key, &length).await;
        while !is_answered(&stream).await {
            if status(key).await == StatusCode::SERVICE_UNAVAILABLE {
                return stream;
            }
        }
    };
    let mut first = begin_within_budget(&slow).await;
    assert_eq!(status(&slow).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(
        status(&other).await,
        StatusCode::OK,
        "half of the budget is for other sources"
    );
    let second = begin_within_budget(&other).await;
    assert_eq!(status(&third).await, StatusCode::SERVICE_UNAVAILABLE);
    let small = rollcall
        .send_body(&third, "application/x-ndjson", lines(1).into())
        .await;
    assert_eq!(small.status(), StatusCode::OK);

    first.write_all(&large()).await.expect("written");
    let answer = answer(&mut first).await;
    assert!(
        answer.starts_with("HTTP/1.1 200"),
        "a body within the budget is recorded: {answer}"
    );
    drop((first, second));
    while status(&third).await != StatusCode::OK {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_body_gets_408_at_the_time_limit() {
    let builder = Rollcall::builder().await;
    let rollcall = builder
        .set(|settings| settings.ingestion.request_seconds = 1)
        .start();
    let key = rollcall.source().await;
    let headers = "Content-Type: application/x-ndjson\r\nContent-Length: 100000\r\n";
    let mut stream = begin(&rollcall, &key, headers).await;
    let (mut reader, mut writer) = stream.split();
    let trickle = async {
        loop {
            let _ = writer.write_all(b" ").await;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    };
    let mut head = [0; 12];
    tokio::select! {
        () = trickle => {}
        read = reader.read_exact(&mut head) => drop(read.expect("a response")),
    }
    assert_eq!(&head, b"HTTP/1.1 408");
}

#[tokio::test(flavor = "multi_thread")]
async fn request_with_too_many_events_gets_413_with_a_short_body() {
    let rollcall = Rollcall::start().await;
    let key = rollcall.source().await;
    let many = format!("[1{}]", ",1".repeat(100_000));
    let bomb = format!("[1{}]", ",1".repeat(4 * MIB));
    let ndjson = "1\n".repeat(100_001);
    for (media_type, body) in [
        ("application/json", many),
        ("application/json", bomb),
        ("application/x-ndjson", ndjson),
    ] {
        let refused = send(&rollcall, &key, media_type, "gzip", gzip(body.as_bytes())).await;
        assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
        assert!(refused.bytes().await.expect("a body").len() < 1_000);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn result_lists_1000_rejections_and_counts_all() {
    let rollcall = Rollcall::start().await;
    let key = rollcall.source().await;
    let body = format!("{}{}", "1\n".repeat(1_500), lines(1));
    for encoding in ["gzip", "zstd"] {
        let body = match encoding {
            "gzip" => gzip(body.as_bytes()),
            _ => zstd::encode_all(body.as_bytes(), 3).expect("zstd"),
        };
        let result: Value = send(&rollcall, &key, "application/x-ndjson", encoding, body)
            .await
            .json()
            .await
            .expect("JSON");
        let listed = result["rejected"].as_array().expect("a list");
        assert_eq!(
            (listed.len(), &result["rejected_count"]),
            (1_000, &json!(1_500))
        );
        assert_eq!(
            result["accepted"]
                .as_u64()
                .zip(result["duplicates"].as_u64())
                .map(|(new, old)| new + old),
            Some(1)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn line_over_the_size_limit_is_rejected_and_other_lines_are_recorded() {
    let rollcall = Rollcall::start().await;
    let key = rollcall.source().await;
    let lines = lines(2_500);
    let (before, after) = lines.split_at(lines.find(r#"{"event_id":"1700""#).expect("a line"));
    let body = format!("{before}{}\n{after}", "9".repeat(2 * MIB)).into_bytes();
    let result: Value = send(&rollcall, &key, "application/x-ndjson", "identity", body)
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!(result["accepted"], 2_500, "{result}");
    assert_eq!(result["rejected"][0]["index"], 1_700, "{result}");
    assert_eq!(rollcall.database.count("events").await, 2_500);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_recorded_before_a_413_count_as_duplicates() {
    let rollcall = with_small_budget().await;
    let key = rollcall.source().await;
    let lines = lines(6_000);
    assert!(lines.len() > MIB);
    let refused = send(
        &rollcall,
        &key,
        "application/x-ndjson",
        "gzip",
        gzip(lines.as_bytes()),
    )
    .await;
    assert_eq!(refused.status(), StatusCode::PAYLOAD_TOO_LARGE);
    let recorded = rollcall.database.count("events").await;
    assert!(
        recorded >= 1_000 && recorded.is_multiple_of(1_000),
        "{recorded}"
    );
    let first: String = lines.split_inclusive('\n').take(1_000).collect();
    let result: Value = rollcall
        .send_body(&key, "application/x-ndjson", first.into())
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!(result["duplicates"], 1_000, "{result}");
}
