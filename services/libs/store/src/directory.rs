//! The directory of persons and employees.

mod employees;
mod people;

pub use employees::{Employee, EmployeeSelection, MappedPerson, employees};
pub use people::{KnownPerson, PeopleSelection, PersonPosition, people};
