//! The parameters of `/api/v2/attendance`, parsed once.

use actix_web::HttpRequest;
use jiff::civil::Date;
use rollcall_platform::envelope::Problem;
use rollcall_store::attendance::{Attribution, Calendars, Grouping, Position, Selection, Subject};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    output::Output,
    words::{AttributionWord, GroupBy, Include, SubjectWord},
};
use crate::{
    reports::{Extent, Reports},
    v2::{
        calendars::CalendarParameter,
        parameters::{PageParameters, Parameters},
    },
};

/// Place of a row in a cursor.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CursorPosition(Option<Date>, String, String, Option<String>);

impl From<Position> for CursorPosition {
    fn from(position: Position) -> Self {
        let Position {
            date,
            user,
            realm,
            employee_id,
        } = position;
        Self(date, user, realm, employee_id)
    }
}

impl From<CursorPosition> for Position {
    fn from(CursorPosition(date, user, realm, employee_id): CursorPosition) -> Self {
        Self {
            date,
            user,
            realm,
            employee_id,
        }
    }
}

/// Parameters of a request.
#[derive(Debug)]
pub struct Query {
    /// Calendar of the reporting days.
    pub calendar: CalendarParameter,
    /// First reporting day.
    pub first: Date,
    /// Last reporting day, included.
    pub last: Date,
    /// Form of the response.
    pub output: Output,
    /// Part of the list, for a response in pages.
    pub page: PageParameters<CursorPosition>,
    /// The parameters for the audit log.
    pub detail: Value,
    filters: Filters,
}

#[derive(Debug)]
struct Filters {
    users: Vec<String>,
    realms: Vec<String>,
    employee_ids: Vec<String>,
    grouping: Grouping,
    subject: Subject,
    attribution: Attribution,
    include_absent: bool,
}

impl Query {
    /// Parses the parameters of a request.
    ///
    /// # Errors
    /// 400 that lists all invalid parameters, 406 if no format fits the header `Accept`.
    pub fn parse(request: &HttpRequest, reports: &Reports) -> Result<Self, Problem> {
        let mut parameters = Parameters::of(request);
        let dates = (parameters.date("start_date"), parameters.date("end_date"));
        let calendar = CalendarParameter::take(&mut parameters, &reports.default_calendar());
        calendar.check_period(&mut parameters, reports, dates);
        let filters = Filters::take(&mut parameters);
        let page = parameters.page::<CursorPosition>();
        let output = Output::take(&mut parameters, request);
        parameters.finish()?;
        let present = |date: Option<Date>| date.expect("`finish` rejects a request without it");
        Ok(Self {
            calendar,
            first: present(dates.0),
            last: present(dates.1),
            output: output?,
            page,
            detail: parameters.detail(),
            filters,
        })
    }

    /// Returns how much the report reads.
    #[must_use]
    pub fn extent(&self) -> Extent {
        Extent::of_persons(self.filters.users.len() + self.filters.employee_ids.len())
    }

    /// Returns the selection of rows, on the days of these calendars.
    #[must_use]
    pub fn selection(&self, calendars: Calendars) -> Selection {
        Selection {
            first: self.first,
            last: self.last,
            calendars,
            users: self.filters.users.clone(),
            realms: self.filters.realms.clone(),
            employee_ids: self.filters.employee_ids.clone(),
            sources: Vec::new(),
            grouping: self.filters.grouping,
            subject: match self.output {
                Output::Shape { .. } => Subject::Employee,
                _ => self.filters.subject,
            },
            attribution: self.filters.attribution,
            include_absent: self.filters.include_absent,
        }
    }

    /// Returns the position after which the page begins.
    #[must_use]
    pub fn after(&self) -> Option<Position> {
        self.page.after.clone().map(Into::into)
    }
}

impl Filters {
    fn take(parameters: &mut Parameters) -> Self {
        Self {
            users: parameters.names("user"),
            realms: parameters.names("realm"),
            employee_ids: parameters.names("employee_id"),
            grouping: parameters
                .word::<GroupBy>("group_by")
                .map_or(Grouping::Day, Into::into),
            subject: parameters
                .word::<SubjectWord>("subject")
                .map_or(Subject::Person, Into::into),
            attribution: parameters
                .word::<AttributionWord>("attribution")
                .map_or(Attribution::Login, Into::into),
            include_absent: parameters.word("include") == Some(Include::Absent),
        }
    }
}
