//! No acknowledged event is lost or counted twice, whatever dies. The client keeps the ledger.
//!
//! `FAULT_ROUNDS` sets how many times something dies: a few in `scripts/test`, 50 in `scripts/test --faults`.

use std::{thread, time::Duration};

use rollcall_stack_tests::{
    api_client, client, compose, docker, eventually, port, psql, sender_here, source, source_named,
    token,
};
use serde_json::{Value, json};

fn rounds() -> u64 {
    std::env::var("FAULT_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(5)
}

/// What is left of a ledger when the dust has settled.
struct Outcome {
    ledger: Value,
    stored: u64,
    realm: String,
}

/// Sends for as long as `harm` takes, and a little longer.
fn under_load(seconds: u64, connections: u64, harm: impl FnOnce()) -> Outcome {
    let name = format!("ledger-{}", uuid::Uuid::new_v4());
    let key = source_named(&name);
    let sender = thread::spawn({
        let realm = name.clone();
        move || {
            client(
                &[
                    "python3",
                    "/clients/ledger.py",
                    &key,
                    &seconds.to_string(),
                    &connections.to_string(),
                    &realm,
                ],
                "",
            )
        }
    });
    thread::sleep(Duration::from_secs(2));
    harm();
    let ledger: Value = serde_json::from_str(&sender.join().expect("the ledger")).expect("JSON");
    let stored = psql(&format!(
        "SELECT count(*) FROM events JOIN sources ON id = source_id WHERE name = '{name}'"
    ));
    Outcome {
        ledger,
        stored: stored.parse().expect("a number"),
        realm: name,
    }
}

impl Outcome {
    fn acknowledged(&self) -> u64 {
        self.ledger["acknowledged"].as_u64().expect("a number")
    }

    fn lost(&self) -> u64 {
        self.acknowledged().saturating_sub(self.stored)
    }

    fn is_whole(&self) {
        let summary = format!(
            "{} acknowledged, {} stored, {} requests repeated",
            self.acknowledged(),
            self.stored,
            self.ledger["repeated"]
        );
        println!("{summary}");
        assert!(self.acknowledged() > 100, "{summary}");
        assert_eq!(self.lost(), 0, "{summary}");
        assert_eq!(self.ledger["doubled"], json!([]), "{summary}");
        assert_eq!(self.ledger["rejected"], 0, "{summary}");
        // All of it is in the report, as the client reckons it, once what was left open in 2025 is taken as ended.
        eventually("the sweeper", || {
            psql(
                "SELECT count(*) FROM sessions WHERE ended IS NULL AND last_activity_at < '2026-01-01'",
            ) == "0"
        });
        let token = token(&api_client(&["reporting:read"]));
        let body = json!({"Filters": {"StartDate": "2025-03-10", "EndDate": "2025-03-10", "UserName": "All Users", "StartOfDay": "00:00:00", "RequestDate": "2025-03-10", "Domain": self.realm}});
        let bearer = format!("Authorization: Bearer {token}");
        let answer = rollcall_stack_tests::curl(
            "/api/v1/reporting/sessions",
            &[
                "-H",
                &bearer,
                "-H",
                "Content-Type: application/json",
                "-d",
                "@-",
            ],
            &body.to_string(),
        );
        assert_eq!(answer.json()["data"], self.ledger["rows"]);
    }
}

#[test]
fn whatever_dies_nothing_is_lost_or_doubled() {
    let rounds = rounds();
    let accounting = accounting(rounds * 5);
    let outcome = under_load(rounds * 5 + 5, 16, || {
        for round in 0..rounds {
            match round % 5 {
                0 => compose(&["kill", "-s", "SIGKILL", "ingestion"]),
                1 => compose(&["kill", "-s", "SIGKILL", "postgres"]),
                2 => compose(&["pause", "postgres"]),
                3 => {
                    let id = docker(&["compose", "ps", "-q", "ingestion"]);
                    docker(&[
                        "network",
                        "disconnect",
                        &format!("{}_data", rollcall_stack_tests::project()),
                        id.trim(),
                    ]);
                    thread::sleep(Duration::from_millis(700));
                    docker(&[
                        "network",
                        "connect",
                        "--alias",
                        "ingestion",
                        &format!("{}_data", rollcall_stack_tests::project()),
                        id.trim(),
                    ]);
                }
                _ => compose(&["pause", "ingestion"]),
            }
            thread::sleep(Duration::from_millis(300 + 137 * (round % 7)));
            match round % 5 {
                0 => compose(&["start", "ingestion"]),
                1 => compose(&["start", "postgres"]),
                2 => compose(&["unpause", "postgres"]),
                4 => compose(&["unpause", "ingestion"]),
                _ => (),
            }
            thread::sleep(Duration::from_secs(2));
        }
    });
    outcome.is_whole();
    accounting.join().expect("the gateway's ledger");
}

/// A gateway that accounts by RADIUS meanwhile, and sends again what is not answered: what was answered is stored, once.
fn accounting(seconds: u64) -> thread::JoinHandle<()> {
    let sender = sender_here();
    thread::spawn(move || {
        let nas = format!("nas-{}", uuid::Uuid::new_v4());
        let command = [
            "python3",
            "/clients/radius_ledger.py",
            &port(1),
            &sender.secret,
            &seconds.to_string(),
            &nas,
        ];
        let ledger = client(&command, "");
        let [answered, sent, repeated] = ledger.split_whitespace().collect::<Vec<_>>()[..] else {
            panic!("{ledger}")
        };
        let stored = psql(&format!(
            "SELECT count(*) || ' ' || count(DISTINCT session_id) FROM events WHERE session_id LIKE '{nas}/%'"
        ));
        println!(
            "RADIUS: {sent} sent, {answered} answered, {stored} stored and sessions, {repeated} repeated"
        );
        assert_eq!(
            (answered, stored),
            (sent, format!("{sent} {sent}")),
            "all of them in the end"
        );
        assert!(answered.parse::<u64>().expect("a number") > 100, "{ledger}");
    })
}

#[test]
fn a_graceful_stop_drops_no_accepted_request() {
    under_load(15, 8, || compose(&["restart", "ingestion"])).is_whole();
}

#[test]
fn a_ledger_that_could_not_see_a_loss_would_prove_nothing() {
    // Acknowledged before it is on disk: what the database's crash takes away must be seen.
    psql("ALTER ROLE ingestion SET synchronous_commit = off");
    psql("ALTER SYSTEM SET wal_writer_delay = '10s'");
    compose(&["restart", "postgres", "ingestion"]);
    eventually("postgres", || psql("SHOW wal_writer_delay") == "10s");
    let mut lost = 0;
    for _ in 0..5 {
        let outcome = under_load(9, 16, || {
            thread::sleep(Duration::from_secs(3));
            compose(&["kill", "-s", "SIGKILL", "postgres"]);
            compose(&["start", "postgres"]);
        });
        lost = outcome.lost();
        if lost > 0 {
            break;
        }
    }
    psql("ALTER ROLE ingestion RESET synchronous_commit");
    psql("ALTER SYSTEM RESET wal_writer_delay");
    compose(&["restart", "postgres", "ingestion"]);
    eventually("postgres", || psql("SHOW wal_writer_delay") == "200ms");
    println!("with flush off, {lost} acknowledged events were lost");
    assert!(lost > 0, "the control lost nothing: the test is blind");
}

#[test]
fn the_same_event_from_50_connections_at_once_is_counted_once() {
    let key = source();
    let script = r#"
event='{"event_id":"one","type":"login","session_id":"one","user":"one","occurred_at":"2025-01-01T00:00:00Z"}'
for caller in $(seq 1 50); do
    curl -sS --retry 5 --cacert /state/ca.pem -H "Authorization: Bearer $1" -H 'Content-Type: application/json' -d "$event" "$STACK_URL/api/v1/ingestion/events" && echo &
done
wait"#;
    let results = client(&["bash", "-c", script, "send", &key], "");
    let count = |what: &str| results.matches(what).count();
    assert_eq!(
        (
            count(r#""accepted":1,"duplicates":0"#),
            count(r#""accepted":0,"duplicates":1"#)
        ),
        (1, 49),
        "{results}"
    );
}
