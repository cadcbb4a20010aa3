#![no_main]
use rollcall_formats::csv::{Columns, Times, events};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let mut reader = csv::ReaderBuilder::new().flexible(true).trim(csv::Trim::All).from_reader(file);
    let Ok(Ok(columns)) = reader.headers().map(|headers| Columns::find(headers, &[])) else { return };
    let times = Times { zone: jiff::tz::TimeZone::UTC, format: "%Y-%m-%d %H:%M:%S".into() };
    for record in reader.into_records().flatten() {
        let _ = events(&record, &columns, &times, &rollcall_fuzz::arrival());
    }
});
