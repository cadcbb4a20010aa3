//! Exceptions compared with a brute-force reading of their definitions, over random histories.

mod history;
mod oracle;

use futures::TryStreamExt;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};
use rollcall_store::{
    Pool,
    attendance::Moment,
    exceptions::{self, Exception, Kind, Position, Selection},
    persons::PersonFilter,
};
use rollcall_test_support::TestDatabase;

use crate::{
    history::{CALENDAR, FIRST_DAY, History, LAST_DAY, TIMEOUT, at},
    oracle::{Expected, expected},
};

async fn list(
    pool: &Pool,
    history: &History,
    persons: PersonFilter,
    after: Option<Position>,
    limit: u32,
) -> Vec<Exception> {
    let selection = Selection {
        first_day: FIRST_DAY,
        day_bounds: CALENDAR.bounds(FIRST_DAY, LAST_DAY).expect("bounds"),
        kinds: Kind::ALL.map(|(_, kind)| kind).to_vec(),
        persons,
    };
    let moment = Moment {
        now: at(history.now),
        timeout: TIMEOUT,
    };
    let connection = pool.get().await.expect("a connection");
    let found = exceptions::list(connection, selection, after, limit, moment);
    found.try_collect().await.expect("exceptions")
}

/// Leaves out what the oracle does not predict: the IDs and the time of arrival.
fn comparable(exception: &Exception) -> Expected {
    let is_arrival = matches!(exception.kind, Kind::ChangedAfterFinal | Kind::ClockSkew);
    Expected {
        date: exception.position.date,
        key: exception.position.key.clone(),
        employee_id: exception.employee_id.clone(),
        at: (!is_arrival).then_some(exception.at),
        number: exception.number,
        other: exception.other.clone(),
        other_at: exception.other_at,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn exceptions_equal_those_of_the_oracle_in_pages_of_any_size() {
    let database = TestDatabase::new().await;
    let pool = Pool::new(&database.settings("reporting")).expect("a pool");
    let mut runner = TestRunner::deterministic();
    let mut kinds = std::collections::BTreeSet::new();
    for case in 0..40_u32 {
        let history = history::histories()
            .new_tree(&mut runner)
            .expect("a history");
        let history = history.current();
        history.record(&database).await;
        let all = list(&pool, &history, PersonFilter::default(), None, 10_000).await;
        let found: Vec<_> = all.iter().map(comparable).collect();
        let expected = expected(&history);
        assert_eq!(found, expected, "case {case}: {history:#?}");
        kinds.extend(all.iter().map(|exception| exception.kind));

        let limit = case % 7 + 1;
        let mut glued: Vec<Exception> = Vec::new();
        loop {
            let after = glued.last().map(|last| last.position.clone());
            let page = list(&pool, &history, PersonFilter::default(), after, limit).await;
            assert!(page.len() <= limit as usize, "{limit}");
            if page.is_empty() {
                break;
            }
            glued.extend(page);
        }
        assert_eq!(glued, all, "case {case}, pages of {limit}");

        let amy = PersonFilter {
            users: vec!["AMY".into()],
            realms: vec!["Sales".into()],
            ..PersonFilter::default()
        };
        let of_amy = list(&pool, &history, amy, None, 10_000).await;
        let is_of_amy = |found: &&Expected| found.key[1..3] == ["amy", "sales"];
        let expected: Vec<_> = expected.iter().filter(is_of_amy).cloned().collect();
        let of_amy: Vec<_> = of_amy.iter().map(comparable).collect();
        assert_eq!(of_amy, expected, "case {case}: {history:#?}");
    }
    assert_eq!(
        kinds.len(),
        Kind::ALL.len(),
        "kinds that occurred: {kinds:?}"
    );
}
