#![no_main]
use libfuzzer_sys::fuzz_target;
use rollcall_formats::csv::{Columns, Format, Reader, Times, session};

fuzz_target!(|file: &[u8]| {
    let file = std::io::Cursor::new(file.to_vec());
    let Ok(mut reader) = Reader::open(file, Format::default()) else { return };
    let Ok(columns) = Columns::find(reader.headers(), &[]) else { return };
    let times = Times { zone: jiff::tz::TimeZone::UTC, format: "%Y-%m-%d %H:%M:%S".into() };
    while let Ok(Some(row)) = reader.next_row() {
        let _ = session(&row.record, &columns, &times, &rollcall_fuzz::arrival());
    }
});
