//! Tests of the HTTP receiver.

use std::io::Write;

use reqwest::{StatusCode, header};
use rollcall_test_support::{Proxy, Rollcall, snapshot};
use serde_json::{Value, json};

fn event(id: &str, kind: &str, session: &str, at: &str) -> Value {
    json!({
        "event_id": id, "type": kind, "session_id": session, "user": "user_4", "occurred_at": at,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn event_as_json_object_is_recorded() {
    let rollcall = Rollcall::start().await;
    let key = rollcall.source().await;
    let login = event("1", "login", "1", "2025-01-01T15:30:00+05:30");
    insta::assert_snapshot!(snapshot::of(rollcall.send(&key, &login).await).await, @r#"
    200 OK
    content-type: application/json
    {
      "accepted": 1,
      "duplicates": 0,
      "rejected_count": 0,
      "rejected": []
    }
    "#);
    assert_eq!(rollcall.database.count("events").await, 1);
    assert_eq!(rollcall.database.count("sessions").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_as_array_and_as_ndjson_are_recorded() {
    let rollcall = Rollcall::start().await;
    let key = rollcall.source().await;
    let [one, two, three, four] =
        ["1", "2", "3", "4"].map(|id| event(id, "login", id, "2025-01-01T15:30:00+05:30"));
    let array: Value = rollcall
        .send(&key, &json!([one, two]))
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!(
        array,
        json!({"accepted": 2, "duplicates": 0, "rejected_count": 0, "rejected": []})
    );
    let lines = rollcall
        .send_body(
            &key,
            "application/x-ndjson",
            format!("{three}\n{four}\n").into_bytes(),
        )
        .await;
    assert_eq!(
        lines.json::<Value>().await.expect("JSON"),
        json!({"accepted": 2, "duplicates": 0, "rejected_count": 0, "rejected": []})
    );
    assert_eq!(
        (
            rollcall.database.count("events").await,
            rollcall.database.count("sessions").await
        ),
        (4, 4)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn body_in_gzip_or_zstd_is_recorded_and_other_encodings_are_rejected() {
    let rollcall = Rollcall::start().await;
    let key = rollcall.source().await;
    let body = event("1", "login", "s", "2025-01-01T00:00:00Z").to_string();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(body.as_bytes()).expect("gzip");
    let zstd = zstd::encode_all(body.as_bytes(), 3).expect("zstd");
    let send = async |encoding: &str, body: Vec<u8>| {
        let request = rollcall
            .http
            .post(format!(
                "http://{}/api/v1/ingestion/events",
                rollcall.ingestion
            ))
            .bearer_auth(&key);
        let request = request
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::CONTENT_ENCODING, encoding);
        request
            .body(body)
            .send()
            .await
            .expect("a response")
            .status()
    };
    assert_eq!(
        send("gzip", gzip.finish().expect("gzip")).await,
        StatusCode::OK
    );
    assert_eq!(send("zstd", zstd).await, StatusCode::OK);
    assert_eq!(
        send("gzip", b"not gzip".to_vec()).await,
        StatusCode::BAD_REQUEST
    );
    assert_eq!(
        send("br", b"whatever".to_vec()).await,
        StatusCode::UNSUPPORTED_MEDIA_TYPE
    );
    assert_eq!(rollcall.database.count("events").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn decompression_bomb_gets_413() {
    let rollcall = Rollcall::start().await;
    let key = rollcall.source().await;
    let bomb = zstd::encode_all(vec![b' '; 64 << 20].as_slice(), 3).expect("zstd");
    let request = rollcall
        .http
        .post(format!(
            "http://{}/api/v1/ingestion/events",
            rollcall.ingestion
        ))
        .bearer_auth(&key);
    let request = request
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::CONTENT_ENCODING, "zstd");
    assert_eq!(
        request
            .body(bomb)
            .send()
            .await
            .expect("a response")
            .status(),
        StatusCode::PAYLOAD_TOO_LARGE
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_event_is_rejected_alone() {
    let rollcall = Rollcall::start().await;
    let key = rollcall.source().await;
    let batch = json!([
        event("1", "login", "s", "2025-01-01T00:00:00Z"),
        event("2", "arrive", "s", "2025-01-01T00:00:00Z"),
        event("3", "login", "s", "yesterday"),
        {"type": "login"},
        "no object",
        event("1", "logout", "s", "2025-01-01T00:00:00Z"),
        event("4", "logout", "s", "2025-01-01T01:00:00Z"),
        {
            "event_id": "5", "type": "login", "session_id": "s", "user": "a\u{0}b",
            "occurred_at": "2025-01-01T00:00:00Z",
        },
    ]);
    insta::assert_snapshot!(snapshot::of(rollcall.send(&key, &batch).await).await, @r#"
    200 OK
    content-type: application/json
    {
      "accepted": 2,
      "duplicates": 0,
      "rejected_count": 6,
      "rejected": [
        {
          "index": 1,
          "event_id": "2",
          "field": "type",
          "message": "type must be one of login, active, logout, restart (got \"arrive\")"
        },
        {
          "index": 2,
          "event_id": "3",
          "field": "occurred_at",
          "message": "occurred_at must be RFC 3339 with an offset, such as 2025-01-01T15:30:00+05:30 (got \"yesterday\")"
        },
        {
          "index": 3,
          "event_id": null,
          "field": "event_id",
          "message": "event_id is missing; it must be a text of 1 to 128 bytes that is unique within the source"
        },
        {
          "index": 4,
          "event_id": null,
          "field": null,
          "message": "The event must be a JSON object (got \"no object\")"
        },
        {
          "index": 5,
          "event_id": "1",
          "field": "event_id",
          "message": "event_id is in conflict: another event with this ID is recorded"
        },
        {
          "index": 7,
          "event_id": "5",
          "field": "user",
          "message": "user must not contain a control character"
        }
      ]
    }
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn invalid_request_gets_4xx_and_nothing_is_stored() {
    let rollcall = Rollcall::start().await;
    let key = rollcall.source().await;
    let mut answers = Vec::new();
    for (media_type, body) in [
        ("application/json", "hello"),
        ("application/json", "5"),
        ("application/x-ndjson", "hello\n"),
        ("text/csv", "a,b"),
    ] {
        answers.push(snapshot::of(rollcall.send_body(&key, media_type, body.into()).await).await);
    }
    answers.push(snapshot::of(rollcall.send("unknown-key", &json!([])).await).await);
    answers.push(
        snapshot::of(
            rollcall
                .send_body("", "application/json", b"[]".to_vec())
                .await,
        )
        .await,
    );
    insta::assert_snapshot!(answers.join("\n\n"));
    assert_eq!(rollcall.database.count("events").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn event_that_violates_a_constraint_is_rejected_alone() {
    let rollcall = Rollcall::start().await;
    let key = rollcall.source().await;
    rollcall
        .database
        .execute("ALTER TABLE events ADD CONSTRAINT poison CHECK (event_id <> 'poison')")
        .await;
    let batch: Vec<Value> = ["1", "2", "poison", "3", "4"]
        .map(|id| event(id, "login", id, "2025-01-01T00:00:00Z"))
        .into();
    let result: Value = rollcall
        .send(&key, &json!(batch))
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!(
        (&result["accepted"], &result["rejected"][0]["index"]),
        (&json!(4), &json!(2))
    );
    assert_eq!(rollcall.database.count("events").await, 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn event_gets_200_without_redis_and_503_without_postgres() {
    let postgres = Proxy::new(rollcall_test_support::postgres()).await;
    let nowhere = "127.0.0.1:1".parse().expect("an address");
    let rollcall = Rollcall::builder()
        .await
        .postgres(postgres.address)
        .redis(nowhere)
        .start();
    let key = rollcall.source().await;
    let login = event("1", "login", "s", "2025-01-01T00:00:00Z");
    assert_eq!(rollcall.send(&key, &login).await.status(), StatusCode::OK);
    postgres.cut();
    let down = snapshot::of(
        rollcall
            .send(&key, &event("2", "login", "s", "2025-01-01T00:00:00Z"))
            .await,
    )
    .await;
    postgres.restore();
    insta::assert_snapshot!(down, @r#"
    503 Service Unavailable
    content-type: application/json
    retry-after: 1
    {
      "statusCode": 503,
      "statusMessage": "The events could not be recorded: the database does not answer. Send them again.",
      "responseDate": "[responseDate]",
      "data": []
    }
    "#);
    let again: Value = rollcall
        .send(
            &key,
            &json!([login, event("2", "login", "s", "2025-01-01T00:00:00Z")]),
        )
        .await
        .json()
        .await
        .expect("JSON");
    assert_eq!(
        again["accepted"]
            .as_u64()
            .zip(again["duplicates"].as_u64())
            .map(|(new, old)| new + old),
        Some(2)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn request_beyond_a_full_queue_gets_503_with_retry_after() {
    let postgres = Proxy::new(rollcall_test_support::postgres()).await;
    let builder = Rollcall::builder().await.postgres(postgres.address);
    let rollcall = builder
        .set(|settings| {
            (
                settings.ingestion.queue_events,
                settings.ingestion.batch_events,
                settings.ingestion.writers,
            ) = (2, 2, 1);
        })
        .start();
    let key = rollcall.source().await;
    let callers = (0..40).map(|number| {
        let login = event(&number.to_string(), "login", "s", "2025-01-01T00:00:00Z");
        let (rollcall, key) = (&rollcall, &key);
        async move { rollcall.send(key, &login).await }
    });
    let answers = futures::future::join_all(callers).await;
    let accepted = answers
        .iter()
        .filter(|answer| answer.status() == StatusCode::OK)
        .count();
    for answer in answers
        .iter()
        .filter(|answer| answer.status() != StatusCode::OK)
    {
        assert_eq!(
            (answer.status(), &answer.headers()[header::RETRY_AFTER]),
            (
                StatusCode::SERVICE_UNAVAILABLE,
                &header::HeaderValue::from_static("1")
            )
        );
    }
    assert!(accepted > 0);
    assert_eq!(rollcall.database.count("events").await, accepted);
}

#[tokio::test(flavor = "multi_thread")]
async fn event_in_the_future_is_rejected_and_event_far_in_the_past_is_flagged() {
    let rollcall = Rollcall::start().await;
    let key = rollcall.source().await;
    // The test clock shows 2025-02-13T10:53:56Z.
    let events = json!([
        event("early", "login", "s1", "2025-02-13T10:59:00Z"),
        event("just", "login", "s2", "2025-02-13T10:58:56Z"),
        event("late", "login", "s3", "2025-02-13T09:50:00Z"),
    ]);
    insta::assert_snapshot!(snapshot::of(rollcall.send(&key, &events).await).await, @r#"
    200 OK
    content-type: application/json
    {
      "accepted": 2,
      "duplicates": 0,
      "rejected_count": 1,
      "rejected": [
        {
          "index": 0,
          "event_id": "early",
          "field": "occurred_at",
          "message": "occurred_at must be at most 300 seconds ahead of Rollcall's clock (got \"2025-02-13T10:59:00Z\"); check the clock of the gateway"
        }
      ]
    }
    "#);
    let flagged = rollcall
        .database
        .texts("SELECT event_id AS text FROM events WHERE clock_skewed")
        .await;
    assert_eq!(flagged, ["late"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn logout_with_duration_gives_a_derived_login_and_counts_once() {
    let rollcall = Rollcall::start().await;
    let key = rollcall.source().await;
    let mut logout = event("1", "logout", "s", "2025-01-01T10:00:00Z");
    logout["duration_seconds"] = json!(3_600);
    for counts in [(1, 0), (0, 1)] {
        let result: Value = rollcall
            .send(&key, &logout)
            .await
            .json()
            .await
            .expect("JSON");
        assert_eq!(
            (&result["accepted"], &result["duplicates"]),
            (&json!(counts.0), &json!(counts.1))
        );
    }
    let kinds = "SELECT kind::text AS text FROM events ORDER BY occurred_at";
    let kinds = rollcall.database.texts(kinds).await;
    assert_eq!(kinds, ["derived_login", "logout"]);
}
