#![no_main]
use std::sync::LazyLock;

use rollcall_formats::syslog::{Found, Rules, parse_line};
use libfuzzer_sys::fuzz_target;

static RULES: LazyLock<Rules> = LazyLock::new(Rules::shipped);

fuzz_target!(|message: &str| {
    match parse_line(message, "rollcall@32473", &RULES) {
        Ok(Found::Structured(raw)) => rollcall_fuzz::check(raw),
        Ok(Found::Matched(matched)) => rollcall_fuzz::check(matched.raw),
        Ok(Found::Nothing) | Err(_) => (),
    }
});
