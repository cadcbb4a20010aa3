//! Rules for syslog, which are read again when the operator's files change.

use std::{
    io,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock},
    time::Duration,
};

use opentelemetry::{KeyValue, global, metrics::Counter};
use rollcall_formats::rules::Rules;
use rollcall_platform::rule_files;
use tokio::sync::watch;

/// Time between two reads of the files.
const POLL_INTERVAL: Duration = Duration::from_secs(2);

/// Files by path and text, or the reason why they cannot be read.
type Files = Result<Vec<(PathBuf, String)>, String>;

/// The rules that apply now.
#[derive(Clone)]
pub struct CurrentRules(watch::Receiver<Arc<Rules>>);

impl CurrentRules {
    /// Reads the files in the directory, and reads them again when they change. A file that is
    /// invalid at the start is left out, so that the shipped rules and the other files apply.
    #[must_use]
    pub fn start(directory: PathBuf) -> Self {
        let files = read(&directory);
        let rules = load(&files).unwrap_or_else(|| without_invalid(&files));
        let (sender, receiver) = watch::channel(Arc::new(rules));
        tokio::spawn(follow(directory, files, sender));
        Self(receiver)
    }

    /// Returns the rules that apply now.
    #[must_use]
    pub fn now(&self) -> Arc<Rules> {
        self.0.borrow().clone()
    }
}

/// Replaces the rules when the files change. If a file is invalid, the former rules stay. Returns
/// when nothing uses the rules.
async fn follow(directory: PathBuf, mut files: Files, sender: watch::Sender<Arc<Rules>>) {
    while !sender.is_closed() {
        tokio::time::sleep(POLL_INTERVAL).await;
        let directory = directory.clone();
        let former = files.clone();
        let read = tokio::task::spawn_blocking(move || {
            let files = read(&directory);
            (files != former).then(|| (load(&files), files))
        });
        if let Ok(Some((rules, changed))) = read.await {
            files = changed;
            if let Some(rules) = rules {
                sender.send_replace(Arc::new(rules));
            }
        }
    }
}

fn read(directory: &Path) -> Files {
    rule_files::read(directory).map_err(|error: io::Error| error.to_string())
}

/// Returns the rules of the files. Counts and logs the outcome.
fn load(files: &Files) -> Option<Rules> {
    let rules = files.clone().and_then(|files| {
        let rules = Rules::with_files(&files).map_err(|error| error.to_string());
        rules.map(|rules| (rules, files.len()))
    });
    match rules {
        Ok((rules, files)) => {
            count("loaded");
            tracing::info!(files, "Loaded the syslog rules");
            Some(rules)
        }
        Err(reason) => {
            count("refused");
            tracing::error!(reason, "Refused the syslog rules: {reason}");
            None
        }
    }
}

/// Returns the rules of the valid files.
fn without_invalid(files: &Files) -> Rules {
    let mut valid = files.clone().unwrap_or_default();
    valid.retain(|(_, text)| Rules::parse(text).is_ok());
    Rules::with_files(&valid).unwrap_or_else(|_| Rules::shipped())
}

/// Counts a load of the rules by outcome: `loaded` or `refused`.
fn count(outcome: &'static str) {
    static LOADS: LazyLock<Counter<u64>> = LazyLock::new(|| {
        global::meter("ingestion")
            .u64_counter("ingestion.rule_loads")
            .with_description("Loads of the syslog rules by outcome")
            .build()
    });
    LOADS.add(1, &[KeyValue::new("outcome", outcome)]);
}
