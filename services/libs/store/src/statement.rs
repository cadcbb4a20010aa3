//! Statements of constant text whose parameters are columns of rows. Unlike `sql_query`'s they are prepared once for each connection.

use diesel::{
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    result::QueryResult,
    sql_types::Untyped,
};

/// A column of rows, as an array.
pub(crate) type Column<'a> = Box<dyn QueryFragment<Pg> + Send + 'a>;

/// Makes a [`Column`] of values: `column!(Nullable<Text>, rows.iter().map(…))`.
macro_rules! column {
    ($sql_type:ty, $values:expr) => {
        Box::new(diesel::IntoSql::into_sql::<
            diesel::sql_types::Array<$sql_type>,
        >($values.collect::<Vec<_>>()))
    };
}
pub(crate) use column;

/// A part of a statement.
pub(crate) enum Part<'a> {
    /// Text.
    Sql(&'static str),
    /// What `unnest` takes, with commas between.
    Columns(Vec<Column<'a>>),
}

/// The parts in order.
pub(crate) struct Statement<'a>(pub(crate) Vec<Part<'a>>);

impl QueryFragment<Pg> for Statement<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        for part in &self.0 {
            match part {
                Part::Sql(text) => out.push_sql(text),
                Part::Columns(columns) => {
                    for (index, column) in columns.iter().enumerate() {
                        out.push_sql(if index > 0 { ", " } else { "" });
                        column.walk_ast(out.reborrow())?;
                    }
                }
            }
        }
        Ok(())
    }
}

impl QueryId for Statement<'_> {
    type QueryId = ();
    // The text, and not the type, tells one from another.
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl Query for Statement<'_> {
    type SqlType = Untyped;
}
