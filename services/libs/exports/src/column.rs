//! Columns of the files, in the order of the fields of [`Row`].

use jiff::civil::Date;

use crate::{
    local_time::LocalTime,
    row::{EndReason, Row},
};

/// Which rows a file has. It decides which columns the file has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Layout {
    /// Rows are for a whole period: they have `days` and no `date`.
    pub period: bool,
    /// Sessions count in every day that they touch: rows say whether sessions continue.
    pub overlap: bool,
}

/// A column of a file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// Name of the field in JSON.
    pub name: &'static str,
    /// Type of the values.
    pub kind: Kind,
    /// Whether the value can be null.
    pub nullable: bool,
    /// Returns the value in a row.
    pub value: fn(&Row) -> Value<'_>,
}

/// Type of the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Date,
    Text,
    Time,
    Number,
    Flag,
}

/// The value of a column in a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value<'a> {
    Null,
    Date(Date),
    Text(&'a str),
    Time(LocalTime),
    Number(i64),
    Flag(bool),
}

/// Returns the columns of a file.
pub(crate) fn columns(layout: Layout) -> Vec<Column> {
    let optional = |present: bool, column| present.then_some(column);
    let common = [
        column("user", Kind::Text, |row| Value::Text(&row.user)),
        column("realm", Kind::Text, |row| Value::Text(&row.realm)),
        nullable("employee_id", Kind::Text, |row| {
            row.employee_id.as_deref().into()
        }),
        nullable("first_login", Kind::Time, |row| row.first_login.into()),
        nullable("last_logout", Kind::Time, |row| row.last_logout.into()),
        column("sessions", Kind::Number, |row| Value::Number(row.sessions)),
        column("worked_seconds", Kind::Number, |row| {
            Value::Number(row.worked_seconds)
        }),
        nullable("active_seconds", Kind::Number, |row| {
            row.active_seconds.into()
        }),
        column("open_sessions", Kind::Number, |row| {
            Value::Number(row.open_sessions)
        }),
        nullable("end_reason", Kind::Text, |row| {
            row.end_reason.map(EndReason::as_str).into()
        }),
        column("corrected", Kind::Flag, |row| Value::Flag(row.corrected)),
        column("status", Kind::Text, |row| Value::Text(row.status.as_str())),
    ];
    let date = column("date", Kind::Date, |row| row.date.into());
    let days = column("days", Kind::Number, |row| row.days.into());
    let from = column("continues_from_previous_day", Kind::Flag, |row| {
        row.continues_from_previous_day.into()
    });
    let to = column("continues_to_next_day", Kind::Flag, |row| {
        row.continues_to_next_day.into()
    });
    optional(!layout.period, date)
        .into_iter()
        .chain(common)
        .chain(optional(layout.period, days))
        .chain(optional(layout.overlap, from))
        .chain(optional(layout.overlap, to))
        .collect()
}

fn column(name: &'static str, kind: Kind, value: fn(&Row) -> Value<'_>) -> Column {
    let nullable = false;
    Column {
        name,
        kind,
        nullable,
        value,
    }
}

fn nullable(name: &'static str, kind: Kind, value: fn(&Row) -> Value<'_>) -> Column {
    let nullable = true;
    Column {
        nullable,
        ..column(name, kind, value)
    }
}

macro_rules! from_option {
    ($($value:ty => $variant:ident),*) => {$(
        impl<'a> From<Option<$value>> for Value<'a> {
            fn from(value: Option<$value>) -> Self {
                value.map_or(Self::Null, Self::$variant)
            }
        }
    )*};
}

from_option!(Date => Date, &'a str => Text, LocalTime => Time, i64 => Number, bool => Flag);
