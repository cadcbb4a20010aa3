//! `rollcall-forward`: sends events from a file or from standard input to the VIP. Events are kept
//! in a spool on disk until ingestion has acknowledged them.

mod config;
mod follow;
mod lines;
mod send;
mod spool;

use std::{
    io::{self, BufRead, IsTerminal},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::mpsc::{Receiver, sync_channel},
    time::Duration,
};

use clap::Parser;

use crate::{
    config::Config,
    follow::Follow,
    lines::Lines,
    send::Sender,
    spool::{Failure, Reading, Spool},
};

/// Time between two reads of a file without new lines.
const POLL_INTERVAL: Duration = Duration::from_millis(500);
/// Maximum number of lines of standard input in one transaction.
const MAX_LINES: usize = 1_000;

#[derive(Parser)]
#[command(
    name = "rollcall-forward",
    version,
    about = "Sends the events of a gateway to Rollcall and keeps them during outages"
)]
struct Arguments {
    /// Configuration file.
    #[arg(long, default_value = "/etc/rollcall-forward.toml")]
    config: PathBuf,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .init();
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Returns when standard input has ended and all its events are acknowledged. With a file, runs
/// until an error occurs.
fn run(arguments: &Arguments) -> Result<(), Failure> {
    let config = Config::read(&arguments.config)?;
    let spool = Spool::open(&config.spool)?;
    let sender = Sender::new(&config)?;
    let lines = Lines {
        spool: &spool,
        format: config.format,
        rules: config.rules()?,
        zone: config.zone()?,
    };
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| match &config.file {
            Some(path) => follow(path, &config, &lines),
            None => read_standard_input(&config, &lines),
        });
        sender.run(&spool, || !reader.is_finished())?;
        reader
            .join()
            .map_err(|_| "the thread that reads the input panicked")?
    })
}

fn follow(path: &Path, config: &Config, lines: &Lines) -> Result<(), Failure> {
    let mut follow = loop {
        match Follow::start(path, lines.spool.position()?) {
            Ok(follow) => break follow,
            Err(error) => {
                tracing::warn!(path = %path.display(), %error, "Failed to open the file, retrying");
            }
        }
        std::thread::sleep(POLL_INTERVAL);
    };
    loop {
        wait_for_capacity(config, lines.spool)?;
        if let Some((read, position)) = follow.read()? {
            let mut reading = Reading {
                position: Some(position.clone()),
                ..Reading::default()
            };
            for line in read {
                lines.read(&line, &mut reading)?;
            }
            lines.spool.add(&reading)?;
            follow.position = position;
        } else if let Some(next) = follow.next()? {
            // Lines may have been written between the last read and the rotation. Read them first.
            if follow.read()?.is_none() {
                follow = next;
            }
        } else {
            std::thread::sleep(POLL_INTERVAL);
        }
    }
}

fn read_standard_input(config: &Config, lines: &Lines) -> Result<(), Failure> {
    let (sender, receiver) = sync_channel(MAX_LINES);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for line in io::stdin().lock().split(b'\n') {
                let has_failed = line.is_err();
                if sender.send(line).is_err() || has_failed {
                    break;
                }
            }
        });
        while let Some(read) = available_lines(&receiver) {
            wait_for_capacity(config, lines.spool)?;
            let mut reading = Reading::default();
            let mut failure = Ok(());
            for line in read {
                match line {
                    Ok(line) => lines.read(&line, &mut reading)?,
                    Err(error) => failure = Err(error),
                }
            }
            lines.spool.add(&reading)?;
            failure?;
        }
        Ok(())
    })
}

/// Waits for a line and returns it together with the lines that are available. Returns `None` at
/// the end of the input.
fn available_lines(receiver: &Receiver<io::Result<Vec<u8>>>) -> Option<Vec<io::Result<Vec<u8>>>> {
    let first = receiver.recv().ok()?;
    Some(
        std::iter::once(first)
            .chain(receiver.try_iter().take(MAX_LINES - 1))
            .collect(),
    )
}

fn wait_for_capacity(config: &Config, spool: &Spool) -> Result<(), Failure> {
    while spool.waiting()? >= config.spool_events {
        std::thread::sleep(POLL_INTERVAL);
    }
    Ok(())
}
