//! The running stack, its backups and the digests of its tables.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

use rollcall_stack_tests::{
    api_client, once, psql, report, root, script, send, source_named, token,
};
use serde_json::{Value, json};

const PASSPHRASE: &str = "correct horse battery staple";

/// Name of the source that reports while the backup is made.
pub const CONCURRENT_SOURCE: &str = "gateway-that-reports-during-the-backup";

/// Backups of the running stack, and what the stack held when they were made.
pub struct Original {
    /// File encrypted with a passphrase.
    pub backup: PathBuf,
    /// File encrypted with a key file.
    pub key_file_backup: PathBuf,
    /// User name and password of an API client.
    pub client: (String, String),
    /// Start and end date of `report`.
    pub period: (String, String),
    /// Rows of a report on all users.
    pub report: Value,
    /// Digests of all tables.
    pub digests: String,
}

/// Returns the backups, which the first test makes while one source reports. All rows of other
/// sources are unchanged meanwhile.
pub fn original() -> Original {
    let held = once("original.json", || {
        script("demo", &[]);
        let client = api_client(&["reporting:read"]);
        // The report ends yesterday, so that it contains no event that arrives during the backup.
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

/// Makes both backups. Returns the digests of the tables at that time.
fn make_backups() -> String {
    let key = source_named(CONCURRENT_SOURCE);
    fs::write(file("passphrase"), PASSPHRASE).expect("written");
    fs::write(file("wrong-passphrase"), "correct horse battery stable").expect("written");
    fs::write(file("key"), [7; 64]).expect("written");
    let backup = file("backup");
    let digests = while_events_arrive(&key, || unchanged_digests_around(|| make_backup(&backup)));
    let (key_file_backup, key_file) = (file("key-file-backup"), file("key"));
    script(
        "backup",
        &[text(&key_file_backup), "--key-file", text(&key_file)],
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

/// Does the work while events of a source arrive continuously.
fn while_events_arrive<T>(key: &str, work: impl FnOnce() -> T) -> T {
    // The first event adds the person, whose row belongs to no source.
    send_login(key);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                send_login(key);
            }
        });
        let _stop = StopOnDrop(&done);
        work()
    })
}

/// Sends the login of a new session of always the same user.
fn send_login(key: &str) {
    let session = uuid::Uuid::new_v4().to_string();
    let event = json!({
        "event_id": session,
        "type": "login",
        "session_id": session,
        "user": CONCURRENT_SOURCE,
        "occurred_at": jiff::Zoned::now().timestamp(),
    });
    assert_eq!(send(key, &event).status, 200);
}

/// Sets the flag when dropped, so that a panic also stops the events.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Repeats the work until no table changes meanwhile: the stack's periodic work may change a row.
/// Returns the digests.
fn unchanged_digests_around(work: impl Fn()) -> String {
    for _ in 0..5 {
        let before = digests(psql);
        work();
        if digests(psql) == before {
            return before;
        }
    }
    panic!("the tables changed during each of 5 attempts");
}

/// Returns a line for each table with the number and the digest of its rows, without those of
/// `CONCURRENT_SOURCE`. Heartbeats, which change all the time, are in no backup.
pub fn digests(psql: impl Fn(&str) -> String) -> String {
    let columns = psql(
        "SELECT relname || ' ' ||
                CASE WHEN relname = 'sources' THEN 'id' ELSE coalesce(attname, '-') END
         FROM pg_class
         LEFT JOIN pg_attribute ON attrelid = pg_class.oid AND attname = 'source_id'
         WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')
           AND NOT relispartition AND relname <> 'heartbeats'
         ORDER BY 1",
    );
    assert!(columns.lines().count() >= 8, "{columns}");
    let digest = |line: &str| {
        let (table, column) = line.split_once(' ').expect("two words");
        let filter = match column {
            "-" => String::from("true"),
            column => {
                format!("{column} <> (SELECT id FROM sources WHERE name = '{CONCURRENT_SOURCE}')")
            }
        };
        let digest = psql(&format!(
            "SELECT count(*) || ' rows ' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0)
             FROM {table} t WHERE {filter}"
        ));
        format!("{table}: {digest}\n")
    };
    columns.lines().map(digest).collect()
}

/// Returns the path of a file beside the checkout of the stack.
pub fn file(name: &str) -> PathBuf {
    let folder = root().with_file_name("backups");
    fs::create_dir_all(&folder).expect("a folder");
    folder.join(name)
}

/// Returns a path as text.
pub fn text(path: &Path) -> &str {
    path.to_str().expect("text")
}
