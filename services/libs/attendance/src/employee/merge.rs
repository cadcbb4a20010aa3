//! Merge of new mappings of a person with the present ones.

use std::collections::BTreeMap;

use jiff::{ToSpan, civil::Date};

use super::Mapping;

/// Result of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Merge {
    /// Mappings to be stored. Each replaces the stored one with the same first day.
    pub changed: Vec<Mapping>,
    /// Outcome of each new mapping, in order.
    pub outcomes: Vec<Outcome>,
    /// Number of stored mappings without a last day that end because a later one begins.
    pub ended: usize,
}

/// Outcome of a new mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The mapping is new.
    Added,
    /// The mapping replaces the one with the same first day.
    Replaced,
    /// The mapping is already stored, or repeats another new one.
    Unchanged,
    /// The mapping overlaps another one.
    Rejected(Overlap),
}

/// The mapping that prevents another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overlap {
    /// Index of the mapping among the new ones. None if it is stored.
    pub index: Option<usize>,
    /// The mapping.
    pub mapping: Mapping,
}

#[derive(Debug, Clone)]
struct Entry {
    mapping: Mapping,
    /// Index among the new mappings. None if the mapping is stored.
    index: Option<usize>,
}

/// Mappings by their first day. A first day without a bound comes first.
type Entries = BTreeMap<Option<Date>, Entry>;

/// Merges new mappings of a person with the stored ones, which do not overlap.
///
/// - A new mapping replaces the stored one with the same first day.
/// - A mapping without a last day lasts until the next one begins.
/// - Any other overlap rejects a new mapping: of two new ones the later in `new`.
///
/// The order of `new` makes no other difference.
#[must_use]
pub fn merge(stored: &[Mapping], new: &[Mapping]) -> Merge {
    let stored = stored.iter().map(|mapping| entry(mapping, None));
    let stored: Entries = stored.collect();
    let mut entries = stored.clone();
    let mut outcomes = vec![Outcome::Unchanged; new.len()];
    let mut repeated = Vec::new();
    for (index, mapping) in new.iter().enumerate() {
        match entries.get(&mapping.valid_from) {
            Some(first) if first.index.is_some() && first.mapping == *mapping => {
                repeated.extend(first.index.map(|first| (index, first)));
            }
            Some(first) if first.index.is_some() => outcomes[index] = first.rejects(),
            _ => entries.extend([entry(mapping, Some(index))]),
        }
    }
    reject_overlaps(&mut entries, &stored, &mut outcomes);
    let mut merge = Merge {
        changed: Vec::new(),
        outcomes,
        ended: 0,
    };
    // Only the first mapping can have no first day, so None here means that none follows.
    let next = entries.keys().skip(1).copied().chain([None]);
    for ((from, entry), next) in entries.iter().zip(next) {
        merge.keep(entry, next, stored.get(from));
    }
    for (index, first) in repeated {
        if let Outcome::Rejected(_) = merge.outcomes[first] {
            merge.outcomes[index] = merge.outcomes[first].clone();
        }
    }
    merge
}

fn entry(mapping: &Mapping, index: Option<usize>) -> (Option<Date>, Entry) {
    let mapping = mapping.clone();
    (mapping.valid_from, Entry { mapping, index })
}

impl Entry {
    fn rejects(&self) -> Outcome {
        Outcome::Rejected(Overlap {
            index: self.index,
            mapping: self.mapping.clone(),
        })
    }

    fn overlaps(&self, later: &Self) -> bool {
        let last = self.mapping.valid_to;
        last.is_some_and(|last| Some(last) >= later.mapping.valid_from)
    }
}

/// Removes new mappings until no neighbours overlap. A stored mapping that one of them would have
/// replaced returns, and may overlap the neighbour before it.
fn reject_overlaps(entries: &mut Entries, stored: &Entries, outcomes: &mut [Outcome]) {
    let mut from = None;
    loop {
        let mut neighbours = entries.range(from..);
        let (Some((&first, earlier)), Some((&second, later))) =
            (neighbours.next(), neighbours.next())
        else {
            return;
        };
        let (rejected, other) = match (earlier.index, later.index) {
            (Some(earlier_index), Some(later_index)) if earlier_index < later_index => {
                (later, earlier)
            }
            (Some(_), _) => (earlier, later),
            (None, _) => (later, earlier),
        };
        // Stored mappings do not overlap each other.
        let Some(index) = rejected.index.filter(|_| earlier.overlaps(later)) else {
            from = second;
            continue;
        };
        outcomes[index] = other.rejects();
        let key = rejected.mapping.valid_from;
        match stored.get(&key) {
            Some(returned) => entries.insert(key, returned.clone()),
            None => entries.remove(&key),
        };
        let before = entries.range(..first).next_back();
        from = before.and_then(|(key, _)| *key);
    }
}

impl Merge {
    /// Keeps a mapping, and ends it before `next`, the first day of the one that follows.
    fn keep(&mut self, entry: &Entry, next: Option<Date>, stored: Option<&Entry>) {
        let mut mapping = entry.mapping.clone();
        if mapping.valid_to.is_none() {
            mapping.valid_to = next.map(|day| day.saturating_sub(1.day()));
        }
        let stored = stored.map(|stored| &stored.mapping);
        let is_ended = mapping != entry.mapping && stored == Some(&entry.mapping);
        self.ended += usize::from(is_ended);
        if let Some(index) = entry.index {
            self.outcomes[index] = match stored {
                None => Outcome::Added,
                Some(stored) if *stored == mapping || is_ended => Outcome::Unchanged,
                Some(_) => Outcome::Replaced,
            };
        }
        if stored != Some(&mapping) {
            self.changed.push(mapping);
        }
    }
}
