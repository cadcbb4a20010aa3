//! What dies, and what must not die with it.

use std::process::Command;

use rollcall_stack_tests::{
    api_client, compose, docker, eventually, report, run_script, script, send, source, token,
};
use serde_json::{Value, json};

fn login(id: &str) -> Value {
    json!({"event_id": id, "type": "login", "session_id": id, "user": "user_4", "occurred_at": "2025-01-01T15:30:00Z"})
}

#[test]
fn without_redis_reports_fail_closed_and_gateways_still_report() {
    let (key, client) = (source(), api_client(&["reporting:read"]));
    let token = token(&client);
    compose(&["stop", "redis"]);
    // The container of the client takes its time too: what is bounded is the answer itself.
    let refused = rollcall_stack_tests::client(
        &[
            "curl",
            "-sS",
            "-o",
            "/dev/null",
            "-w",
            "%{http_code} %{time_total} %header{retry-after}",
            "--cacert",
            "/state/ca.pem",
            "-H",
            &format!("Authorization: Bearer {token}"),
            "-X",
            "POST",
            &format!("{}/api/v1/reporting/sessions", rollcall_stack_tests::url()),
        ],
        "",
    );
    let parts: Vec<&str> = refused.split(' ').collect();
    assert_eq!((parts[0], parts[2]), ("503", "1"), "{refused}");
    println!("503 after {} s", parts[1]);
    assert_eq!(send(&key, &login("without redis")).json()["accepted"], 1);
    let status = run_script("status", &[]);
    let status = format!(
        "{}{}",
        status.status.success(),
        String::from_utf8_lossy(&status.stdout)
    );
    assert!(
        status.starts_with("false") && status.contains("docker compose up -d redis"),
        "{status}"
    );
    compose(&["start", "redis"]);
    // Redis forgot its tokens; a new one is good.
    eventually("a report", || {
        report(&self::token(&client), "2025-01-01", "2025-01-01").status == 200
    });
}

#[test]
fn without_auth_gateways_still_report_and_known_tokens_are_good() {
    let (key, token) = (source(), token(&api_client(&["reporting:read"])));
    assert_eq!(report(&token, "2025-01-01", "2025-01-01").status, 200);
    compose(&["stop", "auth"]);
    assert_eq!(send(&key, &login("without auth")).json()["accepted"], 1);
    assert_eq!(report(&token, "2025-01-01", "2025-01-01").status, 200);
    let answer = rollcall_stack_tests::curl(
        "/api/v1/auth/connect",
        &["-H", "Content-Type: application/json", "-d", "{}"],
        "",
    );
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
        rollcall_stack_tests::curl("/.well-known/jwks.json", &[], "").status == 200
    });
}

#[test]
fn without_postgres_everything_says_503_and_recovers_by_itself() {
    let (key, client) = (source(), api_client(&["reporting:read"]));
    let token = token(&client);
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
            report(&self::token(&client), "2025-01-01", "2025-01-01").status == 200
        });
    }
}

#[test]
fn several_replicas_are_found_and_one_may_die() {
    // Compose adds nothing to a service whose last health check failed, as one of another test's paused database does.
    eventually("a healthy stack", || {
        run_script("status", &[]).status.success()
    });
    compose(&[
        "up",
        "-d",
        "--wait",
        "--no-recreate",
        "--scale",
        "reporting=2",
        "--scale",
        "ingestion=2",
    ]);
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
    eventually("work for both", || {
        assert_eq!(report(&token, "2025-01-01", "2025-01-01").status, 200);
        ids.iter().all(|id| served(id) > 0)
    });
    docker(&["kill", &ids[0]]);
    for _ in 0..6 {
        assert_eq!(report(&token, "2025-01-01", "2025-01-01").status, 200);
    }
    compose(&[
        "up",
        "-d",
        "--wait",
        "--no-recreate",
        "--scale",
        "reporting=1",
        "--scale",
        "ingestion=1",
    ]);
    script("status", &[]);
}

#[test]
fn cold_start_with_broken_redis_serves_gateways_and_answers_503_elsewhere() {
    let key = source();
    let broken = rollcall_stack_tests::root().join("compose.override.yaml");
    compose(&["down"]);
    std::fs::write(&broken, "services: {redis: {command: [\"false\"]}}").expect("written");
    compose(&["up", "-d"]);
    eventually("a result", || {
        send(&key, &login("cold start")).status == 200
    });
    let password =
        std::fs::read_to_string(rollcall_stack_tests::root().join(".rollcall/first-client.json"));
    let connect = ["-H", "Content-Type: application/json", "-d", "@-"];
    let answer = rollcall_stack_tests::curl(
        "/api/v1/auth/connect",
        &connect,
        &password.expect("the first client"),
    );
    assert_eq!(answer.status, 503, "{answer:?}");
    assert!(!run_script("status", &[]).status.success());
    std::fs::remove_file(&broken).expect("removed");
    script("up", &[]);
    script("status", &[]);
}
