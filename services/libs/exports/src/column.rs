//! Columns of the files, in the order of the fields of [`Row`].

use jiff::civil::Date;

use crate::{
    local_time::LocalTime,
    row::{EndReason, Row},
};

/// Kind of the rows of a file, which decides the columns of the file.
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
    /// True if the value can be null.
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

/// All columns.
const COLUMNS: [Column; 16] = {
    use Kind::{Date, Flag, Number, Text, Time};
    [
        column("date", Date, |row| row.date.into()),
        column("user", Text, |row| Value::Text(&row.user)),
        column("realm", Text, |row| Value::Text(&row.realm)),
        nullable("employee_id", Text, |row| row.employee_id.as_deref().into()),
        nullable("first_login", Time, |row| row.first_login.into()),
        nullable("last_logout", Time, |row| row.last_logout.into()),
        column("sessions", Number, |row| Value::Number(row.sessions)),
        column("worked_seconds", Number, |row| {
            Value::Number(row.worked_seconds)
        }),
        nullable("active_seconds", Number, |row| row.active_seconds.into()),
        column("open_sessions", Number, |row| {
            Value::Number(row.open_sessions)
        }),
        nullable("end_reason", Text, |row| {
            row.end_reason.map(EndReason::as_str).into()
        }),
        column("corrected", Flag, |row| Value::Flag(row.corrected)),
        column("status", Text, |row| Value::Text(row.status.as_str())),
        column("days", Number, |row| row.days.into()),
        column(FROM_PREVIOUS_DAY, Flag, |row| {
            row.continues_from_previous_day.into()
        }),
        column(TO_NEXT_DAY, Flag, |row| row.continues_to_next_day.into()),
    ]
};

const FROM_PREVIOUS_DAY: &str = "continues_from_previous_day";
const TO_NEXT_DAY: &str = "continues_to_next_day";

/// Returns the columns of a file.
pub(crate) fn columns(layout: Layout) -> Vec<Column> {
    let is_present = |column: &Column| match column.name {
        "date" => !layout.period,
        "days" => layout.period,
        FROM_PREVIOUS_DAY | TO_NEXT_DAY => layout.overlap,
        _ => true,
    };
    COLUMNS.into_iter().filter(is_present).collect()
}

const fn column(name: &'static str, kind: Kind, value: fn(&Row) -> Value<'_>) -> Column {
    Column {
        name,
        kind,
        nullable: false,
        value,
    }
}

const fn nullable(name: &'static str, kind: Kind, value: fn(&Row) -> Value<'_>) -> Column {
    Column {
        nullable: true,
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
