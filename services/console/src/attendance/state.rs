//! States of rows, by which a page filters and which its badges show.

use rollcall_attendance::row::{AttendanceRow, EndReason, Status};

/// A state of a row. A row may have several.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// The row can no longer change, unless a source reports late.
    Final,
    /// The row can still change.
    Provisional,
    /// A session is open.
    Open,
    /// The session that ends last was closed by timeout.
    Timeout,
    /// The session that ends last was closed by a restart of the source.
    Restart,
    /// There is no session.
    Absent,
}

impl State {
    /// All states with their words in an address.
    pub const ALL: [(&str, Self); 6] = [
        ("final", Self::Final),
        ("provisional", Self::Provisional),
        ("open", Self::Open),
        ("timeout", Self::Timeout),
        ("restart", Self::Restart),
        ("absent", Self::Absent),
    ];

    /// Returns true if the row has the state.
    #[must_use]
    pub fn holds(self, row: &AttendanceRow) -> bool {
        match self {
            Self::Final => row.status == Status::Final,
            Self::Provisional => row.status == Status::Provisional,
            Self::Open => row.open_sessions > 0,
            Self::Timeout => row.end_reason == Some(EndReason::Timeout),
            Self::Restart => row.end_reason == Some(EndReason::Restart),
            Self::Absent => row.sessions == 0,
        }
    }

    /// Returns the states of a row that its badges show: all but `Final`, which is the rule.
    pub fn badges(row: &AttendanceRow) -> impl Iterator<Item = (&'static str, Self)> {
        Self::ALL
            .into_iter()
            .filter(|(_, state)| *state != Self::Final && state.holds(row))
    }
}
