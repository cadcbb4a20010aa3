//! Persons: finds or adds the rows of the persons that events name.

mod filter;

use std::collections::{BTreeMap, HashMap};

pub use filter::PersonFilter;
pub(crate) use filter::{Id, some};
use moka::sync::Cache;
use rollcall_attendance::person::{DisplayForm, Person};
use tokio_postgres::{Error, Row};

use crate::{
    events::Reported,
    recording::{Parameters, Recording, array},
};

/// Maximum number of persons that are kept in memory. A person that is not there costs a look-up.
const MAX_KNOWN: u64 = 100_000;

const LOOK_UP: &str = include_str!("persons/look_up.sql");
const UPSERT: &str = include_str!("persons/upsert.sql");

/// IDs of persons.
pub(crate) type PersonIds = HashMap<Person, i32>;

/// IDs and display forms of persons. A batch that names only persons in here, in no greater form,
/// needs neither a look-up nor a write. Rows of persons are never removed, so the IDs stay valid.
pub(crate) type KnownPersons = Cache<Person, (i32, DisplayForm)>;

/// An entry of [`KnownPersons`].
type Known = (Person, (i32, DisplayForm));

/// Creates an empty cache.
pub(crate) fn known_persons() -> KnownPersons {
    Cache::new(MAX_KNOWN)
}

fn keep(rows: Vec<Known>, known: &KnownPersons) {
    for (person, row) in rows {
        known.insert(person, row);
    }
}

fn greatest_forms(events: &[&Reported]) -> BTreeMap<Person, DisplayForm> {
    let mut forms: BTreeMap<Person, DisplayForm> = BTreeMap::new();
    for (person, form) in events
        .iter()
        .filter_map(|reported| Person::of(&reported.event))
    {
        let greatest = forms.entry(person).or_insert_with(|| form.clone());
        if form > *greatest {
            *greatest = form;
        }
    }
    forms
}

/// A search for the IDs of all persons that events name.
pub(crate) struct Search {
    /// Persons that are new or whose display form is out of date, with the form to write.
    missing: BTreeMap<Person, DisplayForm>,
    found: PersonIds,
    /// Rows that were written. They are added to the cache after the commit.
    written: Vec<Known>,
}

impl Search {
    /// Searches without writing anything.
    pub(crate) async fn begin(
        connection: &mut Recording,
        events: &[&Reported],
    ) -> Result<Self, Error> {
        let mut search = Self {
            missing: greatest_forms(events),
            found: PersonIds::new(),
            written: Vec::new(),
        };
        search.find_in(&connection.known_persons);
        if !search.missing.is_empty() {
            let rows = connection.query(LOOK_UP, search.names()).await?;
            keep(search.find_in_rows(&rows)?, &connection.known_persons);
        }
        Ok(search)
    }

    /// Returns the IDs of all persons, or None if some must be written first.
    pub(crate) fn ids(&self) -> Option<&PersonIds> {
        self.missing.is_empty().then_some(&self.found)
    }

    /// Writes the persons that are missing. The transaction belongs to the caller, so that a person
    /// or a display form is recorded with its event or not at all.
    pub(crate) async fn write(&mut self, connection: &mut Recording) -> Result<&PersonIds, Error> {
        if !self.missing.is_empty() {
            let rows = connection.query(UPSERT, self.names_and_forms()).await?;
            self.written = self.find_in_rows(&rows)?;
        }
        Ok(&self.found)
    }

    /// Keeps the written persons in memory. Call this after the commit.
    pub(crate) fn keep(self, known: &KnownPersons) {
        keep(self.written, known);
    }

    fn find_in(&mut self, known: &KnownPersons) {
        self.missing.retain(|person, form| match known.get(person) {
            Some((id, known_form)) if known_form >= *form => {
                self.found.insert(person.clone(), id);
                false
            }
            _ => true,
        });
    }

    /// Finds persons in rows of the database. Returns the rows.
    fn find_in_rows(&mut self, rows: &[Row]) -> Result<Vec<Known>, Error> {
        let rows = rows.iter().map(parse).collect::<Result<Vec<_>, _>>()?;
        for (person, (id, form)) in &rows {
            if self
                .missing
                .get(person)
                .is_some_and(|missing| form >= missing)
            {
                self.missing.remove(person);
                self.found.insert(person.clone(), *id);
            }
        }
        Ok(rows)
    }

    fn names(&self) -> Parameters<'_> {
        let persons = || self.missing.keys();
        vec![
            array(persons().map(|person| person.user.as_str())),
            array(persons().map(|person| person.realm.as_str())),
        ]
    }

    fn names_and_forms(&self) -> Parameters<'_> {
        let forms = || self.missing.values();
        let mut parameters = self.names();
        parameters.extend([
            array(forms().map(|form| form.reported_on)),
            array(forms().map(|form| form.user.as_str())),
            array(forms().map(|form| form.realm.as_str())),
        ]);
        parameters
    }
}

fn parse(row: &Row) -> Result<Known, Error> {
    let person = Person {
        user: row.try_get("normalized_user")?,
        realm: row.try_get("normalized_realm")?,
    };
    let form = DisplayForm {
        reported_on: row.try_get("reported_on")?,
        user: row.try_get("display_user")?,
        realm: row.try_get("display_realm")?,
    };
    Ok((person, (row.try_get("id")?, form)))
}
