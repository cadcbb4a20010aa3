//! Failures of one service, and the requests that must still succeed.

use std::process::Command;

use rollcall_stack_tests::{
    JSON_FROM_STDIN, api_client, client, compose, curl, docker, eventually, report, root,
    run_script, script, send, source, token, url,
};
use serde_json::{Value, json};

fn login(id: &str) -> Value {
    json!({
        "event_id": id,
        "type": "login",
        "session_id": id,
        "user": "user_4",
        "occurred_at": "2025-01-01T15:30:00Z",
    })
}

#[test]
fn reports_get_503_and_events_are_accepted_when_redis_is_down() {
    let (key, credentials) = (source(), api_client(&["reporting:read"]));
    let token = token(&credentials);
    compose(&["stop", "redis"]);
    // curl measures the time of the response without that of the client container.
    let (authorization, url) = (
        format!("Authorization: Bearer {token}"),
        format!("{}/api/v1/reporting/sessions", url()),
    );
    let format = "%{http_code} %{time_total} %header{retry-after}";
    let mut command = vec!["curl", "-sS", "-o", "/dev/null", "-w", format];
    command.extend(["--cacert", "/state/ca.pem", "-H", &authorization]);
    command.extend(["-X", "POST", &url]);
    let rejected = client(&command, "");
    let parts: Vec<&str> = rejected.split(' ').collect();
    assert_eq!((parts[0], parts[2]), ("503", "1"), "{rejected}");
    println!("503 after {} s", parts[1]);
    assert_eq!(send(&key, &login("without redis")).json()["accepted"], 1);
    let status = run_script("status", &[]);
    let status = format!(
        "{}{}",
        status.status.success(),
        String::from_utf8_lossy(&status.stdout)
    );
    assert!(
        status.starts_with("false") && status.contains("docker compose up --detach redis"),
        "{status}"
    );
    compose(&["start", "redis"]);
    // Redis lost the token allow-list, so the report needs a new token.
    eventually("a report", || {
        report(&self::token(&credentials), "2025-01-01", "2025-01-01").status == 200
    });
}

#[test]
fn events_and_issued_tokens_are_accepted_when_auth_is_down() {
    let (key, token) = (source(), token(&api_client(&["reporting:read"])));
    assert_eq!(report(&token, "2025-01-01", "2025-01-01").status, 200);
    compose(&["stop", "auth"]);
    assert_eq!(send(&key, &login("without auth")).json()["accepted"], 1);
    assert_eq!(report(&token, "2025-01-01", "2025-01-01").status, 200);
    let answer = curl("/api/v1/auth/connect", &JSON_FROM_STDIN, "{}");
    assert_eq!(
        (
            answer.status,
            answer.header("retry-after"),
            &answer.json()["statusCode"]
        ),
        (503, Some("1"), &json!(503))
    );
    compose(&["start", "auth"]);
    eventually("auth", || {
        curl("/.well-known/jwks.json", &[], "").status == 200
    });
}

#[test]
fn reports_and_events_get_503_until_postgres_is_back() {
    let (key, credentials) = (source(), api_client(&["reporting:read"]));
    let token = token(&credentials);
    for (stop, start) in [
        (["stop", "postgres"], ["start", "postgres"]),
        (["pause", "postgres"], ["unpause", "postgres"]),
        (["kill", "postgres"], ["start", "postgres"]),
    ] {
        compose(&stop);
        let answer = report(&token, "2025-01-01", "2025-01-01");
        assert_eq!(answer.status, 503, "{stop:?}: {answer:?}");
        assert!(
            answer.json()["statusMessage"]
                .as_str()
                .is_some_and(
                    |message| message.contains("unreachable") || message.contains("too long")
                ),
            "{answer:?}"
        );
        assert_eq!(send(&key, &login("while away")).status, 503, "{stop:?}");
        compose(&start);
        eventually("a result", || {
            send(&key, &login(&format!("after {}", stop[0]))).status == 200
        });
        eventually("a report", || {
            report(&self::token(&credentials), "2025-01-01", "2025-01-01").status == 200
        });
    }
}

/// Sets the numbers of replicas of two services.
fn scale([first, second]: [&str; 2]) {
    let up = ["up", "-d", "--wait", "--no-recreate"];
    compose(&[&up[..], &["--scale", first, "--scale", second]].concat());
}

#[test]
fn replicas_share_the_requests_and_one_may_fail() {
    // Compose does not scale a service whose latest health check failed. A check may have failed
    // while another test paused the database.
    eventually("a healthy stack", || {
        run_script("status", &[]).status.success()
    });
    scale(["reporting=2", "ingestion=2"]);
    let token = token(&api_client(&["reporting:read"]));
    let replicas = || {
        let names = docker(&["compose", "ps", "-q", "reporting"]);
        names.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let ids = replicas();
    assert_eq!(ids.len(), 2);
    let served = |id: &str| {
        let logs = Command::new("docker")
            .args(["logs", id])
            .output()
            .expect("docker")
            .stdout;
        String::from_utf8_lossy(&logs)
            .matches("\"answered\"")
            .count()
    };
    eventually("a report of each replica", || {
        assert_eq!(report(&token, "2025-01-01", "2025-01-01").status, 200);
        ids.iter().all(|id| served(id) > 0)
    });
    docker(&["kill", &ids[0]]);
    for _ in 0..6 {
        assert_eq!(report(&token, "2025-01-01", "2025-01-01").status, 200);
    }
    scale(["reporting=1", "ingestion=1"]);
    script("status", &[]);
}

#[test]
fn cold_start_without_redis_accepts_events_and_answers_503_elsewhere() {
    let key = source();
    let broken = root().join("compose.override.yaml");
    compose(&["rm", "--stop", "--force"]);
    std::fs::write(&broken, "services: {redis: {command: [\"false\"]}}").expect("written");
    compose(&["up", "-d"]);
    eventually("a result", || {
        send(&key, &login("cold start")).status == 200
    });
    let credentials = std::fs::read_to_string(root().join(".rollcall/first-client.json"))
        .expect("the first client");
    let answer = curl("/api/v1/auth/connect", &JSON_FROM_STDIN, &credentials);
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(!run_script("status", &[]).status.success());
    std::fs::remove_file(&broken).expect("removed");
    script("up", &[]);
    script("status", &[]);
}
