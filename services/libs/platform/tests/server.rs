//! Tests of the start and the stop of an HTTP server.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use actix_web::web;
use rollcall_platform::{
    clock::Clock,
    server::{self, Running},
    settings::{self, Settings},
    socket,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::UnixStream,
    sync::oneshot,
    task::JoinHandle,
};

fn settings(directory: &Path) -> settings::Server {
    let mut settings = Settings::load().expect("settings").server;
    directory.clone_into(&mut settings.socket_directory);
    settings.internal_address = "127.0.0.1:0".parse().expect("an address");
    settings.workers = 1;
    settings
}

fn directory(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("rollcall-server-{name}-{}", std::process::id()));
    std::fs::create_dir(&path).expect("a directory");
    path
}

/// A clock that stands still.
fn clock() -> Clock {
    Clock::manual("2025-02-13T10:53:56.356756Z".parse().expect("an instant"))
}

fn build(directory: &Path) -> Running {
    let routes = |app: &mut web::ServiceConfig| {
        app.route("/", web::get().to(async || "here"));
    };
    server::build(&settings(directory), clock(), Vec::new(), routes).expect("a server")
}

fn run(server: Running) -> (oneshot::Sender<()>, JoinHandle<std::io::Result<()>>) {
    let (stop, stopped) = oneshot::channel();
    let stopped = async move { stopped.await.unwrap_or_default() };
    (stop, tokio::spawn(server.run_until(stopped)))
}

async fn get(connection: &mut UnixStream) -> String {
    connection
        .write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("written");
    let mut answer = Vec::new();
    while !answer.ends_with(b"here") {
        assert_ne!(connection.read_buf(&mut answer).await.expect("read"), 0);
    }
    String::from_utf8(answer).expect("text").to_lowercase()
}

async fn until_gone(socket: &Path) {
    let gone = async {
        while socket.exists() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let within = tokio::time::timeout(Duration::from_secs(20), gone).await;
    within.expect("the socket is removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn stopping_replica_drains_its_connections_while_another_listens() {
    let directory = directory("drain");
    let (stop, stopped) = run(build(&directory));
    let _other = run(build(&directory));
    let first = directory.join("http.1.sock");
    let mut open = UnixStream::connect(&first).await.expect("connected");
    assert!(!get(&mut open).await.contains("connection: close"));

    stop.send(()).expect("running");
    until_gone(&first).await;
    assert!(get(&mut open).await.contains("connection: close"));
    let sockets = socket::find(&directory, "http").expect("a directory");
    assert_eq!(sockets, [directory.join("http.2.sock")]);
    stopped.await.expect("ended").expect("no error");
    std::fs::remove_dir_all(directory).expect("removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn single_replica_keeps_its_socket_until_it_stops() {
    let directory = directory("single");
    let server = build(&directory);
    let socket = directory.join("http.1.sock");
    let (stop, stopped) = run(server);
    let mut open = UnixStream::connect(&socket).await.expect("connected");
    assert!(!get(&mut open).await.contains("connection: close"));
    stop.send(()).expect("running");
    stopped.await.expect("ended").expect("no error");
    until_gone(&socket).await;
    std::fs::remove_dir_all(directory).expect("removed");
}

#[tokio::test(flavor = "multi_thread")]
async fn error_is_dated_by_the_clock_of_the_server() {
    let directory = directory("date");
    let (stop, stopped) = run(build(&directory));
    let socket = directory.join("http.1.sock");
    let mut connection = UnixStream::connect(&socket).await.expect("connected");
    let request = b"GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    connection.write_all(request).await.expect("written");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.expect("read");
    let date = r#""responseDate":"2025-02-13T10:53:56.3567560Z""#;
    assert!(answer.contains(date), "{answer}");
    drop(connection);
    stop.send(()).expect("running");
    stopped.await.expect("ended").expect("no error");
    std::fs::remove_dir_all(directory).expect("removed");
}

#[tokio::test]
async fn server_without_socket_and_address_returns_error() {
    let mut settings = settings(Path::new(""));
    settings.address = None;
    let error = server::build(&settings, clock(), Vec::new(), |_| ()).err();
    let error = error.expect("an error").to_string();
    assert!(error.contains("server.socket_directory"), "{error}");
}
