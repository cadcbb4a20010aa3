//! Backup and restore: into a second checkout on this host, with a project and ports of its own.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicBool, Ordering},
};

use rollcall_stack_tests::{
    Answer, CLIENTS, api_client, once, parse, project, psql, report, root, run_script, script,
    send, source_named, token,
};
use serde_json::{Value, json};

const PASSPHRASE: &str = "correct horse battery staple";
/// The source that reports while the backup is made.
const NOISE: &str = "gateway-that-reports-during-the-backup";

/// A backup of the running stack, and what the stack held when it was made.
struct Original {
    backup: PathBuf,
    key_file_backup: PathBuf,
    client: (String, String),
    period: (String, String),
    report: Value,
    digests: String,
}

/// Returns the backup, which the first test makes. Meanwhile the source `NOISE` reports events; all
/// rows of other sources are unchanged.
fn original() -> Original {
    let held = once("original.json", || {
        script("demo", &[]);
        let client = api_client(&["reporting:read"]);
        // The period ends yesterday, so that the report has no event that arrives during the backup.
        let yesterday = jiff::Zoned::now().date().yesterday().expect("a date");
        let first = yesterday.checked_sub(jiff::Span::new().days(13));
        let (from, to) = (first.expect("a date").to_string(), yesterday.to_string());
        let digests = make_backups();
        let report = report(&token(&client), &from, &to).json()["data"].clone();
        assert!(
            report.as_array().is_some_and(|rows| rows.len() > 10),
            "{report}"
        );
        json!({"client": client, "period": [from, to], "report": report, "digests": digests})
    });
    let pair = |name| serde_json::from_value(held[name].clone()).expect("two texts");
    Original {
        backup: file("backup"),
        key_file_backup: file("key-file-backup"),
        client: pair("client"),
        period: pair("period"),
        report: held["report"].clone(),
        digests: held["digests"].as_str().expect("text").to_owned(),
    }
}

/// Makes both backups and returns the digests of the tables at that time.
fn make_backups() -> String {
    let key = source_named(NOISE);
    fs::write(file("passphrase"), PASSPHRASE).expect("written");
    fs::write(file("wrong-passphrase"), "correct horse battery stable").expect("written");
    fs::write(file("key"), [7; 64]).expect("written");
    let backup = file("backup");
    let digests = while_events_arrive(&key, || unchanged_digests_around(|| make_backup(&backup)));
    script(
        "backup",
        &[
            text(&file("key-file-backup")),
            "--key-file",
            text(&file("key")),
        ],
    );
    digests
}

fn make_backup(file_name: &Path) {
    script(
        "backup",
        &[
            text(file_name),
            "--passphrase-file",
            text(&file("passphrase")),
        ],
    );
}

fn while_events_arrive<T>(key: &str, work: impl FnOnce() -> T) -> T {
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                let session = uuid::Uuid::new_v4().to_string();
                let event = json!({"event_id": session, "type": "login", "session_id": session, "user": session,
                    "occurred_at": jiff::Zoned::now().timestamp()});
                assert_eq!(send(key, &event).status, 200);
            }
        });
        let _stop = StopOnDrop(&done);
        work()
    })
}

/// Also stops when the work panics.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The stack's own periodic work may change a row in between: then the backup is made again.
fn unchanged_digests_around(work: impl Fn()) -> String {
    for _ in 0..5 {
        let before = digests(psql);
        work();
        if digests(psql) == before {
            return before;
        }
    }
    panic!("the tables never stay as they are");
}

/// One line for each table: its number of rows and a digest of them, without the rows of the source
/// that reports meanwhile.
fn digests(psql: impl Fn(&str) -> String) -> String {
    let columns = psql(
        "SELECT relname || ' ' || CASE WHEN relname = 'sources' THEN 'id' ELSE coalesce(attname, '-') END
         FROM pg_class LEFT JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'source_id'
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1",
    );
    assert!(columns.lines().count() >= 8, "{columns}");
    let digest = |line: &str| {
        let (table, column) = line.split_once(' ').expect("two words");
        let filter = match column {
            "-" => String::from("true"),
            column => format!("{column} <> (SELECT id FROM sources WHERE name = '{NOISE}')"),
        };
        let digest = psql(&format!(
            "SELECT count(*) || ' rows ' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM {table} t WHERE {filter}"
        ));
        format!("{table}: {digest}\n")
    };
    columns.lines().map(digest).collect()
}

fn file(name: &str) -> PathBuf {
    let folder = root().with_file_name("backups");
    fs::create_dir_all(&folder).expect("a folder");
    folder.join(name)
}

fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}

/// A checkout beside that of the stack, with a project and ports of its own.
struct Target {
    folder: PathBuf,
    port: u16,
}

impl Target {
    fn project() -> String {
        format!("{}-restored", project())
    }

    /// An empty installation.
    fn empty() -> Self {
        let here: u16 = rollcall_stack_tests::port(0).parse().expect("a port");
        let target = Self {
            folder: root().with_file_name("restored"),
            port: here + 2000,
        };
        // The same files as the running stack, so that Docker has every layer of the images in its
        // cache.
        let checkout = r#"
            # The project is named here, because a folder without .env stands for the project `rollcall`.
            (cd "$1" && docker compose --project-name "$3" --profile operator down --volumes) 2>/dev/null
            rm -rf "$2" && mkdir "$2" && tar -C "$1" --exclude=./.env --exclude=./.rollcall -cf - . | tar -C "$2" -xf -
            printf 'COMPOSE_PROJECT_NAME=%s\nPORT=%s\nRADIUS_PORT=%s\nSYSLOG_PORT=%s\nSYSLOG_TLS_PORT=%s\n' \
                "$3" "$4" $(($4 + 1)) $(($4 + 2)) $(($4 + 3)) >"$2/.env"
        "#;
        let made = Command::new("bash")
            .args(["-euc", checkout, "bash"])
            .args([root().as_path(), &target.folder])
            .args([Self::project(), target.port.to_string()])
            .status()
            .expect("bash");
        assert!(made.success());
        target
    }

    fn run(&self, name: &str, arguments: &[&str]) -> Output {
        Command::new(self.folder.join("scripts").join(name))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("a shell")
    }

    fn restore(&self, file: &Path, arguments: &[&str]) -> Output {
        self.run("restore", &[&[text(file)], arguments].concat())
    }

    fn docker(&self, arguments: &[&str]) -> String {
        let output = Command::new("docker")
            .args(arguments)
            .current_dir(&self.folder)
            .output()
            .expect("docker");
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout)
            .expect("text")
            .trim()
            .to_owned()
    }

    fn psql(&self, statement: &str) -> String {
        self.docker(&[
            "compose", "exec", "-T", "postgres", "psql", "-U", "rollcall", "-d", "rollcall",
            "-qAtc", statement,
        ])
    }

    /// A request of a client that trusts the CA of the original stack.
    fn curl(&self, path: &str, headers: &[&str], body: &Value) -> Answer {
        let ca = format!("{}:/ca.pem:ro", root().join(".rollcall/ca.pem").display());
        let url = format!("https://127.0.0.1:{}{path}", self.port);
        let body = body.to_string();
        let mut command = vec![
            "run",
            "--rm",
            "--network",
            "host",
            "-v",
            &ca,
            CLIENTS,
            "curl",
            "-sS",
            "-i",
            "--cacert",
            "/ca.pem",
        ];
        command.extend(["-H", "Content-Type: application/json", "-d", &body, &url]);
        for header in headers {
            command.extend(["-H", header]);
        }
        parse(&self.docker(&command))
    }

    fn sign_in(&self, (name, password): &(String, String)) -> String {
        let body = json!({"username": name, "password": password});
        let answer = self.curl("/api/v1/auth/connect", &[], &body);
        answer.json()["token"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer:?}"))
            .to_owned()
    }

    fn report(&self, token: &str, (from, to): &(String, String)) -> Value {
        let authorization = format!("Authorization: Bearer {token}");
        let body = json!({"Filters": {"StartDate": from, "EndDate": to, "UserName": "All Users", "StartOfDay": "00:00:00", "RequestDate": to}});
        self.curl("/api/v1/reporting/sessions", &[&authorization], &body)
            .json()["data"]
            .clone()
    }

    /// No container, volume or network, and the settings that it was made with.
    fn is_empty(&self) -> bool {
        let label = format!("label=com.docker.compose.project={}", Self::project());
        let nothing = ["container", "volume", "network"].iter().all(|kind| {
            self.docker(&[kind, "ls", "-q", "--filter", &label])
                .is_empty()
        });
        let settings = fs::read_to_string(self.folder.join(".env")).expect(".env");
        nothing && settings.lines().count() == 5 && !self.folder.join(".rollcall").exists()
    }
}

/// What the script said; it must have failed.
fn refusal(output: &Output) -> String {
    assert!(!output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// A copy of the backup with other bytes.
fn changed(name: &str, change: impl FnOnce(&mut Vec<u8>)) -> PathBuf {
    let mut bytes = fs::read(&original().backup).expect("the backup");
    change(&mut bytes);
    let path = file(name);
    fs::write(&path, bytes).expect("written");
    path
}

fn replaced(name: &str, from: &str, to: &str) -> PathBuf {
    changed(name, |bytes| {
        let line = bytes
            .iter()
            .position(|byte| *byte == b'\n')
            .expect("a header");
        let header = String::from_utf8(bytes[..line].to_vec()).expect("text");
        assert!(header.contains(from), "{header}");
        bytes.splice(..line, header.replace(from, to).into_bytes());
    })
}

#[test]
fn a_restored_stack_has_every_row_and_serves_the_old_clients() {
    let original = original();
    let target = Target::empty();
    let said = succeeded(&target.restore(
        &original.backup,
        &["--passphrase-file", text(&file("passphrase"))],
    ));
    assert!(
        said.contains("The CA is that of the backup") && said.contains("The address was"),
        "{said}"
    );
    assert_eq!(
        digests(|statement| target.psql(statement)),
        original.digests
    );
    // Of the source that reported meanwhile the backup has one snapshot.
    let counts = format!(
        "SELECT count(*) || ' ' || count(DISTINCT event_id) FROM events WHERE source_id = (SELECT id FROM sources WHERE name = '{NOISE}')"
    );
    let keys = counts.replace("FROM events", "FROM event_ids");
    let sessions = counts
        .replace("FROM events", "FROM sessions")
        .replace("event_id", "session_id");
    let events = target.psql(&counts);
    assert_ne!(events, "0 0");
    assert_eq!(
        (target.psql(&keys), target.psql(&sessions)),
        (events.clone(), events)
    );
    let token = target.sign_in(&original.client);
    assert_eq!(target.report(&token, &original.period), original.report);

    plain_dump_works(&target, &original);
    lost_secrets_heal(&target, &original);
    purge_removes_the_target_alone(&target);
}

/// A plain dump, loaded into an empty database without the roles: `scripts/up` creates roles and
/// privileges.
fn plain_dump_works(target: &Target, original: &Original) {
    let dump = file("plain.dump");
    let made = Command::new("docker")
        .args([
            "compose", "exec", "-T", "postgres", "pg_dump", "-U", "rollcall", "-Fc", "rollcall",
        ])
        .current_dir(root())
        .stdout(fs::File::create(&dump).expect("a file"))
        .status()
        .expect("docker");
    assert!(made.success());
    target.docker(&["compose", "down"]);
    target.docker(&["volume", "rm", &format!("{}_database", Target::project())]);
    target.docker(&["compose", "up", "--detach", "--wait", "postgres"]);
    // It complains of the missing roles, and loads the rest.
    Command::new("docker")
        .args([
            "compose",
            "exec",
            "-T",
            "postgres",
            "pg_restore",
            "-U",
            "rollcall",
            "-d",
            "rollcall",
        ])
        .current_dir(&target.folder)
        .stdin(fs::File::open(&dump).expect("the dump"))
        .stderr(Stdio::null())
        .status()
        .expect("docker");
    assert_eq!(
        target.psql("SELECT count(*) FROM pg_roles WHERE rolname = 'auth'"),
        "0"
    );
    succeeded(&target.run("up", &[]));
    let token = target.sign_in(&original.client);
    assert_eq!(target.report(&token, &original.period), original.report);
}

/// The database has the old passwords, the services get new ones.
fn lost_secrets_heal(target: &Target, original: &Original) {
    target.docker(&["compose", "down"]);
    target.docker(&[
        "volume",
        "rm",
        &format!("{}_secrets-migrate", Target::project()),
    ]);
    succeeded(&target.run("up", &[]));
    target.sign_in(&original.client);
}

fn purge_removes_the_target_alone(target: &Target) {
    let images = |project: &str| {
        let reference = format!("reference=localhost/{project}/*");
        target
            .docker(&["image", "ls", "-q", "--filter", &reference])
            .lines()
            .count()
    };
    let (project, others) = (Target::project(), images(&project()));
    let asked = refusal(&target.run("down", &["--purge"]));
    assert!(
        asked.contains(&format!("{project}_database")) && asked.contains("Give --yes"),
        "{asked}"
    );
    assert_eq!(target.psql("SELECT 1"), "1");
    let own_key = target.folder.join(".rollcall/tls/private-key.pem");
    fs::write(&own_key, "mine").expect("written");
    succeeded(&target.run("down", &["--purge", "--yes"]));
    assert!(own_key.exists() && !target.folder.join(".rollcall/first-client.json").exists());
    succeeded(&target.run("down", &["--purge", "--yes", "--include-tls"]));
    assert!(!own_key.exists());
    assert_eq!(
        (images(&project), images(&rollcall_stack_tests::project())),
        (0, others)
    );
    assert!(script("status", &[]).contains("VIP        answers"));
}

#[test]
fn a_backup_that_cannot_be_used_is_refused_and_changes_nothing() {
    let target = Target::empty();
    let middle = original().backup.metadata().expect("the file").len() / 2;
    let middle = usize::try_from(middle).expect("a size");
    let damaged = changed("damaged", |bytes| bytes[middle] ^= 1);
    let truncated = changed("truncated", |bytes| bytes.truncate(middle));
    let other_version = replaced("other-version", "version=0.1.0", "version=9.9.9");
    let other_schema = replaced("other-schema", "schema=2026", "schema=2031");
    let other_format = replaced("other-format", "format=1", "format=2");
    let other_time = replaced("other-time", "created=20", "created=19");
    for (file_name, passphrase, message) in [
        (
            &original().backup,
            "wrong-passphrase",
            "is not the one that this backup was made with",
        ),
        (&damaged, "passphrase", "the backup is damaged"),
        (&truncated, "passphrase", "is truncated: its end is missing"),
        (&other_version, "passphrase", "was made by Rollcall 9.9.9"),
        (&other_schema, "passphrase", "with schema 2031"),
        (
            &other_format,
            "passphrase",
            "has format 2; this version of Rollcall reads format 1",
        ),
        (&other_time, "passphrase", "its header was changed"),
        (
            &file("passphrase"),
            "passphrase",
            "is no backup of Rollcall",
        ),
        (&file("nowhere"), "passphrase", "cannot be read"),
    ] {
        let output = target.restore(file_name, &["--passphrase-file", text(&file(passphrase))]);
        let error = refusal(&output);
        assert!(error.contains(message), "{}: {error}", file_name.display());
        assert!(target.is_empty(), "{}", file_name.display());
    }
    fs::remove_dir_all(&target.folder).expect("removed");
}

#[test]
fn a_restore_that_fails_leaves_an_empty_installation() {
    let target = Target::empty();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let key = file("key");
    let error = refusal(&target.restore(
        &original().key_file_backup,
        &["--key-file", text(&key), "--port", &port],
    ));
    assert!(
        error.contains(&format!("port {port} of 127.0.0.1 is taken")),
        "{error}"
    );
    assert!(target.is_empty());
    fs::remove_dir_all(&target.folder).expect("removed");
}

#[test]
fn restore_refuses_an_installation_that_is_not_empty() {
    let passphrase = file("passphrase");
    let original = original();
    let arguments = [
        text(&original.backup),
        "--passphrase-file",
        text(&passphrase),
    ];
    let before = digests(psql);
    let error = refusal(&run_script("restore", &arguments));
    assert!(
        error.contains("this installation is not empty: the project"),
        "{error}"
    );
    assert_eq!(digests(psql), before);
    let target = Target::empty();
    let settings = target.folder.join(".env");
    let text = fs::read_to_string(&settings).expect(".env") + "ROLLCALL_REPORTING__TIME_ZONE=UTC\n";
    fs::write(&settings, text).expect("written");
    let error = refusal(&target.run("restore", &arguments));
    assert!(
        error.contains(".env sets ROLLCALL_REPORTING__TIME_ZONE"),
        "{error}"
    );
    fs::remove_dir_all(&target.folder).expect("removed");
}

#[test]
fn backup_says_what_it_takes() {
    let short = file("short");
    fs::write(&short, "short").expect("written");
    let to = file("never");
    for (arguments, message) in [
        (vec![], "takes FILE"),
        (
            vec![text(&to)],
            "there is no terminal to ask for the passphrase",
        ),
        (
            vec![text(&to), "--passphrase-file", text(&short)],
            "has 5 characters and needs at least 12",
        ),
        (
            vec![text(&to), "--key-file", text(&short)],
            "has less than 32 bytes",
        ),
        (vec!["/nowhere/backup"], "/nowhere is no folder"),
    ] {
        let error = refusal(&run_script("backup", &arguments));
        assert!(error.contains(message), "{arguments:?}: {error}");
    }
    assert!(!to.exists() && !to.with_extension("new").exists());
}

#[test]
fn a_backup_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt;
    let mode = original()
        .backup
        .metadata()
        .expect("the file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let bytes = fs::read(&original().backup).expect("the backup");
    let contains = |text: &[u8]| bytes.windows(text.len()).any(|window| window == text);
    assert!(
        contains(b"rollcall-backup format=1")
            && !contains(b"PRIVATE KEY")
            && !contains(NOISE.as_bytes())
    );
}
