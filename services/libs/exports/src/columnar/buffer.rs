//! Values of a column that wait for their row group.

use jiff::civil::date;
use parquet::{
    data_type::{BoolType, ByteArray, ByteArrayType, DataType, Int32Type, Int64Type},
    errors::ParquetError,
    file::writer::SerializedColumnWriter,
};

use crate::column::{Column, Kind, Value};

/// Values of a column.
pub struct Buffer {
    values: Values,
    /// 1 for a value and 0 for null. None if the column has no nulls.
    levels: Option<Vec<i16>>,
}

enum Values {
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Flag(Vec<bool>),
    Text(Vec<ByteArray>),
}

impl Buffer {
    /// Returns an empty buffer for a column.
    pub fn new(column: Column) -> Self {
        Self {
            values: match column.kind {
                Kind::Date => Values::Int32(Vec::new()),
                Kind::Time | Kind::Number => Values::Int64(Vec::new()),
                Kind::Flag => Values::Flag(Vec::new()),
                Kind::Text => Values::Text(Vec::new()),
            },
            levels: column.nullable.then(Vec::new),
        }
    }

    /// Adds a value of the type of the column.
    pub fn push(&mut self, value: Value<'_>) {
        if let Some(levels) = &mut self.levels {
            levels.push(i16::from(value != Value::Null));
        }
        match (&mut self.values, value) {
            (Values::Int32(values), Value::Date(day)) => {
                values.push((day - date(1970, 1, 1)).get_days());
            }
            (Values::Int64(values), Value::Number(number)) => values.push(number),
            (Values::Int64(values), Value::Time(time)) => {
                values.push(time.whole_seconds() * 1_000_000);
            }
            (Values::Flag(values), Value::Flag(flag)) => values.push(flag),
            (Values::Text(values), Value::Text(text)) => values.push(text.into()),
            (_, _) => {}
        }
    }

    /// Writes the values and empties the buffer.
    pub fn write(&mut self, column: &mut SerializedColumnWriter<'_>) -> Result<(), ParquetError> {
        let levels = self.levels.as_deref();
        match &mut self.values {
            Values::Int32(values) => write::<Int32Type>(values, levels, column),
            Values::Int64(values) => write::<Int64Type>(values, levels, column),
            Values::Flag(values) => write::<BoolType>(values, levels, column),
            Values::Text(values) => write::<ByteArrayType>(values, levels, column),
        }?;
        self.levels.iter_mut().for_each(Vec::clear);
        Ok(())
    }
}

fn write<T: DataType>(
    values: &mut Vec<T::T>,
    levels: Option<&[i16]>,
    column: &mut SerializedColumnWriter<'_>,
) -> Result<(), ParquetError> {
    // The schema and the buffers are made of the same columns, so that their types agree.
    column
        .typed::<T>()
        .write_batch(values, levels, None)
        .map(|_| values.clear())
}
