//! The private key on disk, and its rotation under a running service.

use std::{fs, os::unix::fs::PermissionsExt};

use rollcall_test_support::Rollcall;
use serde_json::Value;

async fn kids(rollcall: &Rollcall) -> Vec<String> {
    let answer = rollcall
        .http
        .get(format!("http://{}/.well-known/jwks.json", rollcall.auth))
        .send()
        .await
        .expect("a response");
    let set: Value = answer.json().await.expect("JSON");
    set["keys"]
        .as_array()
        .expect("keys")
        .iter()
        .map(|key| key["kid"].as_str().expect("a kid").to_owned())
        .collect()
}

fn kid(token: &str) -> String {
    jsonwebtoken::decode_header(token)
        .expect("a header")
        .kid
        .expect("a kid")
}

#[tokio::test(flavor = "multi_thread")]
async fn key_file_that_others_may_read_is_rejected() {
    let rollcall = Rollcall::start().await;
    let folder = &rollcall.settings.auth.key_directory;
    let file = fs::read_dir(folder)
        .expect("the folder")
        .next()
        .expect("a key")
        .expect("an entry")
        .path();
    assert_eq!(
        fs::metadata(&file).expect("the file").permissions().mode() & 0o777,
        0o400
    );
    for mode in [0o600, 0o440, 0o404] {
        fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("a mode");
        let error = rollcall_auth::keys::Keys::open(&rollcall.settings, &rollcall.clock)
            .err()
            .expect("an error")
            .to_string();
        assert!(error.contains("must be 0400"), "{error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_request_is_rejected_during_a_key_rotation() {
    let rollcall = Rollcall::start().await;
    let old = kids(&rollcall).await;
    let before = rollcall.token("reporting:read").await;
    rollcall.clock.advance(10);
    rollcall_auth::keys::rotate(&rollcall.settings, &rollcall.clock).expect("a new key");
    assert_eq!(kids(&rollcall).await.len(), 2, "published at once");
    assert_eq!(
        kid(&rollcall.token("reporting:read").await),
        kid(&before),
        "and not signing yet"
    );

    rollcall.clock.advance(590);
    let last_of_old = rollcall.token("reporting:read").await;
    rollcall.clock.advance(10);
    let first_of_new = rollcall.token("reporting:read").await;
    assert_eq!(
        (kid(&last_of_old) == old[0], kid(&first_of_new) == old[0]),
        (true, false)
    );
    for token in [&last_of_old, &first_of_new] {
        rollcall
            .rows(token, "2025-01-01", "2025-01-01", "00:00:00")
            .await;
    }

    rollcall.clock.advance(121);
    assert_eq!(
        kids(&rollcall).await,
        [kid(&first_of_new)],
        "the old key is gone with its last token"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rotations_within_a_second_keep_all_keys() {
    let rollcall = Rollcall::start().await;
    let old = kids(&rollcall).await;
    for _ in 0..3 {
        rollcall_auth::keys::rotate(&rollcall.settings, &rollcall.clock).expect("a new key");
    }
    let published = kids(&rollcall).await;
    assert_eq!((published.len(), &published[0]), (4, &old[0]));
}

#[tokio::test(flavor = "multi_thread")]
async fn file_that_is_not_a_key_is_skipped() {
    let rollcall = Rollcall::start().await;
    let old = kids(&rollcall).await;
    let folder = &rollcall.settings.auth.key_directory;
    for (name, content) in [("1.pem", ""), ("notes.pem", "x"), ("0000000002.pem", "x")] {
        let file = folder.join(name);
        fs::write(&file, content).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o400)).expect("a mode");
    }
    assert_eq!(kid(&rollcall.token("reporting:read").await), old[0]);
    rollcall_auth::keys::rotate(&rollcall.settings, &rollcall.clock).expect("a new key");
    assert_eq!(kids(&rollcall).await.len(), 2);
}
