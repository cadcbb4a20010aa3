//! A correct password is hashed only once until it is changed.

use futures::future::join_all;
use rollcall_store::api_clients;
use rollcall_test_support::Rollcall;
use secrecy::SecretString;

async fn sign_in(rollcall: &Rollcall, client: &(String, String)) -> u16 {
    rollcall
        .connect(&client.0, &client.1)
        .await
        .status()
        .as_u16()
}

/// Returns all rows that a sign-in could write.
async fn rows(rollcall: &Rollcall) -> Vec<String> {
    let query =
        "SELECT xmin::text || ctid::text || sign_in_attempts::text AS text FROM sign_in_attempts
        UNION ALL SELECT id::text FROM audit_log ORDER BY 1";
    rollcall.database.texts(query).await
}

#[tokio::test(flavor = "multi_thread")]
async fn right_password_is_hashed_once_and_then_nothing_is_written() {
    let rollcall = Rollcall::start().await;
    let client = rollcall.client("reporting:read").await;
    assert_eq!(sign_in(&rollcall, &client).await, 200);
    let before = rows(&rollcall).await;
    assert_eq!(before.len(), 2, "an address and an audit entry");
    for _ in 0..20 {
        assert_eq!(sign_in(&rollcall, &client).await, 200);
    }
    assert_eq!(rollcall.hashing.hashes(), 1);
    assert_eq!(rows(&rollcall).await, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_sign_ins_with_the_same_credentials_share_one_hash() {
    let rollcall = Rollcall::builder().await.patient().start();
    let client = rollcall.client("reporting:read").await;
    let crowd = (0..200).map(|_| sign_in(&rollcall, &client));
    assert_eq!(join_all(crowd).await, [200; 200]);
    assert_eq!(rollcall.hashing.hashes(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn parallel_sign_ins_of_many_clients_stay_within_the_permits() {
    let rollcall = Rollcall::builder()
        .await
        .patient()
        .set(|settings| settings.auth.max_hashes = 3)
        .start();
    let client = rollcall.client("reporting:read").await;
    // The clients share a password, so that making them takes one hash and not 200.
    rollcall
        .database
        .execute(
            "INSERT INTO api_clients (name, password_hash, scope)
             SELECT 'client-' || n, password_hash, scope FROM api_clients,
                 generate_series(1, 200) AS n",
        )
        .await;
    let crowd = (1..=200).map(|n| {
        let (rollcall, password) = (&rollcall, client.1.clone());
        async move { sign_in(rollcall, &(format!("client-{n}"), password)).await }
    });
    assert_eq!(join_all(crowd).await, [200; 200]);
    assert_eq!(rollcall.hashing.hashes(), 200);
    assert_eq!(rollcall.hashing.allocated_buffers(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_password_is_not_remembered() {
    let rollcall = Rollcall::start().await;
    let (name, _) = rollcall.client("reporting:read").await;
    let wrong = (name, "guess".to_owned());
    for _ in 0..3 {
        assert_eq!(sign_in(&rollcall, &wrong).await, 401);
    }
    assert_eq!(rollcall.hashing.hashes(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn password_is_not_remembered_for_zero_seconds() {
    let rollcall = Rollcall::builder()
        .await
        .set(|settings| settings.auth.remember_seconds = 0)
        .start();
    let client = rollcall.client("reporting:read").await;
    for _ in 0..3 {
        assert_eq!(sign_in(&rollcall, &client).await, 200);
    }
    assert_eq!(rollcall.hashing.hashes(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn old_password_is_rejected_right_after_a_rotation() {
    let rollcall = Rollcall::start().await;
    let client = rollcall.client("reporting:read").await;
    assert_eq!(sign_in(&rollcall, &client).await, 200);
    let hash = rollcall_credentials::passwords::hash(&SecretString::from("new")).expect("a hash");
    let operator = rollcall.operator();
    let rotated =
        operator.ask(async |connection| api_clients::rotate(connection, &client.0, &hash).await);
    assert!(rotated.await.expect("a response"));
    assert_eq!(sign_in(&rollcall, &client).await, 401);
    assert_eq!(sign_in(&rollcall, &(client.0, "new".into())).await, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_client_is_rejected_at_once() {
    let rollcall = Rollcall::start().await;
    let client = rollcall.client("reporting:read").await;
    assert_eq!(sign_in(&rollcall, &client).await, 200);
    let now = rollcall.clock.now();
    let operator = rollcall.operator();
    let disabled =
        operator.ask(async |connection| api_clients::disable(connection, &client.0, now).await);
    assert!(disabled.await.expect("a response"));
    assert_eq!(sign_in(&rollcall, &client).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_log_has_one_success_per_client_address_and_15_minutes() {
    let rollcall = Rollcall::start().await;
    let client = rollcall.client("reporting:read").await;
    for _ in 0..4 {
        for _ in 0..3 {
            assert_eq!(sign_in(&rollcall, &client).await, 200);
        }
        rollcall.clock.advance(450);
    }
    let entries = rollcall
        .database
        .texts("SELECT concat(role, ' ', actor, ' ', action, ' ', detail) AS text FROM audit_log")
        .await;
    let expected = format!(
        r#"auth {} sign_in.success {{"address": "127.0.0.1/32"}}"#,
        client.0
    );
    assert_eq!(entries, [expected.as_str(); 2]);
}
