//! The database accepts every event that the domain accepts, so that no event can make a batch
//! fail.

use jiff::{SignedDuration, Timestamp, tz::Offset};
use proptest::{option::of, prelude::*, strategy::ValueTree, test_runner::TestRunner};
use rollcall_attendance::event::{Arrival, Event, RawEvent};
use rollcall_store::events::{Outcome, Receiver, Reported};
use rollcall_test_support::{TestDatabase, record};

const BATCHES: usize = 10;
const BATCH_EVENTS: usize = 100;

fn arrival(at: Timestamp) -> Arrival {
    Arrival {
        at,
        earliest: "2000-01-01T00:00:00Z".parse().expect("an instant"),
        ahead: SignedDuration::from_mins(5),
        skew: SignedDuration::from_hours(1),
    }
}

/// All of Unicode, among it what grows when it is lower-cased, what has no case, and what the event
/// rules refuse.
fn text() -> BoxedStrategy<String> {
    prop_oneof![
        "\\PC{0,24}",
        "[a-z]{250,258}",
        "[\u{130}\u{1e9e}\u{fb03}\u{202e}\u{feff}\u{ffff}\u{10ffff}\u{e000}]{1,64}",
        Just("'; DROP TABLE events; --\\".to_owned()),
    ]
    .boxed()
}

/// All that jiff can say, and the times about the bounds.
fn time() -> impl Strategy<Value = String> {
    let (first, last) = (Timestamp::MIN.as_second(), Timestamp::MAX.as_second());
    let seconds = prop_oneof![
        1 => first..=last,
        1 => prop::sample::select(vec![first, last]),
        1 => 946_684_790..946_684_810_i64,
        5 => 1_700_000_000..1_790_000_000_i64,
    ];
    (seconds, 0..1_000_000_000, -86_399..86_400).prop_map(|(second, nanosecond, offset)| {
        let instant = Timestamp::new(second, nanosecond).unwrap_or(Timestamp::MAX);
        let offset = Offset::from_seconds(offset / 60 * 60).expect("an offset");
        instant.display_with_offset(offset).to_string()
    })
}

fn address() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => any::<std::net::IpAddr>().prop_map(|address| address.to_string()),
        1 => text(),
    ]
}

fn raw() -> impl Strategy<Value = RawEvent> {
    let kind = prop::sample::select(vec!["login", "active", "logout", "restart"]);
    let session = (text(), any::<bool>());
    let named = (kind, text(), session, of(text()), of(text()));
    let duration = prop_oneof![0..100_000_i64, -1..=i64::MAX];
    let seconds = (of(-1..=i64::MAX), of(duration), of(-1..=i64::MAX));
    let times = (time(), of(time()), of(time()), seconds);
    let evidence = (
        of(text()),
        of(text()),
        of(address()),
        of(address()),
        of(text()),
        of(text()),
        of(text()),
    );
    (named, times, evidence).prop_map(|(named, times, evidence)| RawEvent {
        kind: Some(named.0.into()),
        event_id: Some(named.1),
        session_id: named.2.1.then(|| named.2.0.clone()),
        correlation_key: (!named.2.1).then_some(named.2.0),
        user: named.3,
        realm: named.4,
        occurred_at: Some(times.0),
        complete_through: times.1,
        last_activity_at: times.2,
        active_seconds: times.3.0,
        duration_seconds: times.3.1,
        next_in_seconds: times.3.2,
        reason: evidence.0,
        display_name: evidence.1,
        client_ip: evidence.2,
        wan_ip: evidence.3,
        mac: evidence.4,
        device: evidence.5,
        class: evidence.6,
        input_digest: None,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn database_accepts_every_event_that_parse_accepts() {
    let database = TestDatabase::new().await;
    database
        .execute("INSERT INTO sources (name, key_hash) VALUES ('gateway', 'x')")
        .await;
    let mut writer = database.writer();
    let mut runner = TestRunner::default();
    let now = "2026-11-26T00:00:00Z".parse().expect("an instant");
    for batch in 0..BATCHES {
        let arrival = arrival(if batch % 2 == 0 { now } else { Timestamp::MAX });
        let mut events = Vec::new();
        while events.len() < BATCH_EVENTS {
            let raw = raw().new_tree(&mut runner).expect("a raw").current();
            for mut event in Event::parse_all(raw, &arrival).unwrap_or_default() {
                event.event_id = format!("{batch}-{}-{}", events.len(), event.event_id);
                event
                    .event_id
                    .truncate(event.event_id.floor_char_boundary(128));
                events.push(Reported {
                    source_id: 1,
                    event,
                    receiver: Receiver::Http,
                });
            }
        }
        let recorded = record(&mut writer, &events).await;
        assert_eq!(
            recorded,
            Ok(vec![Outcome::Accepted; events.len()]),
            "{events:#?}"
        );
    }
}
