//! Rows of the statements that find exceptions.

use diesel::{
    QueryableByName,
    result::{Error, QueryResult},
    sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz},
};
use jiff::{Timestamp, civil::Date};
use jiff_diesel::NullableTimestamp;

use super::{Exception, Kind, Position};
use crate::sessions::SessionKey;

#[derive(QueryableByName)]
pub(super) struct Row {
    #[diesel(sql_type = Array<Text>)]
    position: Vec<String>,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Nullable<Text>)]
    user: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    realm: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    employee_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    source: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    source_id: Option<i32>,
    #[diesel(sql_type = Nullable<Text>)]
    session_id: Option<String>,
    #[diesel(sql_type = Timestamptz, deserialize_as = jiff_diesel::Timestamp)]
    at: Timestamp,
    #[diesel(sql_type = Nullable<BigInt>)]
    number: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    other: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>, deserialize_as = NullableTimestamp)]
    other_at: Option<Timestamp>,
}

impl Row {
    /// Returns the exception in this row, which belongs to the day `date`.
    pub(super) fn on(self, date: Date) -> QueryResult<Exception> {
        let kind = Kind::parse(&self.kind)
            .ok_or_else(|| Error::DeserializationError(format!("kind {}", self.kind).into()))?;
        let session = self.session_id.zip(self.source_id);
        Ok(Exception {
            position: Position {
                date,
                key: self.position,
            },
            kind,
            user: self.user,
            realm: self.realm,
            employee_id: self.employee_id,
            source: self.source,
            session: session.map(|(session_id, source_id)| SessionKey {
                source_id,
                session_id,
            }),
            at: self.at,
            number: self.number,
            other: self.other,
            other_at: self.other_at,
        })
    }
}
