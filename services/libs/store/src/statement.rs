//! SQL statements with constant text whose parameters are columns of rows.

use std::fmt::Write;

use tokio_postgres::types::{ToSql, Type};

/// A column of rows, as an array.
pub(crate) struct Column<'a> {
    pub(crate) sql_type: Type,
    pub(crate) values: Box<dyn ToSql + Send + Sync + 'a>,
}

/// Creates a [`Column`] from values: `column!(TEXT_ARRAY, rows.iter().map(…))`.
macro_rules! column {
    ($sql_type:ident, $values:expr) => {
        $crate::statement::Column {
            sql_type: tokio_postgres::types::Type::$sql_type,
            values: Box::new($values.collect::<Vec<_>>()),
        }
    };
}
pub(crate) use column;

/// A part of a statement.
pub(crate) enum Part<'a> {
    /// Text.
    Sql(&'static str),
    /// Arguments of `unnest`, separated by commas.
    Columns(Vec<Column<'a>>),
}

/// The parts in order.
pub(crate) struct Statement<'a>(pub(crate) Vec<Part<'a>>);

impl Statement<'_> {
    /// Returns the text, with `$1` for the first column.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        let mut number = 0;
        for part in &self.0 {
            match part {
                Part::Sql(sql) => text.push_str(sql),
                Part::Columns(columns) => {
                    for index in 0..columns.len() {
                        number += 1;
                        let comma = if index > 0 { ", " } else { "" };
                        // Writing to a String cannot fail.
                        let _ = write!(text, "{comma}${number}");
                    }
                }
            }
        }
        text
    }

    pub(crate) fn columns(&self) -> impl Iterator<Item = &Column<'_>> {
        self.0.iter().flat_map(|part| match part {
            Part::Sql(_) => &[][..],
            Part::Columns(columns) => columns,
        })
    }
}
