//! The timeline of a day as SVG. Positions are percentages, so that it fits every width without
//! scaling its texts. It has no `style` attributes, which the Content-Security-Policy forbids.

use maud::{Markup, html};
use rollcall_attendance::row::AttendanceRow;

use super::{Timeline, View, heading};
use crate::attendance::timeline::{Bar, Mark, Range, percent};

/// Height of the hours, of a row, and of a bar, in pixels.
const HOURS: usize = 24;
const ROW: usize = 40;
const BAR: usize = 14;
/// How ends are drawn. A stylesheet could not refer to an element of the page in all browsers.
const OPEN: &str = "url(#open-end)";
const TIMEOUT: &str = "url(#timeout-end)";

/// Returns the picture. The table below says the same in text.
pub(super) fn picture(view: &View, timeline: &Timeline) -> Markup {
    let rows = &view.page.rows;
    let height = HOURS + rows.len() * ROW;
    html! {
        @if !rows.is_empty() {
            svg.timeline role="img" aria-labelledby="timeline-title timeline-description"
                width="100%" height=(height) {
                title id="timeline-title" {
                    (view.text("attendance.timeline")) ": " (heading::title(view))
                }
                desc id="timeline-description" { (view.text("timeline.description")) }
                (patterns())
                (hours(timeline, height))
                @for (index, row) in rows.iter().enumerate() {
                    (line(view, timeline, index, row))
                }
            }
            (legend(view))
        }
    }
}

/// The fading of an open end and the hatching of an end by timeout.
fn patterns() -> Markup {
    html! {
        defs {
            linearGradient id="open-end" {
                stop.open-from offset="0" {}
                stop.open-to offset="1" {}
            }
            pattern id="timeout-end" width="6" height="6" patternUnits="userSpaceOnUse"
                patternTransform="rotate(45)" {
                rect.timeout-ground width="6" height="6" {}
                rect.timeout-stripe width="3" height="6" {}
            }
        }
    }
}

fn hours(timeline: &Timeline, height: usize) -> Markup {
    html! {
        @for (index, hour) in timeline.axis.hours().iter().enumerate() {
            g.minor[index % 3 != 0] {
                line x1=(percent(hour.x)) x2=(percent(hour.x)) y1=(HOURS) y2=(height) {}
                text x=(percent(hour.x)) y="16" { (hour.label) }
            }
        }
    }
}

fn line(view: &View, timeline: &Timeline, index: usize, row: &AttendanceRow) -> Markup {
    let top = HOURS + index * ROW;
    let sessions = timeline.sessions.get(index).map_or(&[][..], Vec::as_slice);
    let name = format!("{} ({})", row.user, row.realm);
    html! {
        g {
            text.name x="0" y=(top + 16) { (name) }
            @for session in sessions {
                @if let Some(bar) = timeline.axis.bar(session, timeline.now) {
                    (self::bar(view, &bar, top + ROW - BAR - 2, &title(view, session)))
                }
            }
        }
    }
}

fn title(view: &View, session: &crate::attendance::timeline::Span) -> String {
    let times = view.times;
    let start = times.clock(session.login_at);
    let end = session
        .end_reason
        .map(|_| times.clock(session.last_activity_at));
    format!("{start}–{}", end.unwrap_or_default())
}

fn bar(view: &View, bar: &Bar, y: usize, title: &str) -> Markup {
    let part = |class: &str, fill: Option<&str>, range: Range| {
        html! {
            rect class=(class) fill=[fill] x=(percent(range.x)) width=(percent(range.width)) y=(y) height=(BAR) {
                title { (title) }
            }
        }
    };
    html! {
        (part("bar", None, bar.known))
        @match bar.end {
            Some((Mark::Open, range)) => (part("open", Some(OPEN), range)),
            Some((Mark::Timeout, range)) => (part("timeout", Some(TIMEOUT), range)),
            None => {},
        }
        @if bar.continues {
            text.continues x="100%" y=(y + BAR - 2) {
                title { (view.text("timeline.continues")) }
                "→"
            }
        }
    }
}

/// Legend of the picture.
fn legend(view: &View) -> Markup {
    let sample = |class: &str, fill: Option<&str>| {
        html! {
            svg width="32" height=(BAR) aria-hidden="true" {
                rect class=(class) fill=[fill] width="100%" height="100%" {}
            }
        }
    };
    html! {
        ul.legend {
            li { (sample("bar", None)) (view.text("timeline.session")) }
            li { (sample("open", Some(OPEN))) (view.text("timeline.open_end")) }
            li { (sample("timeout", Some(TIMEOUT))) (view.text("timeline.timeout_end")) }
        }
    }
}
