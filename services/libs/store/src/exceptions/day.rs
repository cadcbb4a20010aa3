//! The exceptions of one reporting day.

use diesel::{
    result::QueryResult,
    sql_query,
    sql_types::{Array, BigInt, Date, Integer, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncPgConnection, RunQueryDsl};
use jiff::{Timestamp, civil};
use jiff_diesel::ToDiesel;
use rollcall_attendance::completeness::{self, Completeness};

use super::{Exception, Kind, rows::Row};
use crate::attendance::Moment;

/// Input of the exceptions of a day, beside the day.
pub(super) struct Search {
    pub kinds: Vec<Kind>,
    /// IDs of the selected persons. None selects all, and what concerns no person.
    pub persons: Option<Vec<i32>>,
    /// IDs of all persons with the names of the selected users.
    pub namesakes: Option<Vec<i32>>,
    /// Sources that count for completeness.
    pub sources: Vec<(String, completeness::Source)>,
    pub moment: Moment,
}

/// A reporting day, and which of its items to return.
pub(super) struct Day<'a> {
    pub date: civil::Date,
    pub start: Timestamp,
    pub end: Timestamp,
    /// Only items after this one.
    pub after: Option<&'a [String]>,
    pub limit: usize,
}

impl Search {
    /// Returns the first exceptions of a day, in order.
    pub(super) async fn find(
        &self,
        connection: &mut AsyncPgConnection,
        day: &Day<'_>,
    ) -> QueryResult<Vec<Exception>> {
        use Kind::{
            ChangedAfterFinal, ClockSkew, ClosedByRestart, ClosedByTimeout, LogoutWithoutLogin,
            OpenLongerThanADay, PersonWithoutEmployee, TwoRealmsAtOnce, TwoSourcesAtOnce,
        };
        let mut rows = Vec::new();
        if self.has(&[
            ClosedByRestart,
            ClosedByTimeout,
            LogoutWithoutLogin,
            OpenLongerThanADay,
        ]) {
            rows.extend(self.sessions(connection, day).await?);
        }
        if self.has(&[TwoRealmsAtOnce, TwoSourcesAtOnce]) {
            rows.extend(self.overlaps(connection, day).await?);
        }
        if self.has(&[PersonWithoutEmployee]) {
            rows.extend(self.unmapped(connection, day).await?);
        }
        if self.has(&[ChangedAfterFinal, ClockSkew]) {
            rows.extend(self.events(connection, day).await?);
        }
        let rows = rows.into_iter().map(|row| row.on(day.date));
        let mut found = rows.collect::<QueryResult<Vec<_>>>()?;
        found.extend(self.incomplete(day));
        found.sort_by(|a, b| a.position.cmp(&b.position));
        found.truncate(day.limit);
        Ok(found)
    }

    fn has(&self, kinds: &[Kind]) -> bool {
        kinds.iter().any(|kind| self.kinds.contains(kind))
    }

    fn kind_names(&self) -> Vec<&'static str> {
        self.kinds.iter().map(|kind| kind.as_str()).collect()
    }

    async fn sessions(
        &self,
        connection: &mut AsyncPgConnection,
        day: &Day<'_>,
    ) -> QueryResult<Vec<Row>> {
        let Moment { now, timeout } = self.moment;
        sql_query(include_str!("sessions.sql"))
            .bind::<Timestamptz, _>(day.start.to_diesel())
            .bind::<Timestamptz, _>(day.end.to_diesel())
            .bind::<Date, _>(day.date.to_diesel())
            .bind::<Array<Text>, _>(self.kind_names())
            .bind::<Nullable<Array<Integer>>, _>(&self.persons)
            .bind::<Timestamptz, _>(now.to_diesel())
            .bind::<Timestamptz, _>((now - timeout).to_diesel())
            .bind::<Nullable<Array<Text>>, _>(day.after)
            .bind::<BigInt, _>(day.sql_limit())
            .bind::<BigInt, _>(timeout.as_secs())
            .load(connection)
            .await
    }

    async fn overlaps(
        &self,
        connection: &mut AsyncPgConnection,
        day: &Day<'_>,
    ) -> QueryResult<Vec<Row>> {
        let Moment { now, timeout } = self.moment;
        sql_query(include_str!("overlaps.sql"))
            .bind::<Timestamptz, _>(day.start.to_diesel())
            .bind::<Timestamptz, _>(day.end.to_diesel())
            .bind::<Date, _>(day.date.to_diesel())
            .bind::<Array<Text>, _>(self.kind_names())
            .bind::<Nullable<Array<Integer>>, _>(&self.persons)
            .bind::<Nullable<Array<Integer>>, _>(&self.namesakes)
            .bind::<Timestamptz, _>(now.to_diesel())
            .bind::<Timestamptz, _>((now - timeout).to_diesel())
            .bind::<Nullable<Array<Text>>, _>(day.after)
            .bind::<BigInt, _>(day.sql_limit())
            .bind::<BigInt, _>(timeout.as_secs())
            .load(connection)
            .await
    }

    async fn unmapped(
        &self,
        connection: &mut AsyncPgConnection,
        day: &Day<'_>,
    ) -> QueryResult<Vec<Row>> {
        sql_query(include_str!("unmapped.sql"))
            .bind::<Timestamptz, _>(day.start.to_diesel())
            .bind::<Timestamptz, _>(day.end.to_diesel())
            .bind::<Date, _>(day.date.to_diesel())
            .bind::<Nullable<Array<Integer>>, _>(&self.persons)
            .bind::<Nullable<Array<Text>>, _>(day.after)
            .bind::<BigInt, _>(day.sql_limit())
            .load(connection)
            .await
    }

    async fn events(
        &self,
        connection: &mut AsyncPgConnection,
        day: &Day<'_>,
    ) -> QueryResult<Vec<Row>> {
        sql_query(include_str!("events.sql"))
            .bind::<Timestamptz, _>(day.start.to_diesel())
            .bind::<Timestamptz, _>(day.end.to_diesel())
            .bind::<Date, _>(day.date.to_diesel())
            .bind::<Array<Text>, _>(self.kind_names())
            .bind::<Nullable<Array<Integer>>, _>(&self.persons)
            .bind::<Nullable<Array<Text>>, _>(day.after)
            .bind::<BigInt, _>(day.sql_limit())
            .load(connection)
            .await
    }

    /// Returns the sources that are not complete through the end of a day that has passed.
    fn incomplete(&self, day: &Day<'_>) -> Vec<Exception> {
        let now = self.moment.now;
        if !self.has(&[Kind::DayNotComplete]) || self.persons.is_some() || day.end > now {
            return Vec::new();
        }
        let lacks = |source: &completeness::Source| {
            !Completeness::new(std::slice::from_ref(source), now).covers(day.end)
        };
        let lacking = self.sources.iter().filter(|(_, source)| lacks(source));
        lacking
            .map(|(name, source)| {
                let through = source.complete_through(now);
                Exception::day_not_complete(day.date, name, day.end, through)
            })
            .filter(|found| {
                day.after
                    .is_none_or(|after| found.position.key[..] > *after)
            })
            .collect()
    }
}

impl Day<'_> {
    fn sql_limit(&self) -> i64 {
        i64::try_from(self.limit).unwrap_or(i64::MAX)
    }
}
