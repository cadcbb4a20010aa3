//! Data of the tests in a browser: persons and sessions of March and April 2004, which no other
//! test uses.

use rollcall_stack_tests::{api_client, import, once, record, send, session, source_named};
use serde_json::{Value, json};

/// A name that would run a script, if a page did not escape it.
const MARKUP: &str = "<img src=x onerror=alert(1)>";
/// The day with all kinds of sessions.
const DAY: &str = "2004-03-15";
/// A day with more persons than a page has rows.
const FULL_DAY: &str = "2004-04-15";
/// Number of bytes of the longest user name.
const LONGEST: usize = 256;

/// Records what the pages show, once for all tests of a stack. Returns what the scripts need to
/// know: API clients as name and password, and names.
pub fn seed() -> Value {
    once("console", || {
        let run = uuid::Uuid::new_v4().simple();
        let [gateway, other, restarted] = ["main", "second", "restarted"].map(|name| {
            let name = format!("gateway-{name}-{run}");
            let key = source_named(&name);
            (name, key)
        });
        record(&gateway.1, &sessions());
        record(&other.1, &stay("emil", "11:00:00", "13:00:00"));
        record(&restarted.1, &restart());
        send_bad_event(&gateway.1);
        map_employees();
        let opened = format!("open-{run}");
        let day = open_session(&gateway.1, &opened);
        json!({
            "reader": api_client(&["reporting:read"]),
            "admin": api_client(&["reporting:read", "attendance:write", "admin"]),
            "source": gateway.0,
            "markup": MARKUP,
            "day": DAY,
            "full_day": FULL_DAY,
            "open": {"user": opened, "day": day},
        })
    })
}

/// Returns a session on the day of the seed.
fn stay(user: &str, login: &str, logout: &str) -> Vec<Value> {
    let [login, logout] = [login, logout].map(|time| format!("{DAY}T{time}Z"));
    session(user, &login, Some(&logout), None)
}

fn sessions() -> Vec<Value> {
    let names = ["学生", "أحمد", "Jürgen Müller", "longest"];
    let night = session(
        "nora",
        "2004-03-15T22:00:00Z",
        Some("2004-03-16T06:00:00Z"),
        None,
    );
    let full = (0..150).flat_map(|number| {
        let [login, logout] = [8, 16].map(|hour| format!("{FULL_DAY}T{hour:02}:00:00Z"));
        session(
            &format!("person-{number:03}"),
            &login,
            Some(&logout),
            Some(600),
        )
    });
    let mut events: Vec<Value> = full.collect();
    events.extend(
        names
            .iter()
            .flat_map(|user| stay(user, "08:00:00", "16:30:00")),
    );
    events.extend(night);
    events.extend(stay("emil", "08:00:00", "12:00:00"));
    events.extend(month_of_markup());
    // A session that ends by timeout, and one without a login.
    events.extend(session("timeout", "2004-03-15T09:00:00Z", None, None));
    events.push(stay("no-login", "09:00:00", "17:00:00").remove(1));
    for event in &mut events {
        if event["user"] == "longest" {
            event["user"] = json!("w".repeat(LONGEST));
        }
    }
    events
}

/// Sessions of a month with markup in every text. Each event tells all that an event can tell.
fn month_of_markup() -> Vec<Value> {
    let days = (1..31).filter(|day| day % 7 < 5);
    let mut events: Vec<Value> = days
        .flat_map(|day| {
            let [login, logout] = [8, 17].map(|hour| format!("2004-03-{day:02}T{hour:02}:05:00Z"));
            session(MARKUP, &login, Some(&logout), Some(28_000))
        })
        .collect();
    for event in &mut events {
        event["realm"] = json!("<b>Sales</b>");
        event["reason"] = json!("<script>alert(2)</script>");
        event["display_name"] = json!("<svg onload=alert(3)>");
        event["device"] = json!("\"'><script>alert(4)</script>");
        event["client_ip"] = json!("2001:db8:85a3:8d3:1319:8a2e:370:7348");
        event["mac"] = json!("00-53-00-12-34-56");
    }
    events
}

/// A session that the restart of its gateway closes.
fn restart() -> Vec<Value> {
    let mut events = session("rita", "2004-03-15T09:00:00Z", None, None);
    events.push(json!({
        "event_id": "restart", "type": "restart", "occurred_at": "2004-03-15T18:04:00Z",
    }));
    events
}

/// Sends an event that is rejected, so that the page of rejected input has a sample.
fn send_bad_event(key: &str) {
    let event =
        json!([{"event_id": MARKUP, "type": MARKUP, "occurred_at": "2004-03-15T09:00:00Z"}]);
    assert_eq!(send(key, &event).json()["rejected_count"], 1);
}

/// Maps some persons, and one who was absent. The employee `E-1` has two persons.
fn map_employees() {
    let mappings = [
        ("emil", "E-1"),
        ("nora", "E-1"),
        ("timeout", "<i>E-2</i>"),
        ("absent", "E-3"),
    ];
    import(["2004-03-01", ""], &mappings);
}

/// Records a session that is open now. Returns its day.
fn open_session(key: &str, user: &str) -> String {
    // The time zone of the stack.
    let now = jiff::Zoned::now().in_tz("UTC").expect("a zone");
    let login = now - jiff::SignedDuration::from_hours(1);
    let time = login.timestamp().to_string();
    record(key, &session(user, &time, None, None));
    login.strftime("%F").to_string()
}
