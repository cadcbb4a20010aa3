//! The statement of a part of a report, with its parameters.

use diesel::{
    pg::Pg,
    query_builder::{BoxedSqlQuery, SqlQuery},
    sql_query,
    sql_types::{Array, BigInt, Bool, Date as SqlDate, Integer, Nullable, Text, Timestamptz},
};
use jiff_diesel::ToDiesel;

use super::{
    Attribution, Calendars, Grouping, Moment, Position, Selection, Subject,
    days::{Columns, Day},
    parts::Statement,
};
use crate::persons::some;

const ROWS: &str = include_str!("rows.sql");
const PERSONS_BY_DAY: &str = include_str!("persons_by_day.sql");
const PERSONS_BY_PERIOD: &str = include_str!("persons_by_period.sql");

type Query = BoxedSqlQuery<'static, Pg, SqlQuery>;

/// Input of the parameters of a statement.
pub(super) struct Parameters<'a> {
    pub(super) selection: &'a Selection,
    pub(super) person_ids: Option<&'a [i32]>,
    pub(super) moment: Moment,
    pub(super) after: Option<&'a Position>,
    pub(super) limit: Option<u32>,
}

impl Parameters<'_> {
    /// Returns the statement for these days, or None if there are no days.
    pub(super) fn query(&self, statement: Statement, days: &[Day]) -> Option<Query> {
        let last = days.last()?;
        let text = match statement {
            Statement::Any => return Some(self.any(days)),
            Statement::PersonsByDay => PERSONS_BY_DAY,
            Statement::PersonsByPeriod => PERSONS_BY_PERIOD,
        };
        let columns = Columns::of(days);
        let query = sql_query(text)
            .into_boxed()
            .bind::<Array<SqlDate>, _>(columns.dates)
            .bind::<Array<Timestamptz>, _>(columns.starts)
            .bind::<Timestamptz, _>(last.end_at.to_diesel());
        let query = self.bind_names(self.bind_persons(query));
        Some(self.bind_end(query))
    }

    fn any(&self, days: &[Day]) -> Query {
        let columns = Columns::of(days);
        let selection = self.selection;
        let date = self.after.and_then(|after| after.date);
        let absent_before = selection
            .include_absent
            .then(|| self.moment.now.to_diesel());
        let employee_id = self.after.and_then(|after| after.employee_id.clone());
        let query = sql_query(ROWS)
            .into_boxed()
            .bind::<Array<SqlDate>, _>(columns.dates)
            .bind::<Array<Nullable<Text>>, _>(columns.calendars)
            .bind::<Array<Timestamptz>, _>(columns.starts)
            .bind::<Array<Timestamptz>, _>(columns.ends);
        let query = self
            .bind_persons(query)
            .bind::<Nullable<Array<Text>>, _>(some(&selection.employee_ids))
            .bind::<Bool, _>(selection.grouping == Grouping::Day)
            .bind::<Bool, _>(selection.subject == Subject::Employee)
            .bind::<Bool, _>(selection.attribution == Attribution::Overlap)
            .bind::<Bool, _>(matches!(selection.calendars, Calendars::Assigned { .. }))
            .bind::<Nullable<Timestamptz>, _>(absent_before)
            .bind::<Nullable<SqlDate>, _>(date.map(ToDiesel::to_diesel));
        self.bind_end(
            self.bind_names(query)
                .bind::<Nullable<Text>, _>(employee_id),
        )
    }

    /// Binds the time before which sessions are closed by timeout, and the IDs of the persons.
    fn bind_persons(&self, query: Query) -> Query {
        let timeout_before = self.moment.now - self.moment.timeout;
        query
            .bind::<Timestamptz, _>(timeout_before.to_diesel())
            .bind::<Nullable<Array<Integer>>, _>(self.person_ids.map(<[i32]>::to_vec))
    }

    /// Binds the user and the realm after which the rows begin.
    fn bind_names(&self, query: Query) -> Query {
        query
            .bind::<Nullable<Text>, _>(self.after.map(|after| after.user.clone()))
            .bind::<Nullable<Text>, _>(self.after.map(|after| after.realm.clone()))
    }

    /// Binds the maximum number of rows and the timeout in seconds.
    fn bind_end(&self, query: Query) -> Query {
        query
            .bind::<Nullable<BigInt>, _>(self.limit.map(i64::from))
            .bind::<BigInt, _>(self.moment.timeout.as_secs())
    }
}
