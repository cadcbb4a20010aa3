//! The sessions of the rows of a page, for the timeline.

use std::collections::HashMap;

use jiff::civil::Date;
use rollcall_attendance::{
    name::normalize,
    row::{AttendanceRow, EndReason},
};
use rollcall_reports::{Admission, Unavailable};
use rollcall_store::{
    persons::PersonFilter,
    sessions::{self, ListSelection, ListedSession},
};

use super::timeline::{Axis, Span};
use crate::person::query::Subject;

/// Maximum number of sessions that are drawn.
pub const MAX_SESSIONS: usize = 5_000;

/// Returns the sessions of each row that begin on the day. None if they are too many.
///
/// # Errors
/// The database does not answer.
pub async fn of_rows(
    admission: &Admission<'_>,
    rows: &[AttendanceRow],
    (day, axis): (Date, &Axis),
    employees: bool,
) -> Result<Option<Vec<Vec<Span>>>, Unavailable> {
    let mut indexes: HashMap<Subject, usize> = HashMap::new();
    for (index, row) in rows.iter().enumerate() {
        indexes.insert(normalized(Subject::of(row, employees)), index);
    }
    let mut spans = vec![Vec::new(); rows.len()];
    let mut count = 0;
    for persons in filters(indexes.keys()) {
        let limit = u32::try_from(MAX_SESSIONS + 1 - count).unwrap_or(0);
        let found = of_persons(admission, persons, (day, axis), limit).await?;
        count += found.len();
        if count > MAX_SESSIONS {
            return Ok(None);
        }
        for session in found {
            let index = subject(&session, employees).and_then(|subject| indexes.get(&subject));
            if let (Some(index), Some(span)) = (index, span(&session)) {
                spans[*index].push(span);
            }
        }
    }
    Ok(Some(spans))
}

/// Returns at most `limit` sessions of these persons that begin on the day.
async fn of_persons(
    admission: &Admission<'_>,
    persons: PersonFilter,
    (day, axis): (Date, &Axis),
    limit: u32,
) -> Result<Vec<ListedSession>, Unavailable> {
    let (start, end) = axis.bounds();
    let moment = admission.moment();
    let selection = ListSelection {
        start,
        end,
        persons,
        sources: Vec::new(),
        is_open: None,
        first_day: day,
        day_bounds: vec![start, end],
    };
    admission
        .ask(async |connection| sessions::list(connection, &selection, None, limit, moment).await)
        .await
}

/// Returns the filters that find all these persons and employees. They may find others too.
fn filters<'a>(subjects: impl Iterator<Item = &'a Subject>) -> Vec<PersonFilter> {
    let (mut persons, mut employees) = (PersonFilter::default(), PersonFilter::default());
    for subject in subjects {
        match subject {
            Subject::Person { user, realm } => {
                persons.users.push(user.clone());
                persons.realms.push(realm.clone());
            }
            Subject::Employee(employee) => employees.employee_ids.push(employee.clone()),
        }
    }
    [persons, employees]
        .into_iter()
        .filter(|filter| !filter.is_empty())
        .collect()
}

fn subject(session: &ListedSession, employees: bool) -> Option<Subject> {
    match &session.employee_id {
        Some(employee) if employees => Some(Subject::Employee(employee.clone())),
        _ => Some(normalized(Subject::Person {
            user: session.user.clone()?,
            realm: session.realm.clone()?,
        })),
    }
}

fn normalized(subject: Subject) -> Subject {
    match subject {
        Subject::Person { user, realm } => Subject::Person {
            user: normalize(&user),
            realm: normalize(&realm),
        },
        employee @ Subject::Employee(_) => employee,
    }
}

fn span(session: &ListedSession) -> Option<Span> {
    Some(Span {
        login_at: session.login_at?,
        last_activity_at: session.last_activity_at,
        end_reason: session.end_reason.as_deref().and_then(EndReason::parse),
    })
}
