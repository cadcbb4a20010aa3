//! Attendance computed from sessions.

mod goldens;
mod oracle;
mod world;
mod zones;
