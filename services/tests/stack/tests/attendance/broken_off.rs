//! Downloads that break off, because PostgreSQL is killed in their middle.

use std::process::Child;

use rollcall_stack_tests::{
    JSON_FROM_STDIN, api_client, compose, curl, eventually, psql, source_named,
    start_direct_client, token, url,
};
use serde_json::json;

/// Two days of sessions of 200,000 employees with long random names. Their download is larger than
/// all buffers between the database and a client of `start_direct_client`, even when it is
/// compressed.
struct LargeReport;

impl LargeReport {
    fn new() -> Self {
        let name = format!("broken-{}", uuid::Uuid::new_v4());
        source_named(&name);
        psql(&format!(
            "WITH added AS (
                 INSERT INTO persons (
                     normalized_user, normalized_realm, reported_on, display_user, display_realm
                 )
                 SELECT name, 'broken', '2004-05-03', name, 'Broken'
                 FROM generate_series(1, 200000) AS n,
                     LATERAL (SELECT encode(sha512(n::text::bytea), 'base64') AS name) AS names
                 ON CONFLICT DO NOTHING RETURNING id
             )
             INSERT INTO employee_mappings (person_id, employee_id, valid_from, valid_to)
             SELECT id, md5(id::text), '2004-05-03', '2004-05-04' FROM added;
             INSERT INTO sessions (source_id, session_id, person_id, names_realm, named_at,
                 login_at, logout_at, last_activity_at, first_event_at)
             SELECT sources.id, 'broken-' || persons.id || '-' || day, persons.id, true,
                 at, at, at, at, at
             FROM sources, persons, generate_series(3, 4) AS day, LATERAL (
                 SELECT make_timestamptz(2004, 5, day, 0, 0, 0, 'UTC')
                     + persons.id % 80000 * interval '1 second' AS at
             ) AS logins
             WHERE name = '{name}' AND normalized_realm = 'broken';
             ANALYZE sessions, persons, employee_mappings"
        ));
        // Otherwise the checkpoint delays the first statements of the downloads.
        psql("CHECKPOINT");
        Self
    }
}

impl Drop for LargeReport {
    fn drop(&mut self) {
        psql("DELETE FROM sessions WHERE session_id LIKE 'broken-%'");
    }
}

/// Starts a download that is not read until standard input is closed.
fn start_download(token: &str, options: &str, more: &[&str]) -> Child {
    let authorization = format!("Authorization: Bearer {token}");
    let url = format!(
        "{}/api/v2/attendance?start_date=2004-05-03&end_date=2004-05-04{options}",
        url()
    );
    let script = "exec 3<&0
        curl --connect-to \"::$PROXY_ADDRESS\" \"$@\" > >(read -r _ <&3; cat >/dev/null)
        exit $?";
    let mut command = vec![
        "bash",
        "-c",
        script,
        "-",
        "-sS",
        "--fail",
        "-H",
        &authorization,
    ];
    command.extend(["--max-time", "200", "--cacert", "/state/ca.pem", &url]);
    command.extend(more);
    start_direct_client(&command)
}

/// Returns a download that is running, as the last one of `expected`: the database waits until the
/// client reads more rows. A workbook is running while the database sends its rows. Starts the
/// download again if the service cannot answer at once, because the machine is busy.
fn running_download(token: &str, options: &str, more: &[&str], expected: usize) -> Child {
    let is_running = match options {
        "&format=xlsx" => "state = 'active'",
        _ => "wait_event = 'ClientWrite'",
    };
    let running = &format!(
        "SELECT count(*) FROM pg_stat_activity WHERE usename = 'reporting' AND {is_running}"
    );
    for _ in 0..10 {
        let mut download = start_download(token, options, more);
        let mut has_ended = || download.try_wait().expect("its state").is_some();
        eventually("a download", || {
            has_ended() || psql(running) == expected.to_string()
        });
        if !has_ended() {
            return download;
        }
    }
    panic!("{options} was not answered ten times");
}

#[test]
fn download_is_an_error_for_curl_when_postgresql_is_killed() {
    let _large = LargeReport::new();
    let credentials = api_client(&["reporting:read"]);
    // Two streams of a client may run at once.
    let tokens = [
        token(&credentials),
        token(&api_client(&["reporting:read"])),
        token(&api_client(&["reporting:read"])),
    ];
    let downloads = [
        ("&format=csv", &["--http1.1"][..]),
        ("&format=csv", &["--http2", "--compressed"]),
        ("&format=ndjson", &["--http1.1", "--compressed"]),
        ("&format=parquet", &["--http1.1"]),
        ("&format=frappe", &["--http1.1"]),
        // Sent only when it is complete: so the error is a status.
        ("&format=xlsx", &["--http1.1"]),
    ];
    let mut started = Vec::new();
    for (number, (options, more)) in downloads.iter().enumerate() {
        started.push(running_download(
            &tokens[number / 2],
            options,
            more,
            number + 1,
        ));
    }
    compose(&["kill", "postgres"]);
    let ends: Vec<_> = started
        .into_iter()
        .map(|download| download.wait_with_output().expect("its end"))
        .collect();
    compose(&["start", "postgres"]);
    let sign_in = json!({"username": credentials.0, "password": credentials.1}).to_string();
    eventually("a token", || {
        curl("/api/v1/auth/connect", &JSON_FROM_STDIN, &sign_in).status == 200
    });
    for (download, end) in downloads.iter().zip(ends) {
        let error = String::from_utf8_lossy(&end.stderr);
        let code = end.status.code().expect("an exit code");
        println!("{download:?}: {code} {error}");
        // 18: partial file. 56: connection closed. 92: HTTP/2 stream reset. 22: status 503.
        let expected = match download {
            (_, ["--http2", ..]) => [92, 56],
            ("&format=xlsx", _) => [22, 22],
            _ => [18, 56],
        };
        assert!(expected.contains(&code), "{download:?}: {code} {error}");
    }
}
