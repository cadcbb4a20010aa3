//! What the fuzz targets share.

use rollcall_attendance::event::{Arrival, RawEvent, Event};
use jiff::{SignedDuration, Timestamp};

/// An arrival at a fixed time.
pub fn arrival() -> Arrival {
    let at = Timestamp::from_second(1_735_689_600).unwrap_or(Timestamp::UNIX_EPOCH);
    Arrival { at, earliest: Timestamp::UNIX_EPOCH, ahead: SignedDuration::from_mins(5), skew: SignedDuration::from_hours(1) }
}

/// Checks that a raw event is rejected, or that its event is the same after it is written and read.
pub fn check(raw: RawEvent) {
    let written = rollcall_formats::json::write(raw.clone());
    let (class, derived) = (raw.class.is_some(), raw.derived);
    if let (Ok(event), false, false) = (Event::parse(raw, &arrival()), class, derived) {
        let again = rollcall_formats::json::parse_event(&written, &arrival()).expect("an event that was one");
        assert_eq!(again.digest(), event.digest());
    }
}
