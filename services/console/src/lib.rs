//! The service `console`: HTML pages for HR and the operator.

pub mod assets;
pub mod auth;
pub mod console;
pub mod cross_site;
pub mod error;
pub mod form;
pub mod headers;
pub mod layout;
pub mod messages;
pub mod moments;
pub mod routes;
pub mod sessions;
pub mod startup;
pub mod visitor;
