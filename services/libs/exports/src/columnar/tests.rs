use ::parquet::{
    file::reader::{FileReader, SerializedFileReader},
    record::Field,
};
use bytes::Bytes;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{
    Format,
    samples::{any_layout, any_row, closed_row, file, json, options},
};

fn read(rows: &[AttendanceRow], layout: Layout) -> SerializedFileReader<Bytes> {
    let (bytes, error) = file(
        Format::Parquet,
        rows.iter().cloned().map(Ok),
        options(layout),
    );
    assert!(error.is_none(), "{error:?}");
    SerializedFileReader::new(Bytes::from(bytes)).expect("Parquet")
}

/// Returns a field as the JSON of the API has it, but times as microseconds.
fn value(field: &Field) -> Value {
    match field {
        Field::Null => Value::Null,
        Field::Bool(flag) => (*flag).into(),
        Field::Long(number) => (*number).into(),
        Field::Str(text) => text.clone().into(),
        Field::TimestampMicros(micros) => (*micros).into(),
        Field::Date(_) => field.to_string().into(),
        other => panic!("unexpected type of {other:?}"),
    }
}

#[test]
fn parquet_has_typed_columns_and_names_the_zone() {
    let reader = read(&[closed_row()], Layout::default());
    let metadata = reader.metadata().file_metadata();
    let columns: Vec<_> = metadata
        .schema_descr()
        .columns()
        .iter()
        .map(|column| {
            let kind = column.logical_type_ref().map(|kind| format!("{kind:?}"));
            format!(
                "{} {} {}",
                column.name(),
                column.physical_type(),
                kind.unwrap_or_default()
            )
        })
        .collect();
    assert_eq!(columns[0], "date INT32 Date");
    assert_eq!(columns[1], "user BYTE_ARRAY String");
    assert!(
        columns[4].starts_with("first_login INT64 Timestamp"),
        "{}",
        columns[4]
    );
    assert!(
        columns[4].contains("true") && columns[4].contains("MICROS"),
        "{}",
        columns[4]
    );
    assert_eq!(columns[6], "sessions INT64 ");
    assert_eq!(columns[11], "corrected BOOLEAN ");
    let pairs = metadata.key_value_metadata().expect("metadata");
    assert_eq!(pairs[0].key, "time_zone");
    assert_eq!(pairs[0].value.as_deref(), Some("Asia/Kolkata"));
    let column = reader.metadata().row_group(0).column(1);
    assert!(column.dictionary_page_offset().is_some());
    assert!(column.statistics().is_some());
    assert!(matches!(column.compression(), Compression::ZSTD(_)));
}

#[test]
fn row_groups_are_small() {
    let rows = vec![closed_row(); GROUP + 1];
    let reader = read(&rows, Layout::default());
    assert_eq!(reader.num_row_groups(), 2);
    assert_eq!(reader.get_row_iter(None).expect("rows").count(), rows.len());
}

#[test]
fn file_without_rows_is_valid() {
    let reader = read(&[], Layout::default());
    assert_eq!(reader.get_row_iter(None).expect("rows").count(), 0);
}

#[test]
fn row_that_lacks_a_column_of_the_layout_is_an_error() {
    let period = Layout {
        period: true,
        ..Layout::default()
    };
    let (_, error) = file(Format::Parquet, [Ok(closed_row())], options(period));
    assert!(matches!(error, Some(EncodeError::Parquet(_))), "{error:?}");
}

proptest! {
    // Each case compresses a file in an unoptimized build.
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn parquet_read_back_equals_json(
        (layout, rows) in any_layout().prop_flat_map(|layout| {
            (Just(layout), prop::collection::vec(any_row(layout), 1..5))
        }),
    ) {
        let reader = read(&rows, layout);
        let read: Vec<_> = reader.get_row_iter(None).expect("rows").collect();
        let expected = json(&rows);
        prop_assert_eq!(read.len(), expected.len());
        for (found, row) in read.iter().zip(&expected) {
            let found = found.as_ref().expect("a row");
            prop_assert!(found.get_column_iter().map(|(name, _)| name).eq(row.keys()));
            for ((name, field), expected) in found.get_column_iter().zip(row.values()) {
                let expected = match (name.as_str(), expected.as_str()) {
                    ("first_login" | "last_logout", Some(text)) => {
                        let at: jiff::Timestamp = text.parse().expect("an instant");
                        at.as_microsecond().into()
                    }
                    _ => expected.clone(),
                };
                prop_assert_eq!(value(field), expected);
            }
        }
    }
}
