//! Helpers that the fuzz targets share.

use rollcall_attendance::event::{Arrival, RawEvent, Event};
use jiff::{SignedDuration, Timestamp};

/// Returns an arrival at a fixed time.
pub fn arrival() -> Arrival {
    let at = Timestamp::from_second(1_735_689_600).unwrap_or(Timestamp::UNIX_EPOCH);
    Arrival { at, earliest: Timestamp::UNIX_EPOCH, ahead: SignedDuration::from_mins(5), skew: SignedDuration::from_hours(1) }
}

/// Asserts that a valid raw event gives the same events after it was written as JSON and parsed.
///
/// JSON does not have the digest of the input of a rule, so the digest is left out.
pub fn check(mut raw: RawEvent) {
    raw.input_digest = None;
    let written = raw.to_json();
    let has_class = raw.class.is_some();
    if let (Ok(events), false) = (Event::parse_all(raw, &arrival()), has_class) {
        let again = rollcall_formats::json::parse_event(&written, &arrival());
        assert_eq!(again.expect("the same events"), events);
    }
}
