//! `rollcall demo-events`: generates two weeks of sample events. The same days give the same
//! events.

use jiff::{SignedDuration, Timestamp, ToSpan, Zoned, civil::Date, tz::TimeZone};
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use serde_json::{Value, json};

/// Number of days with events. The last day is today.
const DAYS: i32 = 14;

/// A person with a shift.
struct Person {
    name: &'static str,
    display_name: &'static str,
    realm: &'static str,
    /// Hour of the day at which the shift begins.
    begins: i64,
    /// Length of the shift, in hours.
    hours: i64,
}

const fn person(
    name: &'static str,
    display_name: &'static str,
    realm: &'static str,
    begins: i64,
    hours: i64,
) -> Person {
    Person {
        name,
        display_name,
        realm,
        begins,
        hours,
    }
}

const PEOPLE: [Person; 12] = [
    person("asha.rao", "Asha Rao", "Default", 9, 9),
    person("ben.okafor", "Ben Okafor", "Default", 9, 8),
    person("carla.mendes", "Carla Mendes", "Default", 8, 8),
    person("dmitri.volkov", "Dmitri Volkov", "Default", 10, 9),
    person("elif.demir", "Elif Demir", "Support", 6, 8),
    person("farid.haddad", "Farid Haddad", "Support", 14, 8),
    person("grace.lin", "Grace Lin", "Support", 22, 8),
    person("hiro.tanaka", "Hiro Tanaka", "Support", 22, 9),
    person("ines.garcia", "Ines Garcia", "Contractors", 9, 4),
    person("jonas.weber", "Jonas Weber", "Contractors", 13, 5),
    person("kavya.nair", "Kavya Nair", "Default", 9, 9),
    person("lars.holm", "Lars Holm", "Default", 7, 8),
];

/// Returns the events that have arrived by `now`, in the order of arrival.
pub fn events(zone: &TimeZone, now: Timestamp) -> Vec<Value> {
    let today = Zoned::new(now, zone.clone()).date();
    let days = (1 - DAYS..=0).filter_map(|offset| today.checked_add(offset.days()).ok());
    let mut arriving: Vec<(Timestamp, Value)> = days
        .flat_map(|day| {
            PEOPLE
                .iter()
                .enumerate()
                .map(move |(number, person)| (day, number, person))
        })
        .flat_map(|(day, number, person)| shift(day, number, person, zone))
        .filter(|(arrives, _)| *arrives <= now)
        .collect();
    arriving.sort_by_key(|(arrives, _)| *arrives);
    arriving.into_iter().map(|(_, event)| event).collect()
}

/// A shift of a person on a day.
struct Shift<'a> {
    day: Date,
    /// Index of the person in [`PEOPLE`].
    number: usize,
    person: &'a Person,
    login: Timestamp,
}

impl Shift<'_> {
    /// Returns an event of the session `name` of this shift.
    fn event(&self, kind: &str, name: &str, at: Timestamp, device: &str) -> Value {
        let (day, number) = (self.day, self.number);
        let session_id = format!("{day}-{number}-{name}");
        json!({
            "event_id": format!("{session_id}-{kind}-{}", at.as_second()),
            "type": kind,
            "session_id": session_id,
            "user": self.person.name,
            "realm": self.person.realm,
            "display_name": self.person.display_name,
            "occurred_at": at.to_string(),
            "client_ip": format!("10.8.{number}.{}", day.day()),
            "device": device,
            "active_seconds": at.duration_since(self.login).as_secs().max(0),
        })
    }
}

/// Returns the events of a person on a day, each with its time of arrival. The day and the number
/// of the person seed the random numbers.
fn shift(day: Date, number: usize, person: &Person, zone: &TimeZone) -> Vec<(Timestamp, Value)> {
    let seed = u64::from(day.day_of_year().unsigned_abs()) * 1000 + number as u64;
    let mut random = SmallRng::seed_from_u64(seed);
    let weekend = matches!(
        day.weekday(),
        jiff::civil::Weekday::Saturday | jiff::civil::Weekday::Sunday
    );
    if random.random_bool(if weekend && person.realm != "Support" {
        0.95
    } else {
        0.05
    }) {
        return Vec::new();
    }
    let Ok(midnight) = day.to_zoned(zone.clone()) else {
        return Vec::new();
    };
    let mut minutes = |from: i64, to: i64| SignedDuration::from_mins(random.random_range(from..to));
    let login = midnight.timestamp() + SignedDuration::from_hours(person.begins) + minutes(-15, 20);
    let lunch = login + SignedDuration::from_hours(person.hours / 2) + minutes(0, 20);
    let back = lunch + minutes(25, 60);
    let logout = login + SignedDuration::from_hours(person.hours) + minutes(-10, 40);
    let phone = login + minutes(60, 120);
    let late = minutes(120, 600);

    let shift = Shift {
        day,
        number,
        person,
        login,
    };
    let event =
        |kind: &str, name: &str, at: Timestamp, device: &str| shift.event(kind, name, at, device);
    let immediate =
        |kind: &str, name: &str, at: Timestamp, device: &str| (at, event(kind, name, at, device));
    let mut events = vec![
        immediate("login", "morning", login, "laptop"),
        immediate(
            "active",
            "morning",
            login + SignedDuration::from_hours(1),
            "laptop",
        ),
    ];
    match seed % 10 {
        // The person forgot to log out, so there is only an activity event.
        0 => events.push(immediate("active", "morning", logout, "laptop")),
        // The person uses two devices at the same time.
        1 | 2 => events.extend([
            immediate("logout", "morning", logout, "laptop"),
            immediate("login", "phone", phone, "phone"),
            immediate(
                "logout",
                "phone",
                phone + SignedDuration::from_hours(1),
                "phone",
            ),
        ]),
        // The gateway was disconnected, so the logout arrives hours later.
        3 => events.push((logout + late, event("logout", "morning", logout, "laptop"))),
        // The person logs out during a break.
        4..=6 => events.extend([
            immediate("logout", "morning", lunch, "laptop"),
            immediate("login", "afternoon", back, "laptop"),
            immediate("logout", "afternoon", logout, "laptop"),
        ]),
        _ => events.push(immediate("logout", "morning", logout, "laptop")),
    }
    events
}
