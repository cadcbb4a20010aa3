//! What was read and is not yet acknowledged, on disk. One transaction holds what was read and up to where, so that a crash
//! at any point neither loses a line nor reads it twice.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::Path,
};

use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use rollcall_formats::syslog::Logins;
use serde::{Deserialize, Serialize};

/// Events by number, in the order in which they were read.
const EVENTS: TableDefinition<u64, &str> = TableDefinition::new("events");
/// Up to where the input was read, as JSON, under the key 0.
const POSITION: TableDefinition<u8, &str> = TableDefinition::new("position");
/// The latest login by the name that a log's text gives a session.
const LOGINS: TableDefinition<&str, &str> = TableDefinition::new("logins");

/// Whatever the disk says.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Up to where a file was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Which file: its name changes when logs are rotated.
    pub inode: u64,
    /// How it begins: an inode may be given to another file.
    pub head: Vec<u8>,
    /// Bytes that were read.
    pub offset: u64,
}

/// What one reading adds.
#[derive(Debug, Default)]
pub struct Reading {
    /// Events as JSON.
    pub events: Vec<String>,
    /// Logins in the lines, by correlation key.
    pub logins: Logins,
    /// Up to where; none for standard input.
    pub position: Option<Position>,
}

/// The spool.
pub struct Spool {
    database: Database,
    rejected: File,
}

impl Spool {
    /// Opens or makes the spool in a folder.
    ///
    /// # Errors
    /// The folder cannot be used, or another forwarder uses it.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder)?;
        let database = Database::create(folder.join("spool.redb"))?;
        let transaction = database.begin_write()?;
        transaction.open_table(EVENTS)?;
        transaction.open_table(POSITION)?;
        transaction.open_table(LOGINS)?;
        transaction.commit()?;
        let rejected = OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join("rejected.ndjson"))?;
        Ok(Self { database, rejected })
    }

    /// Adds a reading; it is on disk when this returns.
    ///
    /// # Errors
    /// The disk fails or is full; then nothing of it is there.
    pub fn add(&self, reading: &Reading) -> Result<(), Failure> {
        let transaction = self.database.begin_write()?;
        {
            let mut events = transaction.open_table(EVENTS)?;
            let next = events.last()?.map_or(0, |(number, _)| number.value() + 1);
            for (number, event) in (next..).zip(&reading.events) {
                events.insert(number, event.as_str())?;
            }
            let mut logins = transaction.open_table(LOGINS)?;
            for (key, login) in reading.logins.latest_of_each() {
                logins.insert(key, login.as_str())?;
            }
            if let Some(position) = &reading.position {
                transaction
                    .open_table(POSITION)?
                    .insert(0, serde_json::to_string(position)?.as_str())?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Up to where the file was read.
    ///
    /// # Errors
    /// The disk fails.
    pub fn position(&self) -> Result<Option<Position>, Failure> {
        let position = self.database.begin_read()?.open_table(POSITION)?.get(0)?;
        Ok(position
            .map(|text| serde_json::from_str(text.value()))
            .transpose()?)
    }

    /// The latest login under this name.
    ///
    /// # Errors
    /// The disk fails.
    pub fn login(&self, name: &str) -> Result<Option<String>, Failure> {
        let login = self.database.begin_read()?.open_table(LOGINS)?.get(name)?;
        Ok(login.map(|login| login.value().to_owned()))
    }

    /// How many events wait.
    ///
    /// # Errors
    /// The disk fails.
    pub fn waiting(&self) -> Result<u64, Failure> {
        Ok(self.database.begin_read()?.open_table(EVENTS)?.len()?)
    }

    /// The first events that wait, with their numbers: at most so many, and about so many bytes.
    ///
    /// # Errors
    /// The disk fails.
    pub fn first(&self, most: usize, bytes: usize) -> Result<Vec<(u64, String)>, Failure> {
        let events = self.database.begin_read()?.open_table(EVENTS)?;
        let mut first = Vec::new();
        let mut size = 0;
        for entry in events.iter()?.take(most) {
            let (number, event) = entry?;
            size += event.value().len();
            if size > bytes && !first.is_empty() {
                break;
            }
            first.push((number.value(), event.value().to_owned()));
        }
        Ok(first)
    }

    /// Removes the events up to this number: they are acknowledged.
    ///
    /// # Errors
    /// The disk fails; they are sent again, which changes nothing.
    pub fn remove_through(&self, number: u64) -> Result<(), Failure> {
        let transaction = self.database.begin_write()?;
        transaction
            .open_table(EVENTS)?
            .retain_in(..=number, |_, _| false)?;
        Ok(transaction.commit()?)
    }

    /// Keeps what can be no event, and why, where somebody can read it.
    ///
    /// # Errors
    /// The disk fails.
    pub fn reject(&self, line: &str, reason: &str) -> Result<(), Failure> {
        tracing::warn!(reason, "rejected: see rejected.ndjson in the spool");
        Ok(writeln!(
            &self.rejected,
            "{}",
            serde_json::json!({"reason": reason, "line": line})
        )?)
    }
}
