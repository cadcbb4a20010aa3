#![no_main]
use libfuzzer_sys::fuzz_target;
use rollcall_formats::rules::Rules;

// A rule file is read or refused.
fuzz_target!(|text: &str| {
    let _ = Rules::parse(text);
});
