#![no_main]
use std::sync::LazyLock;

use jiff::{Timestamp, tz::TimeZone};
use libfuzzer_sys::fuzz_target;
use rollcall_formats::{rules::Rules, syslog::{Context, Found, parse}};

/// Rules with every input, which take many records, before the shipped ones.
const OWN: &str = r#"
[[rule]]
name = "json"
input = "json"
when = { "{type}{a.b.0.type}" = "login|active" }
type = "session"
correlation_key = "{id}{a.b.0.id}"
user_forms = ["down_level", "upn", "realm_roles", "display_name"]
time = [{ value = "{at}", format = "rfc3339" }, { value = "{at}", format = "unix_ms" }, { format = "arrival" }]
start = { value = "{start}", format = "%b %d %H:%M:%S" }
[rule.event]
user = "{user}"
reason = "{reason}"

[[rule]]
name = "key-value"
input = "key_value"
when = { user = ".+" }
type = "logout"
correlation_key = "{user}/{wan}"
time = [{ value = "{date} {time}", format = "%Y-%m-%d %H:%M:%S", zone = "Europe/Berlin" }, { format = "arrival" }]
duration = { value = "{duration}", unit = "clock" }
[rule.event]
user = "{user}"
wan_ip = "{wan}"
last_activity_at = "{last}"

[[rule]]
name = "csv"
input = "csv"
prefix = "[^,]*:"
columns = ["", "type", "user", "seconds"]
type = "logout"
correlation_key = "{type}"
duration = { value = "{seconds}" }
time = { format = "arrival" }
[rule.event]
user = "{user}"
"#;

static RULES: LazyLock<Rules> = LazyLock::new(|| {
    Rules::with_files(&[("own.toml".into(), OWN.into())]).expect("valid rules")
});

fuzz_target!(|message: &[u8]| {
    let context = Context {
        data_id: "rollcall@32473",
        rules: &RULES,
        zone: TimeZone::get("Europe/Berlin").expect("a zone"),
        received_at: Timestamp::from_second(1_795_683_601).expect("an instant"),
    };
    if let Ok(Found::Events(events)) = parse(&String::from_utf8_lossy(message), &context) {
        for event in events {
            rollcall_fuzz::check(event.raw);
        }
    }
});
