//! Parameters of the page of a person, parsed from its address.

use jiff::civil::Date;
use rollcall_attendance::row::AttendanceRow;
use rollcall_store::persons::PersonFilter;

use crate::{
    attendance::query::Query as AttendanceQuery,
    parameters::{Invalid, Parameters},
};

/// Address of the page.
pub const PATH: &str = "/console/person";

/// Content of the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Query {
    /// The person or employee.
    pub subject: Subject,
    /// The day whose evidence is shown. The calendar shows its month.
    pub date: Date,
    /// Name of the calendar.
    pub calendar: String,
}

/// Person or employee whose attendance the page shows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Subject {
    /// A person.
    Person {
        /// User, in any case.
        user: String,
        /// Realm, in any case.
        realm: String,
    },
    /// All persons of an employee.
    Employee(String),
}

impl Subject {
    /// Returns the subject of a row. With `employees`, persons of one employee are one subject.
    #[must_use]
    pub fn of(row: &AttendanceRow, employees: bool) -> Self {
        match &row.employee_id {
            Some(employee) if employees => Self::Employee(employee.clone()),
            _ => Self::Person {
                user: row.user.clone(),
                realm: row.realm.clone(),
            },
        }
    }
}

impl Query {
    /// Parses a query string. `today` is the default of the date.
    ///
    /// # Errors
    /// Lists all parameters that are missing or invalid.
    pub fn parse(query: &str, today: Date) -> Result<Self, Vec<Invalid>> {
        let mut given = Parameters::new(query);
        let subject = match (
            given.name("user"),
            given.name("realm"),
            given.name("employee"),
        ) {
            (None, None, Some(employee)) => Some(Subject::Employee(employee)),
            (Some(user), Some(realm), None) => Some(Subject::Person { user, realm }),
            _ => None,
        };
        let query = subject.map(|subject| Self {
            subject,
            date: given.date("date").unwrap_or(today),
            calendar: given.name("calendar").unwrap_or_else(|| "default".into()),
        });
        given.finish()?;
        query.ok_or_else(|| vec![Invalid::new("user", "", "invalid.subject")])
    }

    /// Returns the persons to ask the database for.
    #[must_use]
    pub fn persons(&self) -> PersonFilter {
        match self.subject.clone() {
            Subject::Person { user, realm } => PersonFilter {
                users: vec![user],
                realms: vec![realm],
                employee_ids: Vec::new(),
            },
            Subject::Employee(employee) => PersonFilter {
                employee_ids: vec![employee],
                ..PersonFilter::default()
            },
        }
    }

    /// Returns the address of the page.
    #[must_use]
    pub fn address(&self) -> String {
        format!("{PATH}?{}", self.encoded())
    }

    /// Returns the query string.
    #[must_use]
    pub fn encoded(&self) -> String {
        let mut pairs = match &self.subject {
            Subject::Person { user, realm } => {
                vec![("user", user.clone()), ("realm", realm.clone())]
            }
            Subject::Employee(employee) => vec![("employee", employee.clone())],
        };
        pairs.push(("date", self.date.to_string()));
        if self.calendar != "default" {
            pairs.push(("calendar", self.calendar.clone()));
        }
        // A list of pairs can always be encoded.
        serde_urlencoded::to_string(pairs).unwrap_or_default()
    }

    /// Returns the address of the same page at another date.
    #[must_use]
    pub fn at(&self, date: Date) -> String {
        let query = Self {
            date,
            ..self.clone()
        };
        query.address()
    }
}

/// Returns the address of the page of a row's person or employee.
#[must_use]
pub fn address(query: &AttendanceQuery, row: &AttendanceRow) -> String {
    let first_login = row
        .first_login_at
        .map(|at| at.to_zoned(row.time_zone.clone()).date());
    let query = Query {
        subject: Subject::of(row, query.employees),
        date: row.date.or(first_login).unwrap_or(query.date),
        calendar: query.calendar.clone(),
    };
    query.address()
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    const TODAY: Date = date(2025, 2, 13);

    #[test]
    fn address_is_read_back() {
        for subject in [
            Subject::Employee("E-1 & <b>".into()),
            Subject::Person {
                user: "zoë+x=%".into(),
                realm: "Default".into(),
            },
        ] {
            let query = Query {
                subject,
                date: date(2025, 1, 2),
                calendar: "berlin".into(),
            };
            let address = query.address();
            let (_, encoded) = address.split_once('?').expect("a query");
            assert_eq!(Query::parse(encoded, TODAY), Ok(query));
        }
    }

    #[test]
    fn subject_must_be_one_person_or_one_employee() {
        let errors = |query: &str| {
            let errors = Query::parse(query, TODAY).expect_err("an error");
            errors
                .into_iter()
                .map(|error| error.expected)
                .collect::<Vec<_>>()
        };
        for query in [
            "",
            "user=a",
            "realm=a",
            "employee=a&user=b",
            "user=a&realm=b&employee=c",
        ] {
            assert_eq!(errors(query), ["invalid.subject"], "{query}");
        }
        let query = "user=a&realm=b&date=2025-02-30&x=1";
        assert_eq!(errors(query), ["invalid.date", "invalid.unknown"]);
    }
}
