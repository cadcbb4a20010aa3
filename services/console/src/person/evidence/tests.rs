use jiff::{civil::date, tz::TimeZone};

use super::*;
use crate::messages::Language;

fn at(text: &str) -> Timestamp {
    format!("2025-01-01T{text}:00Z")
        .parse()
        .expect("an instant")
}

fn session(end: End) -> Session<'static> {
    Session {
        source: "gw-1",
        login_at: Some(at("08:00")),
        login_derived: false,
        last_activity_at: at("17:58"),
        end,
    }
}

fn event(kind: Kind, occurred: &str) -> Event<'static> {
    Event {
        kind,
        occurred_at: at(occurred),
        received_at: at(occurred),
        reason: None,
        clock_skewed: false,
        imported: false,
    }
}

fn say(language: Language, session: &Session, events: &[Event]) -> Vec<String> {
    let times = Times {
        language,
        zone: TimeZone::UTC,
        day: date(2025, 1, 1),
    };
    explain(session, events, &times)
}

/// Compares the sentences in English and German.
fn assert_says(session: &Session, events: &[Event], english: &[&str], german: &[&str]) {
    assert_eq!(say(Language::English, session, events), english);
    assert_eq!(say(Language::German, session, events), german);
}

#[test]
fn reported_login_and_logout() {
    let mut logout = event(Kind::Logout, "17:58");
    logout.reason = Some("User-Request");
    assert_says(
        &session(End::Logout),
        &[event(Kind::Login, "08:00"), logout],
        &[
            "gw-1 reported the login at 08:00.",
            "gw-1 reported the logout at 17:58, with the reason “User-Request”.",
        ],
        &[
            "gw-1 meldete die Anmeldung um 08:00 Uhr.",
            "gw-1 meldete die Abmeldung um 17:58 Uhr mit dem Grund „User-Request“.",
        ],
    );
}

#[test]
fn restart_closes_the_session() {
    assert_says(
        &session(End::Restart(at("18:04"))),
        &[event(Kind::Login, "08:00"), event(Kind::Active, "17:58")],
        &[
            "gw-1 reported the login at 08:00.",
            "One activity event followed, at 17:58.",
            "The logout is missing: the gateway gw-1 restarted at 18:04, so the session ends at \
             its last activity, 17:58.",
        ],
        &[
            "gw-1 meldete die Anmeldung um 08:00 Uhr.",
            "Es folgte ein Aktivitätsereignis um 17:58 Uhr.",
            "Die Abmeldung fehlt: Das Gateway gw-1 wurde um 18:04 Uhr neu gestartet. Deshalb \
             endet die Sitzung mit ihrer letzten Aktivität um 17:58 Uhr.",
        ],
    );
}

#[test]
fn silence_closes_the_session() {
    assert_says(
        &session(End::Silence(SignedDuration::from_hours(24))),
        &[
            event(Kind::Login, "08:00"),
            event(Kind::Active, "12:00"),
            event(Kind::Active, "17:58"),
        ],
        &[
            "gw-1 reported the login at 08:00.",
            "2 activity events followed, the last at 17:58.",
            "The logout is missing: gw-1 reported no activity for more than 24 h, so the session \
             ends at its last activity, 17:58.",
        ],
        &[
            "gw-1 meldete die Anmeldung um 08:00 Uhr.",
            "Es folgten 2 Aktivitätsereignisse, das letzte um 17:58 Uhr.",
            "Die Abmeldung fehlt: gw-1 meldete mehr als 24 h lang keine Aktivität. Deshalb endet \
             die Sitzung mit ihrer letzten Aktivität um 17:58 Uhr.",
        ],
    );
}

#[test]
fn announced_activity_that_did_not_come_closes_the_session() {
    assert_says(
        &session(End::Announced(at("18:08"))),
        &[event(Kind::Login, "08:00")],
        &[
            "gw-1 reported the login at 08:00.",
            "The logout is missing: gw-1 announced an activity for 18:08, which did not come, so \
             the session ends at its last activity, 17:58.",
        ],
        &[
            "gw-1 meldete die Anmeldung um 08:00 Uhr.",
            "Die Abmeldung fehlt: gw-1 kündigte eine Aktivität um 18:08 Uhr an, die nicht kam. \
             Deshalb endet die Sitzung mit ihrer letzten Aktivität um 17:58 Uhr.",
        ],
    );
}

#[test]
fn open_session_has_no_end() {
    assert_says(
        &session(End::Open),
        &[
            event(Kind::Login, "08:00"),
            event(Kind::Logout, "12:00"),
            event(Kind::Active, "17:58"),
        ],
        &[
            "gw-1 reported the login at 08:00.",
            "One activity event followed, at 17:58.",
            "gw-1 reported a logout at 12:00 and a later activity, so this logout does not count.",
            "The session is open. Its last activity was at 17:58.",
        ],
        &[
            "gw-1 meldete die Anmeldung um 08:00 Uhr.",
            "Es folgte ein Aktivitätsereignis um 17:58 Uhr.",
            "gw-1 meldete eine Abmeldung um 12:00 Uhr und danach eine Aktivität. Diese Abmeldung \
             zählt deshalb nicht.",
            "Die Sitzung ist offen. Ihre letzte Aktivität war um 17:58 Uhr.",
        ],
    );
}

#[test]
fn missing_and_derived_and_repeated_logins() {
    let mut session = session(End::Logout);
    session.login_derived = true;
    let events = [
        event(Kind::DerivedLogin, "08:00"),
        event(Kind::Logout, "17:58"),
    ];
    assert_eq!(
        say(Language::English, &session, &events)[0],
        "gw-1 did not report the login. It is computed from the session duration that gw-1 \
         reported: 08:00."
    );
    session.login_at = None;
    assert_eq!(
        say(Language::English, &session, &events[1..])[0],
        "The login is missing, so the session is in no report until its login arrives."
    );
    session.login_at = Some(at("08:00"));
    session.login_derived = false;
    let twice = [event(Kind::Login, "08:00"), event(Kind::Login, "09:00")];
    assert_eq!(
        say(Language::German, &session, &twice)[0],
        "gw-1 meldete 2 Anmeldungen. Die früheste zählt: 08:00 Uhr."
    );
}

#[test]
fn late_and_skewed_events_are_named() {
    let mut logout = event(Kind::Logout, "17:58");
    logout.received_at = "2025-01-02T07:58:00Z".parse().expect("an instant");
    logout.clock_skewed = true;
    let events = [event(Kind::Login, "08:00"), logout];
    assert_eq!(
        say(Language::English, &session(End::Logout), &events)[2..],
        [
            "The logout arrived 14 h late, at 07:58 on 2 January 2025.",
            "The time of an event is far from the time of its arrival: gw-1 delivered it late, or \
             its clock is wrong.",
        ]
    );
    let imported = events.map(|event| Event {
        imported: true,
        ..event
    });
    assert_eq!(
        say(Language::English, &session(End::Logout), &imported).len(),
        2
    );
}
