//! Sign-in, sessions and sign-out.

mod common;

use common::{ADDRESS, Browser, audit};
use rollcall_store::api_clients;
use rollcall_test_support::{Proxy, Rollcall};
use secrecy::SecretString;

#[tokio::test(flavor = "multi_thread")]
async fn visitor_signs_in_and_out_and_both_are_in_the_audit_log() {
    let rollcall = Rollcall::start().await;
    let (name, password) = rollcall.client("reporting:read").await;
    let mut browser = Browser::new(&rollcall);
    let page = browser.get("/console/?day=2025-01-01").await;
    assert_eq!(page.status, 303);
    assert_eq!(
        page.location,
        "/console/sign-in?next=%2Fconsole%2F%3Fday%3D2025-01-01"
    );
    let page = browser.get(&page.location).await;
    assert_eq!(page.status, 200);
    assert!(
        page.text.contains(r#"value="/console/?day=2025-01-01""#),
        "{}",
        page.text
    );

    let next = ("next", "/console/?day=2025-01-01");
    let fields = [("name", name.as_str()), ("password", &password), next];
    let page = browser.post("/console/sign-in", &fields).await;
    assert_eq!((page.status, page.location.as_str()), (303, next.1));
    let page = browser.get("/console/").await;
    assert_eq!(page.status, 200);
    assert!(page.text.contains(&name), "{}", page.text);
    let signed_in = browser.cookies.clone();

    let page = browser.post("/console/sign-out", &[]).await;
    assert_eq!(
        (page.status, page.location.as_str()),
        (303, "/console/sign-in")
    );
    assert!(browser.cookies.is_empty());
    browser.cookies = signed_in;
    assert_eq!(
        browser.get("/console/").await.status,
        303,
        "the session has ended"
    );
    let audit = audit(&rollcall).await;
    let actions: Vec<&str> = audit
        .iter()
        .filter_map(|entry| entry.split(' ').next())
        .collect();
    assert_eq!(
        actions,
        ["console.sign_in", "console.attendance", "console.sign_out"]
    );
    assert!(
        audit[0].contains(&name) && audit[0].contains(ADDRESS),
        "{}",
        audit[0]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn cookie_is_for_this_host_alone_and_a_guessed_id_is_rejected() {
    let rollcall = Rollcall::start().await;
    let (name, password) = rollcall.client("reporting:read").await;
    let mut browser = Browser::new(&rollcall);
    let page = browser.sign_in(&name, &password).await;
    let cookie = page.headers["set-cookie"].to_str().expect("text");
    let (pair, attributes) = cookie.split_once("; ").expect("attributes");
    let mut attributes: Vec<&str> = attributes.split("; ").collect();
    attributes.sort_unstable();
    assert_eq!(
        attributes,
        ["HttpOnly", "Path=/", "SameSite=Strict", "Secure"]
    );
    let id = pair.strip_prefix("__Host-console=").expect("the name");
    assert_eq!(id.len(), 43, "256 bits in base64url");

    browser
        .cookies
        .insert("__Host-console".into(), "guess".into());
    assert_eq!(browser.get("/console/").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_sign_in_ends_the_earlier_session_of_the_browser() {
    let rollcall = Rollcall::start().await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    let earlier = browser.cookies.clone();
    let (name, password) = rollcall.client("reporting:read").await;
    assert_eq!(browser.sign_in(&name, &password).await.status, 303);
    assert_eq!(browser.get("/console/").await.status, 200);
    browser.cookies = earlier;
    assert_eq!(browser.get("/console/").await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn session_ends_after_30_idle_minutes_and_after_12_hours() {
    let rollcall = Rollcall::start().await;
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    for _ in 0..24 {
        rollcall.clock.advance(30 * 60 - 1);
        assert_eq!(browser.get("/console/").await.status, 200);
    }
    rollcall.clock.advance(24);
    assert_eq!(browser.get("/console/").await.status, 303, "12 hours");

    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    rollcall.clock.advance(30 * 60);
    assert_eq!(
        browser.get("/console/").await.status,
        303,
        "30 idle minutes"
    );
    let page = browser.post("/console/sign-out", &[]).await;
    assert_eq!(page.location, "/console/sign-in");
}

#[tokio::test(flavor = "multi_thread")]
async fn disabled_client_is_signed_out_at_once() {
    let rollcall = Rollcall::start().await;
    let (name, password) = rollcall.client("reporting:read").await;
    let mut browser = Browser::new(&rollcall);
    browser.sign_in(&name, &password).await;
    assert_eq!(browser.get("/console/").await.status, 200);
    let now = rollcall.clock.now();
    let operator = rollcall.operator();
    let disabled =
        operator.ask(async |connection| api_clients::disable(connection, &name, now).await);
    assert!(disabled.await.expect("an answer"));
    assert_eq!(browser.get("/console/").await.status, 303);
    assert_eq!(browser.sign_in(&name, &password).await.status, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn new_password_ends_the_sessions_of_the_client() {
    let rollcall = Rollcall::start().await;
    let (name, password) = rollcall.client("reporting:read").await;
    let mut browser = Browser::new(&rollcall);
    browser.sign_in(&name, &password).await;
    let new = SecretString::from("another password");
    let hash = rollcall_credentials::passwords::hash(&new).expect("a hash");
    let operator = rollcall.operator();
    let rotated =
        operator.ask(async |connection| api_clients::rotate(connection, &name, &hash).await);
    assert!(rotated.await.expect("an answer"));
    assert_eq!(browser.get("/console/").await.status, 303);
    assert_eq!(browser.sign_in(&name, "another password").await.status, 303);
    assert_eq!(browser.get("/console/").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn client_without_the_scope_gets_a_page_that_names_it() {
    let rollcall = Rollcall::start().await;
    let (name, password) = rollcall.client("admin").await;
    let mut browser = Browser::new(&rollcall);
    let page = browser.sign_in(&name, &password).await;
    assert_eq!(page.status, 403);
    assert!(page.text.contains("reporting:read"), "{}", page.text);
    assert!(browser.cookies.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_sign_ins_lock_the_address_of_the_visitor_alone() {
    let rollcall = Rollcall::start().await;
    let (name, password) = rollcall.client("reporting:read").await;
    let mut browser = Browser::new(&rollcall);
    for guess in ["a", "b", "c", "d", "e"] {
        let page = browser.sign_in(&name, guess).await;
        assert_eq!(page.status, 401);
        assert!(page.text.contains(r#"role="alert""#), "{}", page.text);
    }
    assert_eq!(
        browser.sign_in(&name, &password).await.status,
        401,
        "locked"
    );
    let mut other = Browser::new(&rollcall).with_header("x-forwarded-for", "192.0.2.2");
    assert_eq!(other.sign_in(&name, &password).await.status, 303);
}

#[tokio::test(flavor = "multi_thread")]
async fn token_of_the_sign_in_is_revoked() {
    let rollcall = Rollcall::start().await;
    let _browser = Browser::signed_in(&rollcall, "reporting:read").await;
    let actions = "SELECT action AS text FROM audit_log WHERE role = 'auth' ORDER BY id";
    let actions = rollcall.database.texts(actions).await;
    assert_eq!(actions, ["sign_in.success", "token.revoke"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_get_503_without_redis_or_postgres_and_recover() {
    let redis = Proxy::new(rollcall_test_support::redis()).await;
    let postgres = Proxy::new(rollcall_test_support::postgres()).await;
    let builder = Rollcall::builder().await;
    let rollcall = builder
        .redis(redis.address)
        .postgres(postgres.address)
        .start();
    let mut browser = Browser::signed_in(&rollcall, "reporting:read").await;
    for proxy in [&redis, &postgres] {
        proxy.cut();
        let page = browser.get("/console/").await;
        assert_eq!(page.status, 503, "{}", page.text);
        assert!(page.text.contains("scripts/status"), "{}", page.text);
        assert_eq!(page.headers["retry-after"], "1");
        let page = browser.sign_in("a", "b").await;
        assert!([401, 503].contains(&page.status), "{}", page.text);
        proxy.restore();
        assert_eq!(browser.get("/console/").await.status, 200);
    }
}
