//! Filters that the database does not know.

use rollcall_attendance::{name::normalize, row::AttendanceRow};

use super::state::State;

/// Selects rows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// A part of the normalized user or of the employee ID.
    search: Option<String>,
    state: Option<State>,
}

impl Filter {
    /// Creates a filter. `search` is in any case.
    #[must_use]
    pub fn new(search: Option<&str>, state: Option<State>) -> Self {
        Self {
            search: search.map(|text| normalize(text.trim())),
            state,
        }
    }

    /// Returns true if the filter selects the row.
    #[must_use]
    pub fn keeps(&self, row: &AttendanceRow) -> bool {
        self.state.is_none_or(|state| state.holds(row))
            && self.search.as_ref().is_none_or(|search| {
                let employee_id = row.employee_id.as_deref().unwrap_or_default();
                [&row.user, employee_id]
                    .into_iter()
                    .any(|name| normalize(name).contains(search.as_str()))
            })
    }
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;
    use rollcall_attendance::row::{EndReason, Status};

    use super::*;

    fn row() -> AttendanceRow {
        AttendanceRow {
            date: None,
            days: None,
            user: "Zoë".into(),
            realm: "Sales".into(),
            employee_id: Some("E-17".into()),
            first_login_at: None,
            last_logout_at: None,
            sessions: 1,
            worked_seconds: 0,
            active_seconds: None,
            open_sessions: 0,
            end_reason: Some(EndReason::Timeout),
            continues: None,
            status: Status::Provisional,
            time_zone: TimeZone::UTC,
        }
    }

    #[test]
    fn part_of_the_user_or_of_the_employee_id_is_found_in_any_case() {
        let finds = |search| Filter::new(Some(search), None).keeps(&row());
        assert!(finds("OË") && finds(" zo ") && finds("e-1"));
        assert!(!finds("sales") && !finds("zoe"));
    }

    #[test]
    fn state_must_hold() {
        let holding = State::ALL.into_iter().filter(|(_, state)| {
            let filter = Filter::new(None, Some(*state));
            filter.keeps(&row())
        });
        let names: Vec<_> = holding.map(|(name, _)| name).collect();
        assert_eq!(names, ["provisional", "timeout"]);
    }
}
