//! Tests of the `rollcall-forward` binary with the real ingestion service.

use std::{
    fs,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use rand::RngExt;
use rollcall_test_support::Rollcall;
use serde_json::json;

struct Host {
    folder: PathBuf,
}

impl Host {
    fn new(rollcall: &Rollcall, key: &str, more: &str) -> Self {
        let folder =
            std::env::temp_dir().join(format!("rollcall-forward-{}", uuid::Uuid::new_v4()));
        fs::create_dir(&folder).expect("a folder");
        let host = Self { folder };
        let (spool, url) = (host.path("spool"), format!("http://{}", rollcall.ingestion));
        fs::write(
            host.path("config.toml"),
            format!(
                "url = {url:?}\nkey = {key:?}\nspool = \"{}\"\n{more}\n",
                spool.display()
            ),
        )
        .expect("written");
        host.mode(0o600);
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn mode(&self, mode: u32) {
        fs::set_permissions(self.path("config.toml"), fs::Permissions::from_mode(mode))
            .expect("a mode");
    }

    fn following(rollcall: &Rollcall, key: &str, format: &str) -> Self {
        let host = Self::new(rollcall, key, "");
        let file = host.path("events.log");
        let config = fs::read_to_string(host.path("config.toml")).expect("read");
        fs::write(
            host.path("config.toml"),
            format!(
                "{config}file = \"{}\"\nformat = {format:?}\n",
                file.display()
            ),
        )
        .expect("written");
        host
    }

    fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rollcall-forward"));
        command.arg("--config").arg(self.path("config.toml"));
        command
    }

    fn start(&self) -> Child {
        self.command()
            .stdin(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary")
    }

    fn append(&self, lines: &str) {
        let mut file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path("events.log"))
            .expect("a file");
        file.write_all(lines.as_bytes()).expect("written");
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn event(number: usize) -> String {
    let event = json!({
        "event_id": number.to_string(), "type": "login", "session_id": number.to_string(),
        "user": "user_4", "occurred_at": "2025-01-01T00:00:00Z",
    });
    format!("{event}\n")
}

async fn stored(rollcall: &Rollcall, number: usize) {
    for _ in 0..1_200 {
        if rollcall.database.count("events").await >= number {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(rollcall.database.count("events").await, number);
}

fn end(mut child: Child) {
    child.kill().expect("killed");
    child.wait().expect("its end");
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_forwarder_loses_and_repeats_no_event_during_rotation() {
    let rollcall = Rollcall::start().await;
    let key = rollcall.source().await;
    let host = Host::following(&rollcall, &key, "ndjson");
    // Store a position first. Without a position the forwarder begins with the file of this name
    // and does not read files that were rotated before its first start.
    host.append(&event(0));
    let child = host.start();
    stored(&rollcall, 1).await;
    end(child);
    let mut written = 1;
    for round in 0..12 {
        let child = host.start();
        for _ in 0..4 {
            let some: String = (written..written + 250).map(event).collect();
            host.append(&some);
            written += 250;
            tokio::time::sleep(Duration::from_millis(rand::rng().random_range(0..60))).await;
        }
        end(child);
        if round % 4 == 1 {
            // Rotate while the forwarder is not running.
            fs::rename(
                host.path("events.log"),
                host.path(&format!("events.log.{round}")),
            )
            .expect("renamed");
        }
    }
    let child = host.start();
    stored(&rollcall, written).await;
    // Rotate while the forwarder is running. An incomplete line waits for its end.
    fs::rename(host.path("events.log"), host.path("events.log.last")).expect("renamed");
    let (whole, part) = (event(written), event(written + 1));
    host.append(&(whole + &part[..20]));
    stored(&rollcall, written + 1).await;
    host.append(&part[20..]);
    stored(&rollcall, written + 2).await;
    end(child);
}

#[tokio::test(flavor = "multi_thread")]
async fn truncated_file_is_read_from_its_beginning() {
    let rollcall = Rollcall::start().await;
    let key = rollcall.source().await;
    let host = Host::following(&rollcall, &key, "ndjson");
    host.append(&event(1));
    let child = host.start();
    stored(&rollcall, 1).await;
    fs::write(host.path("events.log"), event(2) + &event(3))
        .expect("truncated and longer than before");
    stored(&rollcall, 3).await;
    end(child);
}

#[tokio::test(flavor = "multi_thread")]
async fn forwarder_of_standard_input_exits_when_all_events_are_acknowledged() {
    let rollcall = Rollcall::start().await;
    let key = rollcall.source().await;
    let host = Host::new(&rollcall, &key, "format = \"ndjson\"");
    let mut child = host.start();
    let input = format!(
        "{}nonsense\n{}{}",
        event(1),
        event(1)
            .replace("login", "LOGIN")
            .replace(":\"1\"", ":\"2\""),
        event(3)
    );
    child
        .stdin
        .take()
        .expect("its input")
        .write_all(input.as_bytes())
        .expect("written");
    let output = child.wait_with_output().expect("its end");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{log}");
    assert!(!log.is_empty() && !log.contains('\u{1b}'), "{log:?}");
    assert_eq!(rollcall.database.count("events").await, 2);
    let rejected = fs::read_to_string(host.path("spool/rejected.ndjson")).expect("a file");
    let reasons: Vec<&str> = rejected.lines().collect();
    assert_eq!(reasons.len(), 2, "{rejected}");
    assert!(
        reasons[0].contains("must be a JSON object") && reasons[1].contains("type must be"),
        "{rejected}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn standard_input_that_cannot_be_read_is_an_error() {
    let rollcall = Rollcall::start().await;
    let host = Host::new(&rollcall, "key", "format = \"ndjson\"");
    // Reading from a directory fails.
    let directory = fs::File::open(&host.folder).expect("a folder");
    let output = host.command().stdin(directory).output().expect("its end");
    let log = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{log}");
    assert!(log.contains("error: Is a directory"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn log_line_with_reused_correlation_key_begins_another_session() {
    let rollcall = Rollcall::start().await;
    let key = rollcall.source().await;
    let host = Host::following(&rollcall, &key, "log");
    let line = |day: u8, hour: u8, text: &str| {
        format!("2025-01-0{day}T{hour:02}:00:00Z gw sshd[7]: {text}\n")
    };
    let (accepted, closed) = (
        "Accepted password for asha from 203.0.113.5 port 5 ssh2",
        "pam_unix(sshd:session): session closed for user asha",
    );
    host.append(
        &(line(1, 9, accepted) + "not a line of a log\n" + &line(1, 9, "Server listening")),
    );
    end({
        let child = host.start();
        stored(&rollcall, 1).await;
        child
    });
    host.append(&(line(1, 10, closed) + &line(2, 9, accepted) + &line(2, 11, closed)));
    let child = host.start();
    stored(&rollcall, 4).await;
    end(child);
    let sessions = rollcall
        .database
        .texts(
            "SELECT session_id || to_char(logout_at, ' DD HH24') AS text FROM sessions ORDER BY 1",
        )
        .await;
    assert_eq!(
        sessions,
        [
            "sshd/gw/7@2025-01-01T09:00:00Z 01 10",
            "sshd/gw/7@2025-01-02T09:00:00Z 02 11"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn configuration_with_unknown_field_is_rejected() {
    let rollcall = Rollcall::start().await;
    let host = Host::new(&rollcall, "key", "format = \"ndjson\"\ntypo = 1");
    assert!(failure(&host).contains("typo"));
}

#[tokio::test(flavor = "multi_thread")]
async fn configuration_that_others_can_read_is_rejected() {
    let rollcall = Rollcall::start().await;
    let host = Host::new(&rollcall, "key", "format = \"ndjson\"");
    host.mode(0o644);
    assert!(failure(&host).contains("chmod 600"));
}

/// Runs the forwarder, which must fail, and returns its error message.
fn failure(host: &Host) -> String {
    let output = host.start().wait_with_output().expect("an exit status");
    assert!(!output.status.success());
    String::from_utf8_lossy(&output.stderr).into_owned()
}
