//! Records the events of a file, or looks up what recording them would do.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::{BuildHasher, RandomState},
};

use rollcall_store::{
    Connection, Pool, advisory_lock,
    batch::{self, Recorded},
    events::{self, Outcome, Reported},
    imports::{self, Counts},
    recording::Writer,
};

use crate::failure::CommandError;

/// Records events, or looks them up in a dry run.
pub struct Recorder {
    writer: Writer,
    /// `None` in a dry run.
    import: Option<Import>,
    seen: Seen,
}

struct Import {
    id: i32,
    /// Holds an advisory lock, so that a running import cannot be undone.
    lock: Connection,
}

impl Recorder {
    /// Begins an import.
    pub async fn begin(
        pool: &Pool,
        writer: Writer,
        source_id: i32,
        file: &str,
    ) -> Result<Self, CommandError> {
        let mut lock = pool.get().await?;
        let person = crate::person();
        let id = imports::begin(&mut lock, source_id, file, person.as_deref())
            .await
            .map_err(rollcall_store::Error::from)?;
        advisory_lock::try_acquire(&mut lock, &imports::lock_name(id))
            .await
            .map_err(rollcall_store::Error::from)?;
        Ok(Self {
            import: Some(Import { id, lock }),
            ..Self::preview(writer)
        })
    }

    /// Begins a dry run.
    pub fn preview(writer: Writer) -> Self {
        Self {
            writer,
            import: None,
            seen: Seen::default(),
        }
    }

    /// Records events. Returns the outcome of each, in order.
    pub async fn record(&mut self, batch: &[Reported]) -> Result<Vec<Recorded>, CommandError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let Some(import) = &self.import else {
            return self.look_up(batch).await;
        };
        let outcomes = batch::record_import(&mut self.writer, import.id, batch).await;
        let outcomes = outcomes.into_iter().collect::<Result<_, _>>();
        outcomes.map_err(|error| {
            format!("Not all rows were imported: {error}. Import the file again.").into()
        })
    }

    async fn look_up(&mut self, batch: &[Reported]) -> Result<Vec<Recorded>, CommandError> {
        let outcomes = self
            .writer
            .ask(async |connection| events::preview(connection, batch).await)
            .await?;
        let outcomes = batch.iter().zip(outcomes);
        Ok(outcomes
            .map(|(reported, outcome)| Recorded::As(self.seen.outcome(reported, outcome)))
            .collect())
    }

    /// Ends an import. Returns its ID, or `None` after a dry run.
    pub async fn finish(self, pool: &Pool, counts: &Counts) -> Result<Option<i32>, CommandError> {
        let Some(Import { id, lock }) = self.import else {
            return Ok(None);
        };
        pool.ask(async |connection| imports::finish(connection, id, counts).await)
            .await?;
        drop(lock);
        Ok(Some(id))
    }
}

/// New events of the earlier batches of a dry run: the hash of each event ID, which needs less
/// memory than the ID, and the digest.
#[derive(Default)]
struct Seen {
    hasher: RandomState,
    digests: HashMap<u64, [u8; 32]>,
}

impl Seen {
    /// Returns the outcome of an event, if `outcome` is that without the earlier batches.
    fn outcome(&mut self, reported: &Reported, outcome: Outcome) -> Outcome {
        if outcome != Outcome::Accepted {
            return outcome;
        }
        let digest = reported.event.digest();
        match self
            .digests
            .entry(self.hasher.hash_one(&reported.event.event_id))
        {
            Entry::Vacant(entry) => {
                entry.insert(digest);
                Outcome::Accepted
            }
            Entry::Occupied(entry) if *entry.get() == digest => Outcome::Duplicate,
            Entry::Occupied(_) => Outcome::Conflict,
        }
    }
}
