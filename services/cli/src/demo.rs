//! `rollcall demo-events`: two weeks of sample data as NDJSON, the same for the same days.

use jiff::{SignedDuration, Timestamp, ToSpan, Zoned, civil::Date, tz::TimeZone};
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use serde_json::{Value, json};

const DAYS: i32 = 14;

/// A person of the sample: name, realm, hour at which the shift begins and its hours.
struct Person {
    name: &'static str,
    display_name: &'static str,
    realm: &'static str,
    begins: i64,
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

/// The events up to `now`, a line each, in the order in which they arrive.
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

/// One person's day: with when each event arrives.
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

    let session = |name: &str| format!("{day}-{number}-{name}");
    let event = |kind: &str, name: &str, at: Timestamp, device: &str| {
        let seconds = at.duration_since(login).as_secs();
        json!({
            "event_id": format!("{}-{kind}-{}", session(name), at.as_second()), "type": kind, "session_id": session(name),
            "user": person.name, "realm": person.realm, "display_name": person.display_name, "occurred_at": at.to_string(),
            "client_ip": format!("10.8.{}.{}", number, day.day()), "device": device, "active_seconds": seconds.max(0),
        })
    };
    let at_once =
        |kind: &str, name: &str, at: Timestamp, device: &str| (at, event(kind, name, at, device));
    let mut events = vec![
        at_once("login", "morning", login, "laptop"),
        at_once(
            "active",
            "morning",
            login + SignedDuration::from_hours(1),
            "laptop",
        ),
    ];
    match seed % 10 {
        // Forgotten logout: the last sign of life is all that there is.
        0 => events.push(at_once("active", "morning", logout, "laptop")),
        // Two devices at once.
        1 | 2 => events.extend([
            at_once("logout", "morning", logout, "laptop"),
            at_once("login", "phone", phone, "phone"),
            at_once(
                "logout",
                "phone",
                phone + SignedDuration::from_hours(1),
                "phone",
            ),
        ]),
        // A gateway that was cut off: the logout arrives hours later.
        3 => events.push((logout + late, event("logout", "morning", logout, "laptop"))),
        // A break.
        4..=6 => events.extend([
            at_once("logout", "morning", lunch, "laptop"),
            at_once("login", "afternoon", back, "laptop"),
            at_once("logout", "afternoon", logout, "laptop"),
        ]),
        _ => events.push(at_once("logout", "morning", logout, "laptop")),
    }
    events
}
