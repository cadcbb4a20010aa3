//! Runs `rollcall import`.

use std::process::Output;

use rollcall_test_support::Rollcall;
use serde_json::Value;

use crate::common::{error, run};

pub const HEADER: &str =
    "User Name,Display Name,Domain,WAN IP,Client IP,MAC,Login Time,Logout Time";

pub const ASHA: &str = "asha,Asha Rao,Sales,198.51.100.7,10.8.0.2,02:00:00:00:00:01,\
                        2025-01-01 15:30:00,2025-01-01 21:10:00";

/// Returns a log of three valid rows, of which two are equal, and four invalid rows.
pub fn log() -> String {
    let rows = [
        HEADER,
        ASHA,
        "ben,Ben Okafor,,198.51.100.8,10.8.0.3,,2025-01-01 09:00:00,-",
        ",No Name,,,,,2025-01-01 09:00:00,-",
        "carla,Carla,,nowhere,,,2025-01-01 09:00:00,-",
        "dmitri,Dmitri,,,,,yesterday,-",
        "elif,Elif,,,,,2025-01-01 09:00:00,2025-01-01 08:00:00",
        ASHA,
    ];
    rows.join("\n") + "\n"
}

/// Returns a log of the three valid rows: three different events, and two that are repeated.
pub fn valid_log() -> String {
    let log = log();
    let rows: Vec<&str> = log.lines().collect();
    [&rows[..3], &rows[7..]].concat().join("\n")
}

/// Imports a file with the content `file`.
pub fn import(
    rollcall: &Rollcall,
    source: &str,
    file: impl AsRef<[u8]>,
    options: &[&str],
) -> Output {
    let command = ["--json", "import", "--source", source];
    let zone = ["--time-zone", "Asia/Kolkata"];
    let arguments = [&command[..], &zone, options, &["log.csv"]].concat();
    run(rollcall, "ingestion", &arguments, file)
}

/// Returns the summary that an import prints.
pub fn summary(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", error(output)))
}

/// Returns the numbers of a summary: rows, rejected rows, accepted events, duplicate events.
pub fn counts(output: &Output) -> [i64; 4] {
    let summary = summary(output);
    let fields = [
        "rows",
        "rejected_rows",
        "accepted_events",
        "duplicate_events",
    ];
    fields.map(|field| summary[field].as_i64().expect("a number"))
}
