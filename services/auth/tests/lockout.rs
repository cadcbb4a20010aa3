//! Locks after failed sign-ins, per client and address.

use futures::future::join_all;
use reqwest::Response;
use rollcall_store::{api_clients, sign_ins};
use rollcall_test_support::{Rollcall, snapshot};
use serde_json::json;

const ADDRESS: &str = "192.0.2.1";
const OTHER_ADDRESS: &str = "192.0.2.2";

async fn sign_in(rollcall: &Rollcall, address: &str, name: &str, password: &str) -> Response {
    rollcall
        .http
        .post(format!("http://{}/api/v1/auth/connect", rollcall.auth))
        .header("x-forwarded-for", address)
        .json(&json!({"username": name, "password": password}))
        .send()
        .await
        .expect("a response")
}

/// Starts services without limits per address.
async fn patient() -> Rollcall {
    Rollcall::builder()
        .await
        .patient()
        .set(|settings| settings.auth.max_failures_per_second = u32::MAX)
        .start()
}

async fn status(rollcall: &Rollcall, address: &str, name: &str, password: &str) -> u16 {
    sign_in(rollcall, address, name, password)
        .await
        .status()
        .as_u16()
}

/// Sends this number of different wrong passwords at once.
async fn guess(rollcall: &Rollcall, address: &str, name: &str, guesses: usize) {
    let guesses = (0..guesses).map(|guess| async move {
        let password = format!("guess {guess}");
        assert_eq!(status(rollcall, address, name, &password).await, 401);
    });
    join_all(guesses).await;
}

async fn unlock(rollcall: &Rollcall, name: &str) -> bool {
    let operator = rollcall.operator();
    let known = operator.ask(async |connection| api_clients::unlock(connection, name).await);
    known.await.expect("a response")
}

async fn disable(rollcall: &Rollcall, name: &str) {
    let now = rollcall.clock.now();
    let operator = rollcall.operator();
    let known = operator.ask(async |connection| api_clients::disable(connection, name, now).await);
    assert!(known.await.expect("a response"));
}

async fn audit(rollcall: &Rollcall, action: &str) -> Vec<String> {
    let query = format!(
        "SELECT concat(role, ' ', actor, ' ', detail->>'address') AS text FROM audit_log
         WHERE action = '{action}'"
    );
    rollcall.database.texts(&query).await
}

#[tokio::test(flavor = "multi_thread")]
async fn unknown_wrong_locked_and_disabled_get_the_same_response() {
    let rollcall = Rollcall::start().await;
    let (name, password) = rollcall.client("reporting:read").await;
    let (disabled, its_password) = rollcall.client("reporting:read").await;
    disable(&rollcall, &disabled).await;
    let unknown = snapshot::of(sign_in(&rollcall, ADDRESS, "unknown", "guess").await).await;
    let wrong = snapshot::of(sign_in(&rollcall, ADDRESS, &name, "guess").await).await;
    guess(&rollcall, ADDRESS, &name, 4).await;
    let locked = snapshot::of(sign_in(&rollcall, ADDRESS, &name, &password).await).await;
    let disabled = snapshot::of(sign_in(&rollcall, ADDRESS, &disabled, &its_password).await).await;
    assert_eq!([&wrong, &locked, &disabled], [&unknown; 3]);
    insta::assert_snapshot!(unknown);
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_guesses_cost_five_hashes_and_lock_only_their_address() {
    let rollcall = patient().await;
    let (name, password) = rollcall.client("reporting:read").await;
    guess(&rollcall, ADDRESS, &name, 200).await;
    assert!(
        rollcall.hashing.hashes() <= 5,
        "{}",
        rollcall.hashing.hashes()
    );
    assert_eq!(status(&rollcall, ADDRESS, &name, &password).await, 401);
    assert_eq!(
        status(&rollcall, OTHER_ADDRESS, &name, &password).await,
        200
    );
    assert_eq!(
        audit(&rollcall, "sign_in.lock").await,
        [format!("auth {name} {ADDRESS}/32")],
        "one entry for 200 guesses"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn guesses_at_unknown_names_cost_five_hashes_and_one_row() {
    let rollcall = patient().await;
    let guesses = (0..100).map(|guess| {
        let rollcall = &rollcall;
        async move { status(rollcall, ADDRESS, &format!("unknown-{guess}"), "guess").await }
    });
    assert_eq!(join_all(guesses).await, [401; 100]);
    assert!(
        rollcall.hashing.hashes() <= 5,
        "{}",
        rollcall.hashing.hashes()
    );
    assert_eq!(rollcall.database.count("sign_in_attempts").await, 1);
    assert_eq!(rollcall.database.count("audit_log").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn lock_lasts_60_seconds_then_twice_as_long_and_is_forgotten_after_15_quiet_minutes() {
    let rollcall = Rollcall::start().await;
    let (name, password) = rollcall.client("reporting:read").await;
    for seconds in [60, 120, 240, 480, 900, 900] {
        guess(&rollcall, ADDRESS, &name, 5).await;
        rollcall.clock.advance(seconds - 1);
        assert_eq!(
            status(&rollcall, ADDRESS, &name, &password).await,
            401,
            "{seconds} s"
        );
        rollcall.clock.advance(1);
    }
    rollcall.clock.advance(900);
    guess(&rollcall, ADDRESS, &name, 5).await;
    rollcall.clock.advance(60);
    assert_eq!(status(&rollcall, ADDRESS, &name, &password).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn success_forgets_the_failures() {
    let rollcall = Rollcall::start().await;
    let (name, password) = rollcall.client("reporting:read").await;
    for _ in 0..3 {
        guess(&rollcall, ADDRESS, &name, 4).await;
        assert_eq!(status(&rollcall, ADDRESS, &name, &password).await, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn right_password_is_accepted_while_parallel_guesses_are_checked() {
    let rollcall = Rollcall::start().await;
    let (name, password) = rollcall.client("reporting:read").await;
    let guesses = guess(&rollcall, ADDRESS, &name, 4);
    let (right, ()) = futures::join!(status(&rollcall, ADDRESS, &name, &password), guesses);
    assert_eq!(right, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn lock_outlives_a_restart_and_holds_at_a_second_replica() {
    let rollcall = Rollcall::start().await;
    let (name, password) = rollcall.client("reporting:read").await;
    guess(&rollcall, ADDRESS, &name, 5).await;
    let mut settings = rollcall.settings.clone();
    settings.database = rollcall.database.settings("auth");
    let hashing = rollcall_auth::hashing::Hashing::new(&settings.auth);
    let replica = rollcall_auth::startup::build(&settings, rollcall.clock.clone(), hashing.clone())
        .expect("auth");
    let url = format!(
        "http://{}/api/v1/auth/connect",
        replica.address.expect("an address")
    );
    tokio::spawn(replica.run());
    let answer = rollcall
        .http
        .post(url)
        .header("x-forwarded-for", ADDRESS)
        .json(&json!({"username": name, "password": password}))
        .send();
    assert_eq!(answer.await.expect("a response").status(), 401);
    assert_eq!(hashing.hashes(), 0, "a locked attempt costs no hash");
}

#[tokio::test(flavor = "multi_thread")]
async fn interrupted_attempt_counts_and_does_not_block_others_forever() {
    let rollcall = Rollcall::start().await;
    let (name, password) = rollcall.client("reporting:read").await;
    rollcall
        .database
        .execute(&format!(
            "INSERT INTO sign_in_attempts (client_id, address, failures, last_failure_at, pending)
             SELECT id, '{ADDRESS}', 5, '{}', 5 FROM api_clients WHERE name = '{name}'",
            rollcall.clock.now()
        ))
        .await;
    rollcall.clock.advance(11);
    assert_eq!(status(&rollcall, ADDRESS, &name, &password).await, 401);
    rollcall.clock.advance(50);
    assert_eq!(status(&rollcall, ADDRESS, &name, &password).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_failures_close_a_client_to_new_addresses_and_never_to_known_ones() {
    let rollcall = patient().await;
    let (name, password) = rollcall.client("reporting:read").await;
    assert_eq!(status(&rollcall, ADDRESS, &name, &password).await, 200);
    let attackers: Vec<String> = (1..=10).map(|host| format!("198.51.100.{host}")).collect();
    join_all(
        attackers
            .iter()
            .map(|attacker| guess(&rollcall, attacker, &name, 5)),
    )
    .await;
    let hashes = rollcall.hashing.hashes();
    assert_eq!(
        status(&rollcall, OTHER_ADDRESS, &name, &password).await,
        401
    );
    guess(&rollcall, "198.51.100.99", &name, 5).await;
    assert_eq!(
        rollcall.hashing.hashes(),
        hashes,
        "no hash for new addresses"
    );
    assert_eq!(status(&rollcall, ADDRESS, &name, &password).await, 200);
    guess(&rollcall, ADDRESS, &name, 4).await;
    assert_eq!(
        status(&rollcall, ADDRESS, &name, &password).await,
        200,
        "a known address has its own limit"
    );
    rollcall.clock.advance(900);
    assert_eq!(
        status(&rollcall, OTHER_ADDRESS, &name, &password).await,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ipv6_addresses_of_one_64_network_count_as_one() {
    let rollcall = Rollcall::start().await;
    let (name, password) = rollcall.client("reporting:read").await;
    for host in 1..=5 {
        guess(&rollcall, &format!("2001:db8::{host}"), &name, 1).await;
    }
    assert_eq!(
        status(&rollcall, "2001:db8::6", &name, &password).await,
        401
    );
    assert_eq!(
        status(&rollcall, "2001:db8:0:1::6", &name, &password).await,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn operator_sees_and_lifts_locks() {
    let rollcall = Rollcall::start().await;
    let (name, password) = rollcall.client("reporting:read").await;
    guess(&rollcall, ADDRESS, &name, 5).await;
    guess(&rollcall, OTHER_ADDRESS, &name, 5).await;
    let now = rollcall.clock.now();
    let clients = rollcall
        .operator()
        .ask(async |connection| api_clients::list(connection, now).await)
        .await
        .expect("clients");
    assert_eq!(clients[0].locked_addresses, 2);
    assert_eq!(
        clients[0]
            .locked_until
            .map(|until| until.duration_since(now).as_secs()),
        Some(60)
    );
    assert!(unlock(&rollcall, &name).await);
    assert_eq!(status(&rollcall, ADDRESS, &name, &password).await, 200);
    assert!(!unlock(&rollcall, "unknown").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_that_decide_nothing_are_pruned() {
    let rollcall = Rollcall::start().await;
    let (name, password) = rollcall.client("reporting:read").await;
    assert_eq!(status(&rollcall, ADDRESS, &name, &password).await, 200);
    guess(&rollcall, OTHER_ADDRESS, &name, 5).await;
    guess(&rollcall, OTHER_ADDRESS, "unknown", 1).await;
    let auth = rollcall_store::Pool::new(&rollcall.database.settings("auth")).expect("a pool");
    let prune = async |after| {
        let now = rollcall.clock.now() + jiff::SignedDuration::from_secs(after);
        auth.ask(async |connection| sign_ins::prune(connection, now).await)
            .await
            .expect("pruned")
    };
    assert_eq!(prune(899).await, 0);
    assert_eq!(prune(900).await, 1, "the unknown name");
    assert_eq!(prune(960).await, 1, "the lock and 15 minutes");
    assert_eq!(prune(364 * 86_400).await, 0, "a known address");
    assert_eq!(prune(367 * 86_400).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn address_with_too_many_failures_gets_429() {
    let rollcall = Rollcall::builder()
        .await
        .set(|settings| {
            settings.auth.max_failures_per_second = 1;
            // The failure is counted before its answer is sent, so the counting second ends later.
            settings.auth.failure_milliseconds = 1;
        })
        .start();
    let burst = (0..50).map(|_| status(&rollcall, ADDRESS, "unknown", "guess"));
    let mut statuses = join_all(burst).await;
    for _ in 0..3 {
        statuses.push(status(&rollcall, ADDRESS, "unknown", "guess").await);
    }
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(
        status(&rollcall, OTHER_ADDRESS, "unknown", "guess").await,
        401
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn address_with_too_many_sign_ins_in_flight_gets_429() {
    let rollcall = Rollcall::builder()
        .await
        .set(|settings| settings.auth.max_pending_per_address = 3)
        .start();
    let burst = (0..20).map(|_| status(&rollcall, ADDRESS, "unknown", "guess"));
    let statuses = join_all(burst).await;
    assert!(
        statuses.contains(&401) && statuses.contains(&429),
        "{statuses:?}"
    );
    let answers = join_all((0..20).map(|_| sign_in(&rollcall, ADDRESS, "unknown", "guess"))).await;
    let rejected = answers
        .into_iter()
        .find(|answer| answer.status() == 429)
        .expect("a 429");
    insta::assert_snapshot!(snapshot::of(rejected).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn name_that_no_client_can_have_is_an_ordinary_wrong_sign_in() {
    let rollcall = Rollcall::start().await;
    let unknown = snapshot::of(sign_in(&rollcall, ADDRESS, "unknown", "guess").await).await;
    for name in ["\0".to_owned(), "a\0b".to_owned(), "x".repeat(10_000)] {
        let answer = snapshot::of(sign_in(&rollcall, ADDRESS, &name, "guess").await).await;
        assert_eq!(answer, unknown);
    }
}
