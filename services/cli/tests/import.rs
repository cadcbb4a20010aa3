//! The gateway's own user log, through the binary.

use std::{
    io::Write,
    process::{Command, Output, Stdio},
};

use rollcall_test_support::Rollcall;
use serde_json::{Value, json};

const LOG: &str = "\
User Name,Display Name,Domain,WAN IP,Client IP,MAC,Login Time,Logout Time
asha,Asha Rao,Sales,198.51.100.7,10.8.0.2,02:00:00:00:00:01,2025-01-01 15:30:00,2025-01-01 21:10:00
ben,Ben Okafor,,198.51.100.8,10.8.0.3,,2025-01-01 09:00:00,-
,No Name,,,,,2025-01-01 09:00:00,-
carla,Carla,,nowhere,,,2025-01-01 09:00:00,-
dmitri,Dmitri,,,,,yesterday,-
elif,Elif,,,,,2025-01-01 09:00:00,2025-01-01 08:00:00
asha,Asha Rao,Sales,198.51.100.7,10.8.0.2,02:00:00:00:00:01,2025-01-01 15:30:00,2025-01-01 21:10:00
";

fn import(rollcall: &Rollcall, source: &str, text: &str, options: &[&str]) -> Output {
    let database = rollcall.database.settings("ingestion");
    let mut child = Command::new(env!("CARGO_BIN_EXE_rollcall"))
        .args([
            "--json",
            "import",
            "--source",
            source,
            "--time-zone",
            "Asia/Kolkata",
        ])
        .args(options)
        .env("ROLLCALL_DATABASE__HOST", database.host)
        .env("ROLLCALL_DATABASE__PORT", database.port.to_string())
        .env("ROLLCALL_DATABASE__NAME", database.name)
        .env("ROLLCALL_DATABASE__USER", database.user)
        .env("ROLLCALL_DATABASE__PASSWORD_FILE", database.password_file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary");
    // A binary that refuses its options does not read.
    let _ = child
        .stdin
        .take()
        .expect("its input")
        .write_all(text.as_bytes());
    child.wait_with_output().expect("its end")
}

fn summary(output: &Output) -> Value {
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    serde_json::from_slice(&output.stderr).expect("JSON")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateways_own_log_is_read_and_the_same_file_twice_changes_nothing() {
    let rollcall = Rollcall::builder().await.time_zone("Asia/Kolkata").start();
    let source = rollcall.source().await;
    assert_eq!(
        summary(&import(&rollcall, &source, LOG, &["--dry-run"])),
        json!({"rows": 7, "accepted": 0, "duplicates": 0, "rejected": 4})
    );
    assert_eq!(rollcall.database.count("events").await, 0);

    let first = import(&rollcall, &source, LOG, &[]);
    assert_eq!(
        summary(&first),
        json!({"rows": 7, "accepted": 3, "duplicates": 2, "rejected": 4})
    );
    let rejects = String::from_utf8_lossy(&first.stdout).into_owned();
    assert_eq!(
        rejects.lines().collect::<Vec<_>>(),
        [
            "line,column,reason",
            "4,User Name,is missing",
            "5,WAN IP,\"must be an IPv4 or IPv6 address (got \"\"nowhere\"\")\"",
            "6,Login Time,\"must be a time as %Y-%m-%d %H:%M:%S or RFC 3339 \
             (got \"\"yesterday\"\")\"",
            "7,Logout Time,lies before the login",
        ]
    );
    assert_eq!(
        summary(&import(&rollcall, &source, LOG, &[]))["accepted"],
        0
    );

    let token = rollcall.token("reporting:read").await;
    let rows = rollcall
        .rows(&token, "2025-01-01", "2025-01-01", "00:00:00")
        .await;
    assert_eq!(
        rows[0],
        json!({"UserID": "asha", "Realm": "Sales", "FirstLoginDateTime": "2025-01-01 15:30:00", "LastLogoutDateTime": "2025-01-01 21:10:00"})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_export_closes_what_an_earlier_one_left_open() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    let export = |logout: &str| format!("Person,From,To\nben,2025-02-13T09:00:00Z,{logout}\n");
    let map = ["--map", "user=person,login=FROM,logout=To"];
    assert_eq!(
        summary(&import(&rollcall, &source, &export("-"), &map))["accepted"],
        1
    );
    assert_eq!(
        summary(&import(
            &rollcall,
            &source,
            &export("2025-02-13T10:00:00Z"),
            &map
        )),
        json!({"rows": 1, "accepted": 1, "duplicates": 1, "rejected": 0})
    );
    assert_eq!(rollcall.database.count("sessions").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_say_what_to_do() {
    let rollcall = Rollcall::start().await;
    let source = rollcall.source().await;
    for (source, text, options, message) in [
        (
            "nowhere",
            LOG,
            vec![],
            "there is no enabled source named nowhere",
        ),
        (
            &source,
            "a,b\n1,2\n",
            vec![],
            "no column holds the login: name it with --map login=COLUMN",
        ),
        (
            &source,
            LOG,
            vec!["--map", "login=Start"],
            "there is no column \"Start\"",
        ),
        (
            &source,
            LOG,
            vec!["--map", "beginning=Start"],
            "takes one of login, logout, user",
        ),
    ] {
        let output = import(&rollcall, source, text, &options);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            !output.status.success() && error.contains(message),
            "{error}"
        );
    }
}
