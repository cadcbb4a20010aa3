//! `rollcall-forward`: takes events from a file or from standard input to the VIP, by way of a spool on disk.

mod config;
mod follow;
mod lines;
mod send;
mod spool;

use std::{
    io::BufRead,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        atomic::{AtomicBool, Ordering},
        mpsc::{Receiver, sync_channel},
    },
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

/// Between two looks at a file that has nothing new.
const PAUSE: Duration = Duration::from_millis(500);
/// Lines of standard input in one transaction.
const LINES: usize = 1_000;

#[derive(Parser)]
#[command(
    name = "rollcall-forward",
    version,
    about = "Takes a gateway's events to Rollcall, through any outage"
)]
struct Arguments {
    /// The file that configures it.
    #[arg(long, default_value = "/etc/rollcall-forward.toml")]
    config: PathBuf,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .init();
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Ends when standard input has ended and everything of it is acknowledged; a file is followed for ever.
fn run(arguments: &Arguments) -> Result<(), Failure> {
    let config = Config::read(&arguments.config)?;
    let spool = Spool::open(&config.spool)?;
    let sender = Sender::new(&config)?;
    let lines = Lines {
        spool: &spool,
        format: config.format,
        rules: config.rules()?,
    };
    let reading = AtomicBool::new(true);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let outcome = match &config.file {
                Some(path) => follow(path, &config, &lines),
                None => read_standard_input(&config, &lines),
            };
            reading.store(false, Ordering::SeqCst);
            outcome
        });
        sender.run(&spool, || reading.load(Ordering::SeqCst))?;
        reader.join().map_err(|_| "the reader broke down")?
    })
}

fn follow(path: &Path, config: &Config, lines: &Lines) -> Result<(), Failure> {
    let mut follow = loop {
        match Follow::start(path, lines.spool.position()?) {
            Ok(follow) => break follow,
            Err(error) => tracing::warn!(path = %path.display(), %error, "waiting for the file"),
        }
        std::thread::sleep(PAUSE);
    };
    loop {
        wait_for_room(config, lines.spool)?;
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
            // What was written between the last look and the rotation is read first.
            if follow.read()?.is_none() {
                follow = next;
            }
        } else {
            std::thread::sleep(PAUSE);
        }
    }
}

fn read_standard_input(config: &Config, lines: &Lines) -> Result<(), Failure> {
    let (sender, receiver) = sync_channel(LINES);
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for line in std::io::stdin().lock().split(b'\n').map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        while let Some(read) = waiting_lines(&receiver) {
            wait_for_room(config, lines.spool)?;
            let mut reading = Reading::default();
            for line in read {
                lines.read(&line, &mut reading)?;
            }
            lines.spool.add(&reading)?;
        }
        Ok(())
    })
}

/// One line, and what else is there; none after the last.
fn waiting_lines(receiver: &Receiver<Vec<u8>>) -> Option<Vec<Vec<u8>>> {
    let first = receiver.recv().ok()?;
    Some(
        std::iter::once(first)
            .chain(receiver.try_iter().take(LINES - 1))
            .collect(),
    )
}

fn wait_for_room(config: &Config, spool: &Spool) -> Result<(), Failure> {
    while spool.waiting()? >= config.spool_events {
        std::thread::sleep(PAUSE);
    }
    Ok(())
}
