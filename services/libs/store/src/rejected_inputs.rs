//! Input that receivers rejected, summed up by source, receiver and reason.

use diesel::{
    QueryableByName,
    result::QueryResult,
    sql_query,
    sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::Timestamp;
use serde::Serialize;

/// Source ID of all addresses that are in no source network.
pub const UNKNOWN_ADDRESSES: i32 = 0;
/// Maximum number of reasons of a source. Further ones are summed up as [`OTHER_REASONS`].
pub const MAX_REASONS: u16 = 50;
/// Reason that sums up those beyond [`MAX_REASONS`].
pub const OTHER_REASONS: &str = "other reasons";
/// Maximum length of a reason, in bytes.
pub const MAX_REASON_BYTES: usize = 512;
/// Maximum length of a sample, in bytes.
pub const MAX_SAMPLE_BYTES: usize = 256;

/// Rejected input of a source with the same receiver and reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RejectedInput {
    /// ID of the source, or [`UNKNOWN_ADDRESSES`].
    pub source_id: i32,
    /// Name of the receiver.
    pub receiver: &'static str,
    /// Reason, at most [`MAX_REASON_BYTES`] bytes.
    pub reason: String,
    /// Number of inputs.
    pub count: i64,
    /// The latest input, at most [`MAX_SAMPLE_BYTES`] bytes without control characters.
    pub sample: String,
}

/// Adds rejected input to the counts, in one statement. Each source, receiver and reason may occur
/// only once.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.rejected_inputs.add", skip_all)]
pub async fn add(connection: &mut AsyncPgConnection, inputs: &[RejectedInput]) -> QueryResult<()> {
    let texts = |of: fn(&RejectedInput) -> &str| inputs.iter().map(of).collect::<Vec<_>>();
    let source_ids: Vec<i32> = inputs.iter().map(|input| input.source_id).collect();
    let counts: Vec<i64> = inputs.iter().map(|input| input.count).collect();
    sql_query(include_str!("rejected_inputs/add.sql"))
        .bind::<Array<Integer>, _>(source_ids)
        .bind::<Array<Text>, _>(texts(|input| input.receiver))
        .bind::<Array<Text>, _>(texts(|input| &input.reason))
        .bind::<Array<BigInt>, _>(counts)
        .bind::<Array<Text>, _>(texts(|input| &input.sample))
        .bind::<Integer, _>(i32::from(MAX_REASONS))
        .bind::<Text, _>(OTHER_REASONS)
        .execute(connection)
        .await
        .map(drop)
}

/// Row of the list of rejected input.
#[derive(Debug, Clone, Serialize, QueryableByName)]
#[allow(missing_docs, reason = "as in the table")]
pub struct Row {
    /// Name of the source. `None` for all addresses that are in no source network.
    #[diesel(sql_type = Nullable<Text>)]
    pub source: Option<String>,
    #[diesel(sql_type = Text)]
    pub receiver: String,
    #[diesel(sql_type = Text)]
    pub reason: String,
    #[diesel(sql_type = BigInt)]
    pub count: i64,
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub first_at: Timestamp,
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    pub last_at: Timestamp,
    #[diesel(sql_type = Text)]
    pub sample: String,
}

/// Returns the rejected input of a source, or of all if none is given. The rows of a source are in
/// the order of their latest input, the latest first.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.rejected_inputs.list", skip_all)]
pub async fn list(
    connection: &mut AsyncPgConnection,
    source_id: Option<i32>,
) -> QueryResult<Vec<Row>> {
    sql_query(
        "SELECT name AS source, receiver, reason, count, first_at, last_at, sample
         FROM rejected_inputs LEFT JOIN sources ON sources.id = source_id
         WHERE source_id = $1 OR $1 IS NULL
         ORDER BY name, last_at DESC, count DESC, receiver, reason",
    )
    .bind::<Nullable<Integer>, _>(source_id)
    .load(connection)
    .await
}

/// Removes the rejected input of a source, or of all if none is given. Returns the number of rows.
///
/// # Errors
/// The database fails.
#[tracing::instrument(name = "database.rejected_inputs.forget", skip_all)]
pub async fn forget(
    connection: &mut AsyncPgConnection,
    source_id: Option<i32>,
) -> QueryResult<i64> {
    #[derive(QueryableByName)]
    struct Forgotten {
        #[diesel(sql_type = BigInt)]
        rows: i64,
    }
    let forget = sql_query("SELECT forget_rejected_inputs($1) AS rows");
    let forget = forget.bind::<Nullable<Integer>, _>(source_id);
    Ok(forget.get_result::<Forgotten>(connection).await?.rows)
}
