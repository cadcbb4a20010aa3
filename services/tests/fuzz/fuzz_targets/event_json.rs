#![no_main]
use rollcall_formats::json::{Format, parse};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|body: &[u8]| {
    for format in [Format::Json, Format::Ndjson] {
        for event in parse(body, format, &rollcall_fuzz::arrival()).into_iter().flatten().flatten() {
            assert_eq!(event.clone().digest(), event.digest());
        }
    }
});
