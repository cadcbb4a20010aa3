//! The forwarder as it is shipped: a static binary in an otherwise empty image, which sends through
//! the VIP with TLS.

use std::{fs, os::unix::fs::PermissionsExt};

use rollcall_stack_tests::{compose, docker, eventually, psql, root, source, url};
use serde_json::json;
use uuid::Uuid;

const NAME: &str = "rollcall-test-forwarder";

fn start(folder: &str) {
    let owner = format!("{folder}:/data");
    let user = String::from_utf8(
        std::process::Command::new("id")
            .arg("-u")
            .output()
            .expect("id")
            .stdout,
    )
    .expect("text");
    docker(&[
        "run",
        "--detach",
        "--rm",
        "--name",
        NAME,
        "--network",
        "host",
        "--user",
        user.trim(),
        "--read-only",
        "--cap-drop",
        "ALL",
        "--volume",
        &owner,
        "localhost/rollcall-build/forwarder",
        "--config",
        "/data/config.toml",
    ]);
}

fn kill() {
    docker(&["kill", "--signal", "KILL", NAME]);
    eventually("the end of the forwarder", || {
        docker(&[
            "ps",
            "--all",
            "--quiet",
            "--filter",
            &format!("name={NAME}"),
        ])
        .is_empty()
    });
}

#[test]
fn forwarder_killed_while_the_vip_is_down_loses_and_repeats_no_event() {
    let run = Uuid::new_v4().simple().to_string();
    let folder = root().join(format!("forwarder-{run}"));
    fs::create_dir(&folder).expect("a folder");
    let ca = fs::read_to_string(root().join(".rollcall/ca.pem")).expect("the CA");
    let config = format!(
        "url = \"{}\"\nkey = \"{}\"\nca = \"\"\"\n{ca}\"\"\"\nspool = \"/data/spool\"\nfile = \"/data/events.ndjson\"\nformat = \"ndjson\"\n",
        url(),
        source()
    );
    fs::write(folder.join("config.toml"), config).expect("written");
    fs::set_permissions(
        folder.join("config.toml"),
        fs::Permissions::from_mode(0o600),
    )
    .expect("a mode");
    let events = |range: std::ops::Range<usize>| {
        let event = |number| json!({"event_id": format!("{run}-{number}"), "type": "login", "session_id": format!("{run}-{number}"), "user": "asha", "occurred_at": "2025-01-01T00:00:00Z"});
        range
            .map(|number| format!("{}\n", event(number)))
            .collect::<Vec<_>>()
            .concat()
    };
    let stored = || {
        psql(&format!(
            "SELECT count(*) FROM events WHERE event_id LIKE '{run}-%'"
        ))
    };

    fs::write(folder.join("events.ndjson"), events(0..3000)).expect("written");
    let path = folder.to_str().expect("a path");
    start(path);
    eventually("the first events", || stored() == "3000");
    compose(&["stop", "nginx"]);
    let mut all = events(0..3000) + &events(3000..8000);
    fs::write(folder.join("events.ndjson"), &all).expect("written");
    std::thread::sleep(std::time::Duration::from_secs(2));
    kill();
    all += &events(8000..9000);
    fs::write(folder.join("events.ndjson"), &all).expect("written");
    start(path);
    compose(&["start", "nginx"]);
    eventually("all events", || stored() == "9000");
    kill();
    fs::remove_dir_all(&folder).expect("removed");
}
