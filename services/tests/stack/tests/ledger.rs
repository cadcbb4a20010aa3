//! Checks that no acknowledged event is lost or counted twice when containers fail. The client
//! keeps a ledger of the acknowledgements, which is compared with the database and a report.
//!
//! `FAULT_ROUNDS` sets the number of faults: 5 by default, 50 in `scripts/test --faults`.

use std::{thread, time::Duration};

use rollcall_stack_tests::{
    api_client, client, compose, docker, eventually, local_source, port, post_json, project, psql,
    source, source_named, token,
};
use serde_json::{Value, json};

fn rounds() -> u64 {
    std::env::var("FAULT_ROUNDS")
        .ok()
        .and_then(|rounds| rounds.parse().ok())
        .unwrap_or(5)
}

/// The ledger of a client, and the number of its events in the database.
struct Outcome {
    ledger: Value,
    stored: u64,
    realm: String,
}

/// Sends events for some seconds, and causes a fault 2 seconds after the start.
fn under_load(seconds: u64, connections: u64, cause_fault: impl FnOnce()) -> Outcome {
    let name = format!("ledger-{}", uuid::Uuid::new_v4());
    let key = source_named(&name);
    let sender = thread::spawn({
        let realm = name.clone();
        move || {
            let (seconds, connections) = (seconds.to_string(), connections.to_string());
            let program = ["python3", "/clients/ledger.py"];
            let arguments = [&key, &seconds, &connections, &realm].map(String::as_str);
            client(&[&program[..], &arguments].concat(), "")
        }
    });
    thread::sleep(Duration::from_secs(2));
    cause_fault();
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

    /// Asserts that every acknowledged event is stored once and that the report matches the ledger.
    fn assert_complete(&self) {
        let summary = format!(
            "{} acknowledged, {} stored, {} requests sent again",
            self.acknowledged(),
            self.stored,
            self.ledger["retransmitted"]
        );
        println!("{summary}");
        assert!(self.acknowledged() > 100, "{summary}");
        assert_eq!(self.lost(), 0, "{summary}");
        assert_eq!(self.ledger["accepted_twice"], json!([]), "{summary}");
        assert_eq!(self.ledger["rejected"], 0, "{summary}");
        // The report must equal the rows that the client computed. The open sessions of 2025 are
        // closed by timeout.
        let token = token(&api_client(&["reporting:read"]));
        let filters = json!({
            "StartDate": "2025-03-10",
            "EndDate": "2025-03-10",
            "UserName": "All Users",
            "StartOfDay": "00:00:00",
            "RequestDate": "2025-03-10",
            "Domain": self.realm,
        });
        let body = json!({"Filters": filters});
        let answer = post_json("/api/v1/reporting/sessions", &token, &body);
        assert_eq!(answer.json()["data"], self.ledger["rows"]);
    }
}

#[test]
fn acknowledged_events_are_stored_once_when_containers_fail() {
    let rounds = rounds();
    let accounting = accounting(rounds * 5);
    let outcome = under_load(rounds * 5 + 5, 16, || {
        for round in 0..rounds {
            match round % 5 {
                0 => compose(&["kill", "-s", "SIGKILL", "ingestion"]),
                1 => compose(&["kill", "-s", "SIGKILL", "postgres"]),
                2 => compose(&["pause", "postgres"]),
                3 => disconnect_ingestion_for_a_moment(),
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
    outcome.assert_complete();
    accounting.join().expect("the gateway's ledger");
}

/// Disconnects ingestion from the network of the database for 0.7 seconds.
fn disconnect_ingestion_for_a_moment() {
    let network = format!("{}_data", project());
    let id = docker(&["compose", "ps", "-q", "ingestion"]);
    docker(&["network", "disconnect", &network, id.trim()]);
    thread::sleep(Duration::from_millis(700));
    let alias = ["--alias", "ingestion"];
    docker(&[&["network", "connect"], &alias[..], &[&network, id.trim()]].concat());
}

/// Starts a gateway that sends RADIUS accounting and retransmits unanswered requests. The thread
/// asserts that each answered request is stored once.
fn accounting(seconds: u64) -> thread::JoinHandle<()> {
    let sender = local_source();
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
        let [answered, sent, retransmitted] = ledger.split_whitespace().collect::<Vec<_>>()[..]
        else {
            panic!("{ledger}")
        };
        let stored = psql(&format!(
            "SELECT count(*) || ' ' || count(DISTINCT session_id) FROM events
             WHERE session_id LIKE '{nas}/%'"
        ));
        println!(
            "RADIUS: {sent} sent, {answered} answered, {retransmitted} retransmitted, \
             events and sessions stored: {stored}"
        );
        assert_eq!(
            (answered, stored),
            (sent, format!("{sent} {sent}")),
            "each request must be answered and stored once"
        );
        assert!(answered.parse::<u64>().expect("a number") > 100, "{ledger}");
    })
}

#[test]
fn acknowledged_events_are_stored_when_ingestion_is_restarted() {
    under_load(15, 8, || compose(&["restart", "ingestion"])).assert_complete();
}

#[test]
fn ledger_detects_a_loss_when_commits_are_not_flushed() {
    // Control: without synchronous commits, events are acknowledged before they are on disk. The
    // ledger must detect the events that a crash of the database loses.
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
    println!("without synchronous commits, {lost} acknowledged events were lost");
    assert!(lost > 0, "no loss was detected: the ledger proves nothing");
}

#[test]
fn event_sent_by_50_concurrent_requests_is_accepted_once() {
    let key = source();
    let script = r#"
event='{"event_id":"one","type":"login","session_id":"one","user":"one",
        "occurred_at":"2025-01-01T00:00:00Z"}'
for caller in $(seq 1 50); do
    curl -sS --retry 5 --cacert /state/ca.pem -H "Authorization: Bearer $1" \
        -H 'Content-Type: application/json' -d "$event" \
        "$STACK_URL/api/v1/ingestion/events" && echo &
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
