use jiff::SignedDuration;

use super::*;

fn raw() -> RawEvent {
    RawEvent {
        event_id: Some("e1".into()),
        kind: Some("login".into()),
        session_id: Some("s1".into()),
        user: Some("user_4".into()),
        occurred_at: Some("2025-01-01T15:30:00.1234567+05:30".into()),
        ..RawEvent::default()
    }
}

fn arrival() -> Arrival {
    Arrival {
        at: "2025-01-01T10:00:00Z".parse().expect("an instant"),
        earliest: "2000-01-01T00:00:00Z".parse().expect("an instant"),
        ahead: SignedDuration::from_mins(5),
        skew: SignedDuration::from_hours(1),
    }
}

fn error_of(change: impl FnOnce(&mut RawEvent)) -> String {
    let mut raw = raw();
    change(&mut raw);
    Event::parse(raw, &arrival())
        .expect_err("a field error")
        .to_string()
}

#[test]
fn event_time_is_cut_to_microseconds() {
    let event = Event::parse(raw(), &arrival()).expect("an event");
    assert_eq!(event.occurred_at.to_string(), "2025-01-01T10:00:00.123456Z");
}

#[test]
fn error_names_the_field() {
    assert_eq!(
        error_of(|raw| raw.event_id = None),
        "event_id is missing; it must be a text of 1 to 128 bytes that is unique within the \
         source"
    );
    assert_eq!(
        error_of(|raw| raw.event_id = Some("x".repeat(129))),
        "event_id must be at most 128 bytes (got 129)"
    );
    assert_eq!(
        error_of(|raw| raw.user = Some(String::new())),
        "user is missing; it must be a text of 1 to 256 bytes"
    );
    assert_eq!(
        error_of(|raw| raw.user = Some("a\0b".into())),
        "user must not contain a control character"
    );
    assert_eq!(
        error_of(|raw| raw.kind = Some("LOGIN".into())),
        "type must be one of login, active, logout, restart (got \"LOGIN\")"
    );
    assert!(
        error_of(|raw| raw.occurred_at = Some("2025-01-01T15:30:00".into()))
            .starts_with("occurred_at must be RFC 3339")
    );
    assert!(
        error_of(|raw| raw.client_ip = Some("10.0.0.256".into()))
            .starts_with("client_ip must be an IPv4")
    );
    assert_eq!(
        error_of(|raw| raw.active_seconds = Some(-1)),
        "active_seconds must be a number of seconds from 0 (got -1)"
    );
    assert_eq!(
        error_of(|raw| raw.next_in_seconds = Some(-1)),
        "next_in_seconds must be a number of seconds from 0 (got -1)"
    );
}

#[test]
fn time_too_far_ahead_is_rejected_and_time_far_away_is_flagged() {
    let at = |text: &str| {
        Event::parse(
            RawEvent {
                occurred_at: Some(text.into()),
                ..raw()
            },
            &arrival(),
        )
    };
    let flags = [
        "2025-01-01T10:05:00Z",
        "2025-01-01T09:00:00Z",
        "2025-01-01T08:59:59Z",
    ];
    assert_eq!(
        flags.map(|text| at(text).expect("an event").clock_skewed),
        [false, false, true]
    );
    let error = at("2025-01-01T10:05:01Z")
        .expect_err("a field error")
        .to_string();
    assert!(
        error.starts_with(
            "occurred_at must be at most 300 seconds ahead of Rollcall's clock (got \
             \"2025-01-01T10:05:01Z\")"
        ),
        "{error}"
    );
}

#[test]
fn restart_needs_neither_session_nor_user() {
    let restart = RawEvent {
        kind: Some("restart".into()),
        session_id: None,
        user: None,
        ..raw()
    };
    assert_eq!(
        Event::parse(restart, &arrival()).expect("an event").fact,
        Fact::Restart
    );
}

#[test]
fn digest_depends_on_the_content_and_not_on_its_form() {
    let digest = |change: fn(&mut RawEvent)| {
        let mut raw = raw();
        change(&mut raw);
        Event::parse(raw, &arrival()).expect("an event").digest()
    };
    let original = digest(|_| ());
    assert_eq!(
        original,
        digest(|raw| raw.occurred_at = Some("2025-01-01T10:00:00.123456Z".into()))
    );
    assert_eq!(original, digest(|raw| raw.reason = Some(String::new())));
    assert_ne!(original, digest(|raw| raw.reason = Some("idle".into())));
    assert_ne!(original, digest(|raw| raw.user = Some("USER_4".into())));
}

#[test]
fn time_before_the_earliest_is_rejected_by_the_name_of_its_field() {
    for bad in [
        "0001-01-01T00:00:00Z",
        "1999-12-31T23:59:59.999999Z",
        "9999-12-30T00:00:00Z",
    ] {
        let error = error_of(|raw| raw.occurred_at = Some(bad.into()));
        assert!(error.starts_with("occurred_at "), "{error}");
        let error = error_of(|raw| raw.complete_through = Some(bad.into()));
        assert!(error.starts_with("complete_through "), "{error}");
    }
    assert_eq!(
        error_of(|raw| raw.occurred_at = Some("1999-12-31T23:59:59Z".into())),
        "occurred_at must not be before 2000-01-01T00:00:00Z (got \"1999-12-31T23:59:59Z\")"
    );
}

#[test]
fn logout_with_duration_gives_derived_login() {
    let logout = |duration| RawEvent {
        kind: Some("logout".into()),
        duration_seconds: Some(duration),
        reason: Some("idle".into()),
        ..raw()
    };
    let events = Event::parse_all(logout(3_600), &arrival()).expect("events");
    let [login, logout_event] = &events[..] else {
        panic!("two events: {events:?}")
    };
    assert_eq!(login.event_id, "e1-derived-login");
    assert_eq!(login.occurred_at.to_string(), "2025-01-01T09:00:00.123456Z");
    assert!(matches!(
        login.fact,
        Fact::Session {
            kind: Kind::DerivedLogin,
            ..
        }
    ));
    assert_eq!(login.evidence.reason, None);
    assert_eq!(logout_event.evidence.reason.as_deref(), Some("idle"));
}

#[test]
fn derived_login_outside_the_accepted_range_is_omitted() {
    for duration in [30 * 366 * 86_400, i64::MAX] {
        let logout = RawEvent {
            kind: Some("logout".into()),
            duration_seconds: Some(duration),
            ..raw()
        };
        let events = Event::parse_all(logout, &arrival()).expect("events");
        assert_eq!(events.len(), 1, "{events:?}");
        assert_eq!(events[0].event_id, "e1");
    }
}

#[test]
fn duration_gives_no_login_except_in_a_logout() {
    let active = RawEvent {
        kind: Some("active".into()),
        duration_seconds: Some(60),
        ..raw()
    };
    let events = Event::parse_all(active, &arrival()).expect("events");
    assert_eq!(events.len(), 1, "{events:?}");
}

#[test]
fn derived_login_of_a_long_event_id_has_a_valid_event_id() {
    let logout = RawEvent {
        event_id: Some("e".repeat(EVENT_ID_BYTES)),
        kind: Some("logout".into()),
        duration_seconds: Some(60),
        ..raw()
    };
    let events = Event::parse_all(logout, &arrival()).expect("events");
    assert!(events[0].event_id.len() <= EVENT_ID_BYTES);
    assert_ne!(events[0].event_id, events[1].event_id);
}

#[test]
fn nul_in_class_is_rejected() {
    assert_eq!(
        error_of(|raw| raw.class = Some("a\0b".into())),
        "class must not contain a control character"
    );
}
