//! Cursors: each row is on exactly one page, even if rows are added meanwhile.

use rollcall_test_support::snapshot;
use serde_json::Value;

use crate::support::{event, get, get_json, send, with_events};

const REPORT: &str = "/api/v2/attendance?start_date=2025-01-01&end_date=2025-01-03";

fn logins(days: std::ops::RangeInclusive<u32>, users: &[&str]) -> Vec<Value> {
    let login = |day: u32, user: &&str| {
        event(
            &format!("{user} {day}"),
            "login",
            user,
            &format!("2025-01-0{day}T08:00:00Z"),
        )
    };
    days.flat_map(|day| users.iter().map(move |user| login(day, user)))
        .collect()
}

/// Returns date and user of each row.
fn keys(page: &Value) -> Vec<String> {
    let rows = page["data"].as_array().expect("rows");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    rows.iter()
        .map(|row| text(&row["date"]) + " " + &text(&row["user"]))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_any_size_have_each_row_once() {
    let (rollcall, token) = with_events("UTC", &logins(1..=3, &["b", "Émile", "a", "zoë"])).await;
    for grouping in ["day", "period"] {
        let report = format!("{REPORT}&group_by={grouping}");
        let whole = get_json(&rollcall, &token, &report).await;
        assert_eq!(whole["next"], Value::Null);
        for limit in 1..=5 {
            let (mut rows, mut cursor) = (Vec::new(), String::new());
            loop {
                let path = format!("{report}&limit={limit}{cursor}");
                let page = get_json(&rollcall, &token, &path).await;
                rows.extend(keys(&page));
                let Some(next) = page["next"].as_str() else {
                    break;
                };
                assert_eq!(keys(&page).len(), limit, "{path}");
                cursor = format!("&cursor={next}");
            }
            assert_eq!(rows, keys(&whole), "{grouping} {limit}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn row_added_before_the_cursor_moves_nothing() {
    let (rollcall, token) = with_events("UTC", &logins(1..=2, &["b", "d"])).await;
    let first = get_json(&rollcall, &token, &format!("{REPORT}&limit=2")).await;
    assert_eq!(keys(&first), ["2025-01-01 b", "2025-01-01 d"]);
    let source = rollcall
        .database
        .texts("SELECT name AS text FROM sources")
        .await
        .remove(0);
    send(&rollcall, &source, &logins(1..=2, &["a", "c", "e"])).await;
    let next = first["next"].as_str().expect("a cursor");
    let second = get_json(&rollcall, &token, &format!("{REPORT}&cursor={next}")).await;
    let expected = ["1 e", "2 a", "2 b", "2 c", "2 d", "2 e"].map(|key| format!("2025-01-0{key}"));
    assert_eq!(keys(&second), expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn cursor_of_another_query_gets_400_and_another_limit_is_accepted() {
    let (rollcall, token) = with_events("UTC", &logins(1..=3, &["a", "b"])).await;
    let first = get_json(&rollcall, &token, &format!("{REPORT}&limit=1")).await;
    let next = first["next"].as_str().expect("a cursor");
    let path = format!("{REPORT}&limit=4&cursor={next}");
    assert_eq!(keys(&get_json(&rollcall, &token, &path).await).len(), 4);
    for other in ["&user=a", "&group_by=period", "&time_zone=Asia/Tokyo"] {
        let path = format!("{REPORT}{other}&cursor={next}");
        assert_eq!(get(&rollcall, &token, &path).await.status(), 400, "{other}");
    }
    let path = format!("{REPORT}&cursor={}", next.to_lowercase());
    let answer = snapshot::of(get(&rollcall, &token, &path).await).await;
    assert!(
        answer.contains("the value of next in a response to the same request"),
        "{answer}"
    );
}
