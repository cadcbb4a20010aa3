//! The doors through which sources report, and the recorder behind them.

pub mod body;
pub mod openapi;
pub mod recorder;
pub mod routes;
pub mod source_key;
pub mod startup;
