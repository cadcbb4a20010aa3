use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::{
    Format, Options,
    samples::{any_layout, any_row, closed_row, file, json, options},
};

fn csv(row: AttendanceRow, csv: CsvOptions) -> String {
    let options = Options {
        csv,
        ..options(Layout::default())
    };
    let (bytes, error) = file(Format::Csv, [Ok(row)], options);
    assert!(error.is_none(), "{error:?}");
    String::from_utf8(bytes).expect("UTF-8")
}

fn for_spreadsheets(separator: Separator) -> CsvOptions {
    CsvOptions {
        separator,
        byte_order_mark: true,
    }
}

#[test]
fn csv_has_a_header_and_crlf_and_empty_fields_for_null() {
    assert_eq!(
        csv(closed_row(), CsvOptions::default()),
        "date,user,realm,employee_id,first_login,last_logout,sessions,worked_seconds,\
         active_seconds,open_sessions,end_reason,corrected,status\r\n\
         2025-01-01,user_4,Default,E-1004,2025-01-01T15:30:00+05:30,2025-01-01T21:10:00+05:30,\
         2,18600,,0,logout,false,final\r\n"
    );
}

#[test]
fn csv_for_spreadsheets_begins_with_a_byte_order_mark() {
    let text = csv(closed_row(), for_spreadsheets(Separator::Semicolon));
    assert!(text.starts_with("\u{feff}date;user;realm;"), "{text}");
}

#[test]
fn formulas_are_escaped_for_spreadsheets_and_exact_for_programs() {
    for (user, escaped) in [
        ("=1+1", ",'=1+1,"),
        ("+491701234", ",'+491701234,"),
        ("-x", ",'-x,"),
        ("@SUM(A1)", ",'@SUM(A1),"),
        ("＝1", ",'＝1,"),
        ("\t=1", ",'\t=1,"),
        ("=\"a\"", ",\"'=\"\"a\"\"\","),
    ] {
        let mut row = closed_row();
        row.user = user.into();
        let text = csv(row.clone(), for_spreadsheets(Separator::Comma));
        assert!(text.contains(escaped), "{text}");
        let text = csv(row, CsvOptions::default());
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        let record = reader.records().next().expect("a row").expect("CSV");
        assert_eq!(&record[1], user);
    }
}

#[test]
fn separator_is_parsed() {
    assert_eq!(Separator::parse("\t"), Some(Separator::Tab));
    assert_eq!(Separator::parse("|"), Some(Separator::Pipe));
    assert_eq!(Separator::parse(",,"), None);
    assert_eq!(Separator::parse(""), None);
}

proptest! {
    #[test]
    fn csv_parsed_back_equals_json(
        (layout, rows) in any_layout().prop_flat_map(|layout| {
            (Just(layout), prop::collection::vec(any_row(layout), 0..5))
        }),
        separator in prop::sample::select(&Separator::ALL),
    ) {
        let csv = CsvOptions { separator, byte_order_mark: false };
        let options = Options { csv, ..options(layout) };
        let (bytes, _) = file(Format::Csv, rows.iter().cloned().map(Ok), options);
        let mut reader = ::csv::ReaderBuilder::new()
            .delimiter(separator.as_str().as_bytes()[0])
            .from_reader(bytes.as_slice());
        let header = reader.headers().expect("a header").clone();
        let records: Vec<_> = reader.records().map(|record| record.expect("CSV")).collect();
        let expected = json(&rows);
        prop_assert_eq!(records.len(), expected.len());
        for (record, row) in records.iter().zip(&expected) {
            prop_assert!(header.iter().eq(row.keys()));
            for (field, value) in record.iter().zip(row.values()) {
                let text = match value {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                prop_assert_eq!(field, text);
            }
        }
    }
}
