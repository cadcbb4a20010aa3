//! PostgreSQL and jiff know the same clock changes.

use diesel::{QueryableByName, sql_query, sql_types::Text};
use diesel_async::RunQueryDsl;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use rollcall_test_support::TestDatabase;

const ZONES: [&str; 6] = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Pacific/Apia",
];

/// Local times, each hour from 3 hours before each clock change until 3 hours after it, and the first
/// of each month.
fn instants(zone: &TimeZone) -> Vec<Timestamp> {
    let from: Timestamp = "2000-01-01T00:00:00Z".parse().expect("an instant");
    let to: Timestamp = "2031-01-01T00:00:00Z".parse().expect("an instant");
    let changes = zone.following(from).map(|change| change.timestamp());
    let near = changes.take_while(|at| *at < to).flat_map(|at| {
        (-3..=3).flat_map(move |hour| {
            let near = at + SignedDuration::from_hours(hour);
            [near, near - SignedDuration::from_secs(1)]
        })
    });
    let monthly = (0..31 * 12).map(|month| from + SignedDuration::from_hours(month * 730));
    monthly.chain(near).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn postgres_and_jiff_agree_on_local_times() {
    #[derive(QueryableByName)]
    struct Local {
        #[diesel(sql_type = Text)]
        local: String,
    }
    let database = TestDatabase::new().await;
    let mut connection = database.connect("reporting").await;
    for name in ZONES {
        let zone = TimeZone::get(name).expect("a zone");
        let instants = instants(&zone);
        let texts: Vec<_> = instants.iter().map(ToString::to_string).collect();
        let query = sql_query(
            "SELECT to_char(at AT TIME ZONE $1, 'YYYY-MM-DD\"T\"HH24:MI:SS') AS local
             FROM unnest($2::text[]::timestamptz[]) WITH ORDINALITY AS given (at, number)
             ORDER BY number",
        );
        let query = query.bind::<Text, _>(name);
        let query = query.bind::<diesel::sql_types::Array<Text>, _>(texts);
        let rows: Vec<Local> = query.load(&mut connection).await.expect("local times");
        for (at, row) in instants.iter().zip(&rows) {
            assert_eq!(zone.to_datetime(*at).to_string(), row.local, "{name} {at}");
        }
        assert_eq!(rows.len(), instants.len());
    }
}
