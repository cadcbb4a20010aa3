//! Attendance computed from sessions.

mod goldens;
mod world;
