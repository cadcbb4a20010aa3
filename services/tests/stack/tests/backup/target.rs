//! A second installation on this host, into which backups are restored.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use rollcall_stack_tests::{Answer, CLIENTS, docker, parse, project, root};
use serde_json::{Value, json};

use crate::original::text;

/// A checkout beside that of the stack, with its own project and ports.
pub struct Target {
    /// Folder of the checkout.
    pub folder: PathBuf,
    port: u16,
}

impl Target {
    /// Returns the Compose project of the target.
    pub fn project() -> String {
        format!("{}-restored", project())
    }

    /// Creates an empty installation. An earlier one is removed.
    pub fn empty() -> Self {
        let here: u16 = rollcall_stack_tests::port(0).parse().expect("a port");
        let target = Self {
            folder: root().with_file_name("restored"),
            port: here + 2000,
        };
        // The files are those of the running stack, so that Docker's cache has all image layers.
        let checkout = r#"
            # Name the project, because a folder without .env stands for the project `rollcall`.
            (cd "$1" &&
                docker compose --project-name "$3" --profile operator down --volumes) 2>&1 ||
                [ -z "$(docker ps -aq --filter "label=com.docker.compose.project=$3")" ]
            rm -rf "$2" && mkdir "$2"
            tar -C "$1" --exclude=./.env --exclude=./.rollcall -cf - . | tar -C "$2" -xf -
            {
                printf 'COMPOSE_PROJECT_NAME=%s\nPORT=%s\n' "$3" "$4"
                printf 'RADIUS_PORT=%s\nSYSLOG_PORT=%s\n' $(($4 + 1)) $(($4 + 2))
                printf 'SYSLOG_TLS_PORT=%s\n' $(($4 + 3))
            } >"$2/.env"
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

    /// Runs a script of the target, which may fail.
    pub fn run(&self, name: &str, arguments: &[&str]) -> Output {
        Command::new(self.folder.join("scripts").join(name))
            .args(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("a shell")
    }

    /// Runs `scripts/restore` of the target, which may fail.
    pub fn restore(&self, file: &Path, arguments: &[&str]) -> Output {
        self.run("restore", &[&[text(file)], arguments].concat())
    }

    /// Runs `docker` in the folder of the target. Returns its trimmed standard output.
    pub fn docker(&self, arguments: &[&str]) -> String {
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

    /// Stops and removes the containers. Networks and volumes stay.
    pub fn remove_containers(&self) {
        self.docker(&["compose", "rm", "--stop", "--force"]);
    }

    /// Runs a statement in the restored database.
    pub fn psql(&self, statement: &str) -> String {
        self.docker(&[
            "compose", "exec", "-T", "postgres", "psql", "-U", "rollcall", "-d", "rollcall",
            "-qAtc", statement,
        ])
    }

    /// Posts JSON as a client that trusts the CA of the original stack.
    fn curl(&self, path: &str, headers: &[&str], body: &Value) -> Answer {
        let ca = format!("{}:/ca.pem:ro", root().join(".rollcall/ca.pem").display());
        let url = format!("https://127.0.0.1:{}{path}", self.port);
        let body = body.to_string();
        let mut command = vec!["run", "--rm", "--network", "host", "-v", &ca, CLIENTS];
        command.extend(["curl", "-sS", "-i", "--cacert", "/ca.pem"]);
        command.extend(["-H", "Content-Type: application/json", "-d", &body, &url]);
        for header in headers {
            command.extend(["-H", header]);
        }
        parse(&self.docker(&command))
    }

    /// Signs in as an API client of the original stack. Returns the token.
    pub fn sign_in(&self, (name, password): &(String, String)) -> String {
        let body = json!({"username": name, "password": password});
        let answer = self.curl("/api/v1/auth/connect", &[], &body);
        answer.json()["token"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer:?}"))
            .to_owned()
    }

    /// Returns the rows of a report on all users.
    pub fn report(&self, token: &str, (from, to): &(String, String)) -> Value {
        let authorization = format!("Authorization: Bearer {token}");
        let filters = json!({
            "StartDate": from,
            "EndDate": to,
            "UserName": "All Users",
            "StartOfDay": "00:00:00",
            "RequestDate": to,
        });
        let body = json!({"Filters": filters});
        self.curl("/api/v1/reporting/sessions", &[&authorization], &body)
            .json()["data"]
            .clone()
    }

    /// Returns the IDs of what a command such as `docker volume ls` lists of the target.
    fn ids_of(&self, list: &[&str]) -> String {
        let label = format!("label=com.docker.compose.project={}", Self::project());
        self.docker(&[list, &["-q", "--filter", &label]].concat())
    }

    /// Returns true if the target has no containers or volumes, and no networks except those that
    /// Docker does not remove although no container is attached to them. Docker 20.10 sometimes
    /// counts a removed container as attached (moby issue 43286).
    pub fn has_nothing_in_docker(&self) -> bool {
        self.ids_of(&["ps", "-a"]).is_empty()
            && self.ids_of(&["volume", "ls"]).is_empty()
            && self.ids_of(&["network", "ls"]).lines().all(is_stuck)
    }

    /// Returns true if the target has nothing in Docker, no state, and its initial .env.
    pub fn is_empty(&self) -> bool {
        let settings = fs::read_to_string(self.folder.join(".env")).expect(".env");
        self.has_nothing_in_docker()
            && settings.lines().count() == 5
            && !self.folder.join(".rollcall").exists()
    }
}

/// Returns true if Docker refuses to remove a network although no container is attached to it.
fn is_stuck(network: &str) -> bool {
    let attached = docker(&["network", "inspect", "-f", "{{len .Containers}}", network]);
    let removed = Command::new("docker")
        .args(["network", "rm", network])
        .output()
        .expect("docker");
    attached.trim() == "0" && !removed.status.success()
}
