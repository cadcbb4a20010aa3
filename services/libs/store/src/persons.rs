//! Persons: finds or adds the rows of the persons that events name.

use std::collections::{BTreeMap, HashMap};

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

/// Creates an empty cache.
pub(crate) fn known_persons() -> KnownPersons {
    Cache::new(MAX_KNOWN)
}

/// Returns the IDs of all persons that the events name. Persons that are new, and those with a
/// greater display form, are written at once. They remain when the events are not recorded after
/// all, which changes no report.
pub(crate) async fn resolve(
    connection: &mut Recording,
    events: &[&Reported],
) -> Result<PersonIds, Error> {
    let mut search = Search {
        missing: greatest_forms(events),
        found: PersonIds::new(),
    };
    let known = connection.known_persons.clone();
    search.find_in(&known);
    if !search.missing.is_empty() {
        let rows = connection.query(LOOK_UP, search.names()).await?;
        search.find_in_rows(&rows, &known)?;
    }
    if !search.missing.is_empty() {
        let parameters = search.names_and_forms();
        let rows = connection.query(UPSERT, parameters).await?;
        search.find_in_rows(&rows, &known)?;
    }
    Ok(search.found)
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

/// A search for persons with at least the given display forms.
struct Search {
    missing: BTreeMap<Person, DisplayForm>,
    found: PersonIds,
}

impl Search {
    fn find_in(&mut self, known: &KnownPersons) {
        self.missing.retain(|person, form| match known.get(person) {
            Some((id, known_form)) if known_form >= *form => {
                self.found.insert(person.clone(), id);
                false
            }
            _ => true,
        });
    }

    fn find_in_rows(&mut self, rows: &[Row], known: &KnownPersons) -> Result<(), Error> {
        for row in rows {
            let person = Person {
                user: row.try_get("normalized_user")?,
                realm: row.try_get("normalized_realm")?,
            };
            let form = DisplayForm {
                reported_on: row.try_get("reported_on")?,
                user: row.try_get("display_user")?,
                realm: row.try_get("display_realm")?,
            };
            let id = row.try_get("id")?;
            if self
                .missing
                .get(&person)
                .is_some_and(|missing| form >= *missing)
            {
                self.missing.remove(&person);
                self.found.insert(person.clone(), id);
            }
            known.insert(person, (id, form));
        }
        Ok(())
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
