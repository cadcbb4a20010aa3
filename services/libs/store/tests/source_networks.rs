//! Source networks.

use diesel_async::AsyncPgConnection;
use rollcall_store::sources::{self, New};
use rollcall_test_support::TestDatabase;

#[tokio::test(flavor = "multi_thread")]
async fn address_belongs_to_the_source_with_the_narrowest_network() {
    let database = TestDatabase::new().await;
    let mut ingestion = database.connect("ingestion").await;
    let mut operator = database.connect("operator").await;
    let gateway = New {
        name: "gateway",
        key_hash: b"x",
        radius_secret: None,
    };
    assert_eq!(sources::add(&mut operator, &gateway).await, Ok(true));
    sources::add(
        &mut operator,
        &New {
            name: "branch",
            key_hash: b"y",
            radius_secret: Some("sixteen-characters"),
        },
    )
    .await
    .expect("added");
    let set = async |connection: &mut AsyncPgConnection, name: &str, networks: &[&str]| {
        let networks: Vec<String> = networks
            .iter()
            .map(|network| (*network).to_owned())
            .collect();
        sources::set_networks(connection, name, &networks).await
    };
    assert_eq!(
        set(&mut operator, "gateway", &["192.0.2.0/24", "2001:db8::/32"]).await,
        Ok(true)
    );
    assert_eq!(
        set(&mut operator, "branch", &["192.0.2.16/28"]).await,
        Ok(true)
    );
    assert_eq!(set(&mut operator, "unknown", &[]).await, Ok(false));
    assert!(
        set(&mut operator, "branch", &["192.0.2.0/24"])
            .await
            .is_err(),
        "another source's"
    );
    let mut name = async |address: &str| {
        let found = sources::by_address(&mut ingestion, address.parse().expect("an address"))
            .await
            .expect("an answer");
        found.map(|source| source.name)
    };
    assert_eq!(name("192.0.2.1").await.as_deref(), Some("gateway"));
    assert_eq!(name("192.0.2.17").await.as_deref(), Some("branch"));
    assert_eq!(name("2001:db8::1").await.as_deref(), Some("gateway"));
    assert_eq!(name("198.51.100.1").await, None);
}
