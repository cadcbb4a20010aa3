//! Sources: the gateways that report sessions.

mod completeness;
mod gaps;
mod name_rules;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

pub use completeness::counted;
use diesel::{
    ExpressionMethods, OptionalExtension, QueryDsl, Queryable, QueryableByName, insert_into,
    result::QueryResult,
    sql_query,
    sql_types::{Array, BigInt, Binary, Bool, Integer, Jsonb, Nullable, Text, Timestamptz},
    update,
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
pub use gaps::{Gap, gaps};
use jiff::Timestamp;
use jiff_diesel::{NullableTimestamp, ToDiesel};
pub use name_rules::set as set_name_rules;
use rollcall_attendance::{event::Fact, name_rules::NameRules};
use serde::Serialize;

use crate::{
    events::Reported,
    recording::{Parameters, array},
    schema::sources::dsl,
};

const ADVANCE: &str = include_str!("sources/advance.sql");

/// A source with its statistics. `gaps` counts the intervals in which the source sent nothing and
/// which `complete_through` does not cover. `rejected` counts rejected input.
#[derive(Debug, Clone, Serialize, QueryableByName)]
#[allow(missing_docs, reason = "as in the table")]
pub struct Source {
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = BigInt)]
    pub events: i64,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub last_event_at: Option<Timestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub last_received_at: Option<Timestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub complete_through: Option<Timestamp>,
    #[diesel(sql_type = BigInt)]
    pub gaps: i64,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub last_gap_from: Option<Timestamp>,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub last_gap_to: Option<Timestamp>,
    #[diesel(sql_type = BigInt)]
    pub clock_skewed: i64,
    #[diesel(sql_type = BigInt)]
    pub set_aside: i64,
    #[diesel(sql_type = BigInt)]
    pub rejected: i64,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub last_restart_at: Option<Timestamp>,
    #[diesel(sql_type = Array<Text>)]
    pub networks: Vec<String>,
    #[diesel(sql_type = Bool)]
    pub require_message_authenticator: bool,
    #[diesel(sql_type = Nullable<Text>)]
    pub client_certificate: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub time_zone: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub interim_seconds: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    pub assume_complete_seconds: Option<i32>,
    #[diesel(sql_type = Bool)]
    pub imports_only: bool,
    #[diesel(sql_type = Jsonb, deserialize_as = name_rules::Stored)]
    pub name_rules: NameRules,
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub created_at: Timestamp,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    pub disabled_at: Option<Timestamp>,
}

/// Source to which a network address belongs.
#[derive(Debug, Clone, QueryableByName)]
pub struct SourceOfAddress {
    /// ID of the source.
    #[diesel(sql_type = Integer)]
    pub source_id: i32,
    /// Name of the source, for the log.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// RADIUS shared secret.
    #[diesel(sql_type = Nullable<Text>)]
    pub radius_secret: Option<String>,
    /// True if Accounting-Requests without a Message-Authenticator are dropped.
    #[diesel(sql_type = Bool)]
    pub require_message_authenticator: bool,
    /// SHA-256 fingerprint of the client certificate that is required for syslog.
    #[diesel(sql_type = Nullable<Binary>)]
    pub client_certificate: Option<Vec<u8>>,
    /// Time zone of times without an offset, an IANA name. None: the reporting time zone.
    #[diesel(sql_type = Nullable<Text>)]
    pub time_zone: Option<String>,
    /// Seconds between two interim updates of RADIUS.
    #[diesel(sql_type = Nullable<Integer>)]
    pub interim_seconds: Option<i32>,
    /// Rules for the names in its events.
    #[diesel(sql_type = Jsonb, deserialize_as = name_rules::Stored)]
    pub name_rules: NameRules,
}

/// Source to which a source key belongs.
#[derive(Debug, Clone, Queryable)]
pub struct SourceOfKey {
    /// ID of the source.
    pub source_id: i32,
    /// Rules for the names in its events.
    #[diesel(deserialize_as = name_rules::Stored)]
    pub name_rules: NameRules,
}

/// Settings with which the logs of a source are read.
#[derive(Debug, Clone, Queryable)]
pub struct LogSource {
    /// Time zone of times without an offset, an IANA name. None: the reporting time zone.
    pub time_zone: Option<String>,
    /// Rules for the names in its events.
    #[diesel(deserialize_as = name_rules::Stored)]
    pub name_rules: NameRules,
}

/// Returns the enabled source that has this key.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sources.by_key", skip_all)]
pub async fn by_key(
    connection: &mut AsyncPgConnection,
    key_hash: &[u8],
) -> QueryResult<Option<SourceOfKey>> {
    let enabled = dsl::sources
        .filter(dsl::key_hash.eq(key_hash))
        .filter(dsl::disabled_at.is_null())
        .select((dsl::id, dsl::name_rules));
    enabled.first(connection).await.optional()
}

/// Returns the ID of the enabled source with this name.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sources.by_name", skip_all)]
pub async fn by_name(connection: &mut AsyncPgConnection, name: &str) -> QueryResult<Option<i32>> {
    let enabled = dsl::sources
        .filter(dsl::name.eq(name))
        .filter(dsl::disabled_at.is_null());
    enabled.select(dsl::id).first(connection).await.optional()
}

/// Returns the ID of the source with this name, enabled or not.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sources.id_of", skip_all)]
pub async fn id_of(connection: &mut AsyncPgConnection, name: &str) -> QueryResult<Option<i32>> {
    let named = dsl::sources.filter(dsl::name.eq(name));
    named.select(dsl::id).first(connection).await.optional()
}

/// Returns how to read a log of the source with this name, enabled or not.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sources.log_of", skip_all)]
pub async fn log_of(
    connection: &mut AsyncPgConnection,
    name: &str,
) -> QueryResult<Option<LogSource>> {
    let named = dsl::sources
        .filter(dsl::name.eq(name))
        .select((dsl::time_zone, dsl::name_rules));
    named.first(connection).await.optional()
}

/// Returns the enabled source with the narrowest network that contains this address.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sources.by_address", skip_all)]
pub async fn by_address(
    connection: &mut AsyncPgConnection,
    address: IpAddr,
) -> QueryResult<Option<SourceOfAddress>> {
    sql_query(
        "SELECT source_id, name, radius_secret, require_message_authenticator, client_certificate,
             time_zone, interim_seconds, name_rules
         FROM source_networks JOIN sources ON sources.id = source_id
         WHERE network >>= $1::inet AND disabled_at IS NULL ORDER BY masklen(network) DESC LIMIT 1",
    )
    .bind::<Text, _>(address.to_string())
    .get_result(connection)
    .await
    .optional()
}

/// Returns the source networks of all enabled sources.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sources.networks", skip_all)]
pub async fn networks(connection: &mut AsyncPgConnection) -> QueryResult<Vec<String>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        network: String,
    }
    let rows = sql_query(
        "SELECT network::text FROM source_networks JOIN sources ON sources.id = source_id
         WHERE disabled_at IS NULL",
    )
    .load::<Row>(connection)
    .await?;
    Ok(rows.into_iter().map(|row| row.network).collect())
}

/// A new source.
#[derive(Debug)]
pub struct New<'a> {
    /// Name, unique among all sources.
    pub name: &'a str,
    /// SHA-256 of the source key.
    pub key_hash: &'a [u8],
    /// RADIUS shared secret, if the source sends RADIUS.
    pub radius_secret: Option<&'a str>,
}

/// Returns the names of all sources, also of disabled ones.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sources.names", skip_all)]
pub async fn names(connection: &mut AsyncPgConnection) -> QueryResult<Vec<String>> {
    dsl::sources
        .select(dsl::name)
        .order(dsl::name)
        .load(connection)
        .await
}

/// Adds a source. Returns false if the name is taken.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sources.add", skip_all)]
pub async fn add(connection: &mut AsyncPgConnection, source: &New<'_>) -> QueryResult<bool> {
    let added = insert_into(dsl::sources)
        .values((
            dsl::name.eq(source.name),
            dsl::key_hash.eq(source.key_hash),
            dsl::radius_secret.eq(source.radius_secret),
        ))
        .on_conflict(dsl::name)
        .do_nothing()
        .execute(connection)
        .await?;
    Ok(added == 1)
}

/// Seconds after which a source with source networks counts as complete, unless its setting says
/// otherwise: neither syslog nor RADIUS can carry `complete_through`.
pub const ASSUME_COMPLETE_SECONDS: i32 = 24 * 60 * 60;

/// Replaces the source networks of a source. With its first networks a source that has no setting
/// for its completeness gets [`ASSUME_COMPLETE_SECONDS`]. Returns false if there is no source with
/// this name.
///
/// # Errors
/// The database fails, or a network is invalid or belongs to another source
/// ([`diesel::result::Error::DatabaseError`]).
#[tracing::instrument(name = "database.sources.set_networks", skip_all)]
pub async fn set_networks(
    connection: &mut AsyncPgConnection,
    name: &str,
    networks: &[String],
) -> QueryResult<bool> {
    connection
        .transaction(async |connection| {
            let known = dsl::sources
                .filter(dsl::name.eq(name))
                .select(dsl::id)
                .first::<i32>(connection)
                .await
                .optional()?;
            let Some(id) = known else { return Ok(false) };
            let removed = sql_query("DELETE FROM source_networks WHERE source_id = $1")
                .bind::<Integer, _>(id)
                .execute(connection)
                .await?;
            sql_query("INSERT INTO source_networks SELECT unnest($2)::cidr, $1")
                .bind::<Integer, _>(id)
                .bind::<Array<Text>, _>(networks)
                .execute(connection)
                .await?;
            if removed == 0 && !networks.is_empty() {
                let without_setting = dsl::sources
                    .filter(dsl::id.eq(id))
                    .filter(dsl::assume_complete_seconds.is_null());
                update(without_setting)
                    .set(dsl::assume_complete_seconds.eq(ASSUME_COMPLETE_SECONDS))
                    .execute(connection)
                    .await?;
            }
            Ok(true)
        })
        .await
}

/// Sets the RADIUS shared secret of a source. Returns false if there is no source with this name.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sources.set_radius_secret", skip_all)]
pub async fn set_radius_secret(
    connection: &mut AsyncPgConnection,
    name: &str,
    secret: &str,
) -> QueryResult<bool> {
    let known = dsl::sources.filter(dsl::name.eq(name));
    Ok(update(known)
        .set(dsl::radius_secret.eq(secret))
        .execute(connection)
        .await?
        == 1)
}

/// Sets whether Accounting-Requests of a source must have a Message-Authenticator. Returns false if
/// there is no source with this name.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sources.require_message_authenticator", skip_all)]
pub async fn require_message_authenticator(
    connection: &mut AsyncPgConnection,
    name: &str,
    required: bool,
) -> QueryResult<bool> {
    let known = dsl::sources.filter(dsl::name.eq(name));
    let required = dsl::require_message_authenticator.eq(required);
    Ok(update(known).set(required).execute(connection).await? == 1)
}

/// Sets the SHA-256 fingerprint of the client certificate that a source must present for syslog.
/// With `None` no certificate is required. Returns false if there is no source with this name.
///
/// # Errors
/// The database fails, or the fingerprint does not have 32 bytes.
#[tracing::instrument(name = "database.sources.set_client_certificate", skip_all)]
pub async fn set_client_certificate(
    connection: &mut AsyncPgConnection,
    name: &str,
    fingerprint: Option<&[u8]>,
) -> QueryResult<bool> {
    let known = dsl::sources.filter(dsl::name.eq(name));
    let fingerprint = dsl::client_certificate.eq(fingerprint);
    Ok(update(known).set(fingerprint).execute(connection).await? == 1)
}

/// Settings of a source to be changed. A field without a value keeps its setting.
#[derive(Debug, Default, PartialEq, Eq, diesel::AsChangeset)]
#[diesel(table_name = crate::schema::sources)]
pub struct Change {
    /// IANA name of the time zone of times without an offset. `Some(None)`: the reporting time
    /// zone.
    pub time_zone: Option<Option<String>>,
    /// Seconds between two interim updates of RADIUS. `Some(None)`: unknown.
    pub interim_seconds: Option<Option<i32>>,
    /// Seconds after which the source counts as complete. `Some(None)`: only through what it states
    /// itself.
    pub assume_complete_seconds: Option<Option<i32>>,
    /// True if all events of the source are imported, so that it does not count for completeness.
    pub imports_only: Option<bool>,
}

/// Changes settings of a source. Returns false if there is no source with this name.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sources.set", skip_all)]
pub async fn set(
    connection: &mut AsyncPgConnection,
    name: &str,
    change: &Change,
) -> QueryResult<bool> {
    let known = dsl::sources.filter(dsl::name.eq(name));
    Ok(update(known).set(change).execute(connection).await? == 1)
}

/// Returns every source with its statistics, by name. Gaps are found by the service `maintenance`,
/// everything else is up to date.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sources.list", skip_all)]
pub async fn list(connection: &mut AsyncPgConnection) -> QueryResult<Vec<Source>> {
    sql_query(include_str!("sources/list.sql"))
        .load(connection)
        .await
}

/// Resets `complete_through` of a source until the source reports it again. Returns false if there
/// is no source with this name.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sources.reset_complete_through", skip_all)]
pub async fn reset_complete_through(
    connection: &mut AsyncPgConnection,
    name: &str,
) -> QueryResult<bool> {
    let known = dsl::sources.filter(dsl::name.eq(name));
    let unknown = dsl::complete_through.eq(None::<jiff_diesel::Timestamp>);
    Ok(update(known).set(unknown).execute(connection).await? == 1)
}

/// Disables a source. Returns false if there is no source with this name.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sources.disable", skip_all)]
pub async fn disable(
    connection: &mut AsyncPgConnection,
    name: &str,
    now: Timestamp,
) -> QueryResult<bool> {
    let known = dsl::sources.filter(dsl::name.eq(name));
    Ok(update(known)
        .set(dsl::disabled_at.eq(now.to_diesel()))
        .execute(connection)
        .await?
        == 1)
}

/// Sets a new source key and enables the source. Returns false if there is no source with this
/// name.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.sources.rotate_key", skip_all)]
pub async fn rotate_key(
    connection: &mut AsyncPgConnection,
    name: &str,
    key_hash: &[u8],
) -> QueryResult<bool> {
    let known = dsl::sources.filter(dsl::name.eq(name));
    let enabled = dsl::disabled_at.eq(None::<jiff_diesel::Timestamp>);
    Ok(update(known)
        .set((dsl::key_hash.eq(key_hash), enabled))
        .execute(connection)
        .await?
        == 1)
}

/// Returns the statement that records what sources report about themselves: complete through, and
/// their restarts. None if no event concerns its source.
pub(crate) fn advance<'a>(events: &[&Reported]) -> Option<(&'static str, Parameters<'a>)> {
    let mut advanced: BTreeMap<i32, Timestamp> = BTreeMap::new();
    let mut restarts: BTreeSet<(i32, Timestamp)> = BTreeSet::new();
    for Reported {
        source_id, event, ..
    } in events
    {
        if event.fact == Fact::Restart {
            restarts.insert((*source_id, event.occurred_at));
        }
        if let Some(at) = event.complete_through {
            let complete_through = advanced.entry(*source_id).or_insert(at);
            *complete_through = at.max(*complete_through);
        }
    }
    (!advanced.is_empty() || !restarts.is_empty()).then(|| {
        let parameters: Parameters = vec![
            array(advanced.keys().copied()),
            array(advanced.values().copied()),
            array(restarts.iter().map(|restart| restart.0)),
            array(restarts.iter().map(|restart| restart.1)),
        ];
        (ADVANCE, parameters)
    })
}
