//! Sessions: merged from events, and rolled up into the rows of a report.

use std::collections::{BTreeMap, btree_map::Entry};

use diesel::{
    BoolExpressionMethods, ExpressionMethods, OptionalExtension, QueryDsl, QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{BigInt, Bool, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use futures::{Stream, TryStreamExt};
use jiff::Timestamp;
use jiff_diesel::ToDiesel;
use rollcall_attendance::{DEFAULT_REALM, key, period::Period, session::Session};
use serde::Serialize;
use tokio_postgres::Error;

use crate::{
    events::Reported,
    pool::{self, Connection, StreamConnection},
    recording::Recording,
    schema::sessions::dsl,
    statement::{Column, Part, Statement, column},
};

/// Merges new events into their sessions.
pub(crate) async fn merge(connection: &mut Recording, events: &[&Reported]) -> Result<(), Error> {
    if events
        .iter()
        .all(|reported| Session::of(&reported.event).is_none())
    {
        return Ok(());
    }
    let statement = Statement(merge_statement(events, ""));
    connection.execute(&statement).await
}

/// Merges events into their sessions: first among themselves by the domain's merge, then with what is stored by the same
/// merge in SQL. `joined` goes after the rows.
pub(crate) fn merge_statement<'a>(events: &[&'a Reported], joined: &'static str) -> Vec<Part<'a>> {
    let mut news: BTreeMap<(i32, &str), Session> = BTreeMap::new();
    for Reported { source_id, event } in events {
        let Some((session_id, session)) = Session::of(event) else {
            continue;
        };
        match news.entry((*source_id, session_id)) {
            Entry::Vacant(entry) => drop(entry.insert(session)),
            Entry::Occupied(mut entry) => {
                let merged = entry.get().clone().merge(session);
                entry.insert(merged);
            }
        }
    }
    vec![
        Part::Sql(NEWS),
        Part::Columns(columns(&news)),
        Part::Sql(NEWS_NAMES),
        Part::Sql(joined),
        Part::Sql(MERGE),
    ]
}

/// A realm that no event named is Default at -infinity.
const NEWS: &str =
    "INSERT INTO sessions AS stored (source_id, session_id, user_name, user_at, normalized_user, realm, realm_at, normalized_realm,
    login_at, login_derived, logout_at, last_activity_at)
SELECT source_id, session_id, user_name, user_at, normalized_user, realm, coalesce(realm_at, '-infinity'), normalized_realm,
    login_at, login_derived, logout_at, last_activity_at
FROM unnest(";

const NEWS_NAMES: &str = ") AS news (source_id, session_id, user_name, user_at, normalized_user,
    realm, realm_at, normalized_realm, login_at, login_derived, logout_at, last_activity_at)";

/// `latest!(value, name, at)`: the value of whichever spelled the name last.
macro_rules! latest {
    ($value:literal, $name:literal, $at:literal) => {
        concat!(
            $value,
            " = CASE WHEN (excluded.",
            $at,
            ", excluded.",
            $name,
            " COLLATE \"C\") > (stored.",
            $at,
            ", stored.",
            $name,
            ")
            THEN excluded.",
            $value,
            " ELSE stored.",
            $value,
            " END, "
        )
    };
}

/// `begun!(value)`: the value of the login that is believed.
macro_rules! begun {
    ($value:literal) => {
        concat!(
            $value,
            " = CASE WHEN stored.login_at IS NULL OR (excluded.login_at IS NOT NULL
                AND (excluded.login_derived, excluded.login_at) < (stored.login_derived, stored.login_at))
            THEN excluded.",
            $value,
            " ELSE stored.",
            $value,
            " END, "
        )
    };
}

/// GREATEST ignores nulls. All on the right is as it was before.
const MERGE: &str = concat!(
    " ON CONFLICT (source_id, session_id) DO UPDATE SET ",
    latest!("user_name", "user_name", "user_at"),
    latest!("normalized_user", "user_name", "user_at"),
    latest!("realm", "realm", "realm_at"),
    latest!("normalized_realm", "realm", "realm_at"),
    begun!("login_at"),
    begun!("login_derived"),
    "user_at = GREATEST(stored.user_at, excluded.user_at), realm_at = GREATEST(stored.realm_at, excluded.realm_at),
    logout_at = GREATEST(stored.logout_at, excluded.logout_at), last_activity_at = GREATEST(stored.last_activity_at, excluded.last_activity_at)"
);

fn columns<'a>(news: &BTreeMap<(i32, &'a str), Session>) -> Vec<Column<'a>> {
    vec![
        column!(INT4_ARRAY, news.keys().map(|(source_id, _)| *source_id)),
        column!(TEXT_ARRAY, news.keys().map(|(_, session_id)| *session_id)),
        column!(
            TEXT_ARRAY,
            news.values().map(|session| session.user.name.clone())
        ),
        column!(
            TIMESTAMPTZ_ARRAY,
            news.values().map(|session| session.user.at)
        ),
        column!(
            TEXT_ARRAY,
            news.values().map(|session| key(&session.user.name))
        ),
        column!(
            TEXT_ARRAY,
            news.values().map(|session| realm(session).to_owned())
        ),
        column!(
            TIMESTAMPTZ_ARRAY,
            news.values()
                .map(|session| session.realm.as_ref().map(|realm| realm.at))
        ),
        column!(TEXT_ARRAY, news.values().map(|session| key(realm(session)))),
        column!(
            TIMESTAMPTZ_ARRAY,
            news.values()
                .map(|session| session.login.map(|login| login.at))
        ),
        column!(
            BOOL_ARRAY,
            news.values()
                .map(|session| session.login.is_some_and(|login| login.derived))
        ),
        column!(
            TIMESTAMPTZ_ARRAY,
            news.values().map(|session| session.logout_at)
        ),
        column!(
            TIMESTAMPTZ_ARRAY,
            news.values().map(|session| session.last_activity_at)
        ),
    ]
}

/// A session, and how it ended; a login is `derived` when only its logout told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, QueryableByName)]
#[allow(missing_docs, reason = "as in the table")]
pub struct Stay {
    #[diesel(sql_type = Text)]
    pub user: String,
    #[diesel(sql_type = Text)]
    pub realm: String,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = jiff_diesel::NullableTimestamp)]
    pub login_at: Option<Timestamp>,
    #[diesel(sql_type = Bool)]
    pub login_derived: bool,
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub last_activity_at: Timestamp,
    /// None while it is open.
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = jiff_diesel::NullableTimestamp)]
    pub ended_at: Option<Timestamp>,
    /// `stated`, `restart` or `inferred`.
    #[diesel(sql_type = Nullable<Text>)]
    pub ended: Option<String>,
    #[diesel(sql_type = Text)]
    pub source: String,
    #[diesel(sql_type = Text)]
    pub session_id: String,
}

/// The sessions of a user, in any case, that were seen since `from` and began before `to`; those without a login are among them.
///
/// # Errors
/// The database fails.
pub async fn of_user(
    connection: &mut AsyncPgConnection,
    user: &str,
    (from, to): (Timestamp, Timestamp),
) -> QueryResult<Vec<Stay>> {
    sql_query(
        "SELECT user_name AS \"user\", realm, login_at, login_derived, last_activity_at, name AS source, session_id,
             CASE WHEN ended IS NOT NULL THEN last_activity_at END AS ended_at, ended
         FROM sessions JOIN sources ON sources.id = source_id
         WHERE normalized_user = $1 AND last_activity_at >= $2 AND coalesce(login_at, last_activity_at) < $3
         ORDER BY coalesce(login_at, last_activity_at), session_id",
    )
    .bind::<Text, _>(key(user))
    .bind::<Timestamptz, _>(from.to_diesel())
    .bind::<Timestamptz, _>(to.to_diesel())
    .load(connection)
    .await
}

/// How many sessions a step of the sweeper took as ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct Swept {
    /// Because their source restarted after their last sign of life.
    #[diesel(sql_type = BigInt)]
    pub restart: i64,
    /// Because they were silent.
    #[diesel(sql_type = BigInt)]
    pub inferred: i64,
}

impl Swept {
    /// Whether there may be more.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.restart + self.inferred >= SWEPT_AT_ONCE
    }
}

/// Few enough that nobody waits for their rows.
const SWEPT_AT_ONCE: i64 = 2_000;

/// Takes open sessions as ended where their source restarted since, or where they were last seen before `stale_before`.
/// Sweepers at once share the work. Source by source, or the planner may read the open sessions of all.
///
/// # Errors
/// The database fails.
pub async fn sweep(
    connection: &mut AsyncPgConnection,
    stale_before: Timestamp,
) -> QueryResult<Swept> {
    sql_query(
        "WITH due AS (
             SELECT found.* FROM sources CROSS JOIN LATERAL (
                 SELECT source_id, session_id, restarted FROM sessions
                 CROSS JOIN LATERAL (SELECT coalesce(last_restart_at >= last_activity_at AND last_restart_at > login_at, false) AS restarted) AS told
                 WHERE source_id = sources.id AND ended IS NULL AND last_activity_at <= GREATEST(last_restart_at, $1)
                     AND (restarted OR last_activity_at < $1)
                 LIMIT $2 FOR UPDATE OF sessions SKIP LOCKED
             ) AS found LIMIT $2
         ), swept AS (
             UPDATE sessions SET inferred_from = last_activity_at, inference = CASE WHEN restarted THEN 'restart' ELSE 'inferred' END
             FROM due WHERE (sessions.source_id, sessions.session_id) = (due.source_id, due.session_id)
             RETURNING restarted
         )
         SELECT count(*) FILTER (WHERE restarted) AS restart, count(*) FILTER (WHERE NOT restarted) AS inferred FROM swept",
    )
    .bind::<Timestamptz, _>(stale_before.to_diesel())
    .bind::<BigInt, _>(SWEPT_AT_ONCE)
    .get_result(connection)
    .await
}

fn realm(session: &Session) -> &str {
    session
        .realm
        .as_ref()
        .map_or(DEFAULT_REALM, |realm| realm.name.as_str())
}

/// The latest session of a source whose id is `key`, `@` and its login, and that began by `at`: its login as the id has it.
///
/// # Errors
/// The database fails.
pub async fn latest_login(
    connection: &mut AsyncPgConnection,
    source_id: i32,
    key: &str,
    at: Timestamp,
) -> QueryResult<Option<String>> {
    let named = dsl::sessions
        .filter(dsl::source_id.eq(source_id))
        .filter(
            dsl::session_id
                .gt(format!("{key}@"))
                .and(dsl::session_id.lt(format!("{key}A"))),
        )
        .filter(dsl::login_at.le(at.to_diesel()));
    let latest = named
        .order(dsl::login_at.desc())
        .select(dsl::session_id)
        .first::<String>(connection)
        .await
        .optional()?;
    Ok(latest.and_then(|id| id.strip_prefix(key)?.strip_prefix('@').map(str::to_owned)))
}

/// Which rows a report has.
#[derive(Debug, Clone)]
pub struct Selection {
    /// Sessions whose login falls in it.
    pub period: Period,
    /// One user, in any case; none for all.
    pub user: Option<String>,
    /// One realm, in any case; none for all.
    pub realm: Option<String>,
}

/// What a user's sessions of the period come to.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Row {
    /// As the gateway last spelled it.
    #[diesel(sql_type = Text)]
    pub user: String,
    /// As the gateway last spelled it.
    #[diesel(sql_type = Text)]
    pub realm: String,
    /// The earliest login.
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub first_login_at: Timestamp,
    /// The latest end; none while any of the sessions is open.
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = jiff_diesel::NullableTimestamp)]
    pub last_logout_at: Option<Timestamp>,
}

/// The rows, by user and realm, as they come from the database: never more than a few in memory.
/// The connection goes back to the pool when the stream has ended, and is closed when it is dropped before.
pub fn report(
    connection: Connection,
    selection: &Selection,
) -> impl Stream<Item = Result<Row, pool::Error>> + use<> {
    let query = sql_query(
        "SELECT spelled.user_name AS \"user\", spelled.realm, first_login_at, last_logout_at
         FROM (
             SELECT normalized_user, normalized_realm, min(login_at) AS first_login_at,
                 CASE WHEN bool_and(ended IS NOT NULL) THEN max(last_activity_at) END AS last_logout_at
             FROM sessions
             WHERE login_at >= $1 AND login_at < $2
                 AND ($3 IS NULL OR normalized_user = $3) AND ($4 IS NULL OR normalized_realm = $4)
             GROUP BY normalized_user, normalized_realm
         ) AS rows
         CROSS JOIN LATERAL (
             SELECT user_name, realm FROM sessions
             WHERE (normalized_user, normalized_realm) = (rows.normalized_user, rows.normalized_realm)
             ORDER BY user_at DESC, user_name COLLATE \"C\" DESC, realm COLLATE \"C\" DESC LIMIT 1
         ) AS spelled
         ORDER BY normalized_user, normalized_realm",
    )
    .bind::<Timestamptz, _>(selection.period.start.to_diesel())
    .bind::<Timestamptz, _>(selection.period.end.to_diesel())
    .bind::<Nullable<Text>, _>(selection.user.as_deref().map(key))
    .bind::<Nullable<Text>, _>(selection.realm.as_deref().map(key));
    let mut stream_connection = StreamConnection::new(connection);
    async_stream::try_stream! {
        {
            let mut rows = query.load_stream::<Row>(stream_connection.connection()?).await?;
            while let Some(row) = rows.try_next().await? {
                yield row;
            }
        }
        stream_connection.finish();
    }
}
