//! The service `console`: HTML pages for HR and the operator.

pub mod assets;
pub mod attendance;
pub mod auth;
pub mod calendars;
pub mod console;
pub mod cross_site;
pub mod elements;
pub mod error;
pub mod exceptions;
pub mod form;
pub mod headers;
pub mod invalid;
pub mod layout;
pub mod messages;
pub mod moments;
pub mod parameters;
pub mod people;
pub mod person;
pub mod routes;
pub mod sessions;
pub mod startup;
pub mod system;
pub mod times;
pub mod unmapped;
pub mod visitor;
