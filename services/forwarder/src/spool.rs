//! Spool on disk of the events that ingestion has not acknowledged yet. The events and the position
//! up to which the input was read are written in one transaction, so that a crash neither loses a
//! line nor reads it twice.

use std::{
    fs::{self, File, OpenOptions},
    io::Write,
    path::Path,
};

use redb::{Database, ReadableDatabase, ReadableTable, ReadableTableMetadata, TableDefinition};
use serde::{Deserialize, Serialize};

/// Events by sequence number, in the order in which they were read.
const EVENTS: TableDefinition<u64, &str> = TableDefinition::new("events");
/// [`Position`] in the input file as JSON, under the key 0.
const POSITION: TableDefinition<u8, &str> = TableDefinition::new("position");

/// Error of the disk or the network, as text for the operator.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Position up to which a file was read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Inode of the file, because a rotation changes its name.
    pub inode: u64,
    /// First bytes of the file, because the inode may be assigned to another file later.
    pub head: Vec<u8>,
    /// Number of bytes read.
    pub offset: u64,
}

/// Events and state to be added in one transaction.
#[derive(Debug, Default)]
pub struct Reading {
    /// Events as JSON.
    pub events: Vec<String>,
    /// Position after the events. `None` for standard input.
    pub position: Option<Position>,
}

/// The spool of one forwarder.
pub struct Spool {
    database: Database,
    rejected: File,
}

impl Spool {
    /// Opens the spool in a directory. Creates it if it does not exist.
    ///
    /// # Errors
    /// The directory cannot be used, or another forwarder uses it.
    pub fn open(folder: &Path) -> Result<Self, Failure> {
        fs::create_dir_all(folder)?;
        let database = Database::create(folder.join("spool.redb"))?;
        let transaction = database.begin_write()?;
        transaction.open_table(EVENTS)?;
        transaction.open_table(POSITION)?;
        transaction.commit()?;
        let rejected = OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join("rejected.ndjson"))?;
        Ok(Self { database, rejected })
    }

    /// Adds a reading. It is on disk when this function returns.
    ///
    /// # Errors
    /// The disk fails or is full. Then nothing was added.
    pub fn add(&self, reading: &Reading) -> Result<(), Failure> {
        let transaction = self.database.begin_write()?;
        {
            let mut events = transaction.open_table(EVENTS)?;
            let next = events.last()?.map_or(0, |(number, _)| number.value() + 1);
            for (number, event) in (next..).zip(&reading.events) {
                events.insert(number, event.as_str())?;
            }
            if let Some(position) = &reading.position {
                transaction
                    .open_table(POSITION)?
                    .insert(0, serde_json::to_string(position)?.as_str())?;
            }
        }
        Ok(transaction.commit()?)
    }

    /// Returns the position up to which the file was read.
    ///
    /// # Errors
    /// The disk fails.
    pub fn position(&self) -> Result<Option<Position>, Failure> {
        let position = self.database.begin_read()?.open_table(POSITION)?.get(0)?;
        Ok(position
            .map(|text| serde_json::from_str(text.value()))
            .transpose()?)
    }

    /// Returns the number of waiting events.
    ///
    /// # Errors
    /// The disk fails.
    pub fn waiting(&self) -> Result<u64, Failure> {
        Ok(self.database.begin_read()?.open_table(EVENTS)?.len()?)
    }

    /// Returns the first waiting events with their sequence numbers: at most `max_events` and at
    /// most `max_bytes`, but at least one.
    ///
    /// # Errors
    /// The disk fails.
    pub fn first(
        &self,
        max_events: usize,
        max_bytes: usize,
    ) -> Result<Vec<(u64, String)>, Failure> {
        let events = self.database.begin_read()?.open_table(EVENTS)?;
        let mut first = Vec::new();
        let mut bytes = 0;
        for entry in events.iter()?.take(max_events) {
            let (number, event) = entry?;
            bytes += event.value().len();
            if bytes > max_bytes && !first.is_empty() {
                break;
            }
            first.push((number.value(), event.value().to_owned()));
        }
        Ok(first)
    }

    /// Removes the events up to this sequence number after they were acknowledged.
    ///
    /// # Errors
    /// The disk fails. The events are then sent again and count as duplicates.
    pub fn remove_through(&self, number: u64) -> Result<(), Failure> {
        let transaction = self.database.begin_write()?;
        transaction
            .open_table(EVENTS)?
            .retain_in(..=number, |_, _| false)?;
        Ok(transaction.commit()?)
    }

    /// Appends a rejected line and the reason to `rejected.ndjson`, for the operator.
    ///
    /// # Errors
    /// The disk fails.
    pub fn reject(&self, line: &str, reason: &str) -> Result<(), Failure> {
        tracing::warn!(reason, "Rejected a line, see rejected.ndjson in the spool");
        Ok(writeln!(
            &self.rejected,
            "{}",
            serde_json::json!({"reason": reason, "line": line})
        )?)
    }
}
