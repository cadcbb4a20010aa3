//! The disk of the database fills up, then has space again. Meanwhile ingestion answers 503. No
//! acknowledged event is lost, and no restart is needed.

use rollcall_stack_tests::{docker, eventually, psql, run_in, send, source};
use serde_json::{Value, json};

const BALLAST: &str = "/var/lib/rollcall/data/ballast";

fn batch(number: usize) -> Value {
    // The text is long, so that a few batches need more disk space.
    let reason = "x".repeat(200);
    let event = |index| {
        json!({"event_id": format!("{number}-{index}"), "type": "login", "session_id": format!("{number}-{index}"), "user": "asha",
        "occurred_at": "2025-01-01T00:00:00Z", "reason": reason})
    };
    (0..500).map(event).collect()
}

#[test]
fn event_gets_503_while_the_disk_is_full_and_no_acknowledged_event_is_lost() {
    let key = source();
    assert_eq!(send(&key, &batch(0)).status, 200);
    let filled = run_in("keeper", &format!("dd if=/dev/zero of={BALLAST} bs=64k"));
    assert!(!filled.status.success(), "the disk has no size limit");

    let mut acknowledged = vec![0];
    let mut refused = Vec::new();
    for number in 1..400 {
        let answer = send(&key, &batch(number));
        match answer.status {
            200 => acknowledged.push(number),
            503 => {
                assert!(answer.header("retry-after").is_some(), "{answer:?}");
                refused.push(number);
            }
            _ => panic!("{answer:?}"),
        }
        if refused.len() == 5 {
            break;
        }
    }
    assert_eq!(refused.len(), 5, "the disk was never full");

    docker(&["compose", "exec", "-T", "keeper", "rm", BALLAST]);
    eventually("the database", || {
        send(&key, &batch(refused[0])).status == 200
    });
    for number in &refused {
        let result = send(&key, &batch(*number)).json();
        assert_eq!(
            result["accepted"]
                .as_u64()
                .zip(result["duplicates"].as_u64())
                .map(|(new, old)| new + old),
            Some(500),
            "{result}"
        );
    }
    let whole = psql(
        "SELECT string_agg(batch || ':' || events, ' ') FROM (SELECT split_part(event_id, '-', 1)::int AS batch, count(*) AS events FROM events GROUP BY 1 ORDER BY 1) AS batches",
    );
    acknowledged.extend(refused);
    acknowledged.sort_unstable();
    let expected: Vec<String> = acknowledged
        .iter()
        .map(|number| format!("{number}:500"))
        .collect();
    assert_eq!(whole, expected.join(" "));
    println!(
        "{} batches were acknowledged before, during and after the full disk, and all are stored",
        acknowledged.len()
    );
}
