//! Changes that a file of mappings makes.

use std::collections::BTreeMap;

use rollcall_attendance::{
    employee::{Fault, Mapping, NewMapping, Outcome, merge},
    person::Person,
};
use serde::Serialize;

use super::{Columns, Row, RowError, mapping};

/// Numbers of rows and mappings.
#[derive(Debug, Default, Serialize)]
pub struct Counts {
    /// Rows of the file, without the header.
    pub rows: usize,
    /// Mappings of persons that had none on these days.
    pub added: usize,
    /// Mappings that replace one with the same first day.
    pub replaced: usize,
    /// Stored mappings that end because a later one begins.
    pub ended: usize,
    /// Rows that are stored already.
    pub unchanged: usize,
    /// Rows that are rejected.
    pub rejected: usize,
}

/// A row that is rejected.
pub struct Rejection {
    /// Index of the row.
    pub row: usize,
    /// Column with the error. Empty if the whole row is at fault.
    pub column: String,
    /// Reason for the rejection.
    pub reason: Reason,
}

/// Reason why a row is rejected. `Display` says in English what is wrong and what is accepted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// The row cannot be parsed.
    #[error(transparent)]
    Row(#[from] RowError),
    /// The value of the column is missing or invalid.
    #[error(transparent)]
    Value(#[from] Fault),
    /// The mapping has a day in common with another one of the person.
    #[error(
        "The mapping overlaps {}, which maps the person to {} {}. End one of them before the other \
         begins.",
        .line.map_or("a stored mapping".into(), |line| format!("line {line}")),
        .other.employee_id,
        days(.other)
    )]
    Overlap {
        /// Line of the other mapping. None if that mapping is stored.
        line: Option<u64>,
        /// The other mapping.
        other: Mapping,
    },
}

/// Changes that a file makes.
pub struct Plan {
    /// Mappings to be stored.
    pub changed: Vec<NewMapping>,
    /// Counts of the effects of the rows.
    pub counts: Counts,
    /// Rejected rows, in their order.
    pub rejected: Vec<Rejection>,
}

/// The rows of a file, validated.
pub struct Parsed {
    /// Mappings by person, each with the index of its row.
    new: BTreeMap<Person, Vec<(usize, NewMapping)>>,
    rejected: Vec<Rejection>,
}

impl Parsed {
    /// Parses the rows of a file. `calendars` are the named calendars.
    #[must_use]
    pub fn new(rows: &[Row], columns: &Columns, calendars: &[String]) -> Self {
        let mut parsed = Self {
            new: BTreeMap::new(),
            rejected: Vec::new(),
        };
        for (index, row) in rows.iter().enumerate() {
            if let Some(problem) = row.problem {
                parsed.reject(index, "", problem.into());
                continue;
            }
            match mapping(&row.record, columns, calendars) {
                Ok(new) => {
                    let of_person = parsed.new.entry(new.person.clone()).or_default();
                    of_person.push((index, new));
                }
                Err(error) => parsed.reject(index, columns.name(error.field), error.fault.into()),
            }
        }
        parsed
    }

    /// Returns the persons that the rows name.
    pub fn persons(&self) -> impl Iterator<Item = &Person> + Clone {
        self.new.keys()
    }

    fn reject(&mut self, row: usize, column: &str, reason: Reason) {
        self.rejected.push(Rejection {
            row,
            column: column.to_owned(),
            reason,
        });
    }

    /// Merges the mappings of each person with the stored ones.
    #[must_use]
    pub fn merge(mut self, rows: &[Row], stored: &BTreeMap<Person, Vec<Mapping>>) -> Plan {
        let mut changed = Vec::new();
        let mut counts = Counts {
            rows: rows.len(),
            ..Counts::default()
        };
        for (person, new) in std::mem::take(&mut self.new) {
            let stored = stored.get(&person).map_or(&[][..], Vec::as_slice);
            let mappings: Vec<Mapping> = new.iter().map(|(_, new)| new.mapping.clone()).collect();
            let merged = merge(stored, &mappings);
            counts.ended += merged.ended;
            for ((row, _), outcome) in new.iter().zip(merged.outcomes) {
                match outcome {
                    Outcome::Added => counts.added += 1,
                    Outcome::Replaced => counts.replaced += 1,
                    Outcome::Unchanged => counts.unchanged += 1,
                    Outcome::Rejected(overlap) => {
                        let line = overlap.index.map(|index| rows[new[index].0].line);
                        let other = overlap.mapping;
                        self.reject(*row, "", Reason::Overlap { line, other });
                    }
                }
            }
            // Each person has at least one row. The greatest display form does not depend on their
            // order.
            let named = new.iter().max_by_key(|(_, new)| (&new.user, &new.realm));
            if let Some((_, named)) = named {
                changed.extend(merged.changed.into_iter().map(|mapping| NewMapping {
                    mapping,
                    ..named.clone()
                }));
            }
        }
        self.rejected.sort_by_key(|rejection| rejection.row);
        counts.rejected = self.rejected.len();
        Plan {
            changed,
            counts,
            rejected: self.rejected,
        }
    }
}

/// Writes the days of a mapping within a sentence.
fn days(mapping: &Mapping) -> String {
    match (mapping.valid_from, mapping.valid_to) {
        (None, None) => "on all days".into(),
        (Some(from), None) => format!("from {from}"),
        (None, Some(to)) => format!("until {to}"),
        (Some(from), Some(to)) => format!("from {from} to {to}"),
    }
}
