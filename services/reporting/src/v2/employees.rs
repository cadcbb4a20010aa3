//! `GET /api/v2/employees`: employees with their persons.

use actix_web::{HttpRequest, HttpResponse, web::Data};
use jiff::civil::Date;
use rollcall_attendance::period::parse_date;
use rollcall_platform::envelope::Problem;
use rollcall_store::directory::{self, Employee, EmployeeSelection, MappedPerson};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    list::List,
    openapi::Problems,
    parameters::{Limit, Parameters},
};
use crate::{
    access::Access,
    reports::{Call, Extent, Reports},
};

/// Maximum number of days that `without_sessions_since` may lie back: ten years.
const MAX_DAYS: i64 = 3_660;

/// An employee.
#[derive(Debug, Serialize, ToSchema)]
pub struct EmployeeItem {
    /// ID in the HR system.
    #[schema(example = "E-1004")]
    pub employee_id: String,
    /// Persons of the employee.
    pub persons: Vec<PersonOfEmployee>,
}

/// A person and the reporting days on which it is mapped to an employee.
#[derive(Debug, Serialize, ToSchema)]
pub struct PersonOfEmployee {
    /// Display form of the user.
    #[schema(example = "user_4")]
    pub user: String,
    /// Display form of the realm.
    #[schema(example = "Default")]
    pub realm: String,
    /// Calendar of the person on these days.
    #[schema(example = "default")]
    pub calendar: String,
    /// First day, included. Null: no bound.
    #[schema(value_type = Option<String>, format = Date, required, example = "2024-11-01")]
    pub valid_from: Option<Date>,
    /// Last day, included. Null: no bound.
    #[schema(value_type = Option<String>, format = Date, required, example = json!(null))]
    pub valid_to: Option<Date>,
}

impl From<MappedPerson> for PersonOfEmployee {
    fn from(person: MappedPerson) -> Self {
        Self {
            user: person.user,
            realm: person.realm,
            calendar: person.calendar,
            valid_from: person.valid_from,
            valid_to: person.valid_to,
        }
    }
}

impl From<Employee> for EmployeeItem {
    fn from(employee: Employee) -> Self {
        Self {
            employee_id: employee.employee_id,
            persons: employee.persons.into_iter().map(Into::into).collect(),
        }
    }
}

/// Returns employees with their persons, ordered by employee ID.
#[utoipa::path(get, path = "/api/v2/employees", operation_id = "listEmployees",
    tag = "Directory", security(("token" = ["reporting:read"])),
    params(
    ("employee_id" = Option<Vec<String>>, Query, description = "Employee; may be repeated"),
    ("without_sessions_since" = Option<String>, Query, format = Date,
        description = "Only employees without a login since this reporting day of the calendar \
            `default`, at most ten years ago"),
    ("limit" = inline(Option<Limit>), Query, description = "Maximum number of employees of a page"),
    ("cursor" = Option<String>, Query, description = "Value of `next` in the page before"),
    ),
    responses(
    (status = 200, body = List<EmployeeItem>),
    Problems,
))]
pub async fn employees(
    request: HttpRequest,
    access: Data<Access>,
    reports: Data<Reports>,
) -> HttpResponse {
    let list = async |client: &str| list(&request, client, &reports).await;
    access.respond(&request, list).await
}

async fn list(
    request: &HttpRequest,
    client: &str,
    reports: &Reports,
) -> Result<HttpResponse, Problem> {
    let today = reports.today();
    let mut parameters = Parameters::of(request);
    let employee_ids = parameters.names("employee_id");
    let accepted = "a calendar date in the form YYYY-MM-DD, at most ten years ago and not after \
        today";
    let since = parameters.one("without_sessions_since", accepted, |text| {
        let date = parse_date(text)?;
        let days = i64::from((today - date).get_days());
        (0..=MAX_DAYS).contains(&days).then_some(date)
    });
    let page = parameters.page::<String>();
    parameters.finish()?;
    let bounds = since.map(|since| reports.default_calendar().bounds(since, today));
    let call = Call {
        client,
        action: "v2.employees",
        detail: parameters.detail(),
    };
    let admission = reports.admit(call, Extent::Small).await?;
    let selection = EmployeeSelection {
        employee_ids,
        without_sessions_since: since,
        // The last ten years can be represented.
        day_bounds: bounds.and_then(Result::ok).unwrap_or_default(),
    };
    let found = admission.read(async |connection, _| {
        let (after, limit) = (page.after.as_deref(), page.limit + 1);
        directory::employees(connection, &selection, after, limit).await
    });
    let found = found.await?;
    let list = List::page(
        found,
        page.limit,
        |last| page.query.cursor(&last.employee_id),
        EmployeeItem::from,
    );
    Ok(HttpResponse::Ok().json(list))
}
