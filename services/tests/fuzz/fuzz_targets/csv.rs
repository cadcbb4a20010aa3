#![no_main]
use libfuzzer_sys::fuzz_target;
use rollcall_formats::csv::{Columns, Format, MAPPING, Reader, SESSION, Times, mapping, session};

fuzz_target!(|file: &[u8]| {
    let file = std::io::Cursor::new(file.to_vec());
    let Ok(mut reader) = Reader::open(file, Format::default()) else {
        return;
    };
    let sessions = Columns::find(reader.headers(), &SESSION, &[]);
    let mappings = Columns::find(reader.headers(), &MAPPING, &[]);
    let times = Times {
        zone: jiff::tz::TimeZone::UTC,
        format: "%Y-%m-%d %H:%M:%S".into(),
    };
    while let Ok(Some(row)) = reader.next_row() {
        if let Ok(columns) = &sessions {
            let _ = session(&row.record, columns, &times, &rollcall_fuzz::arrival());
        }
        if let Ok(columns) = &mappings {
            let _ = mapping(&row.record, columns, &["default".into()]);
        }
    }
});
