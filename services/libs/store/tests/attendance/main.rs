//! Attendance computed from sessions.

mod absent;
mod goldens;
mod oracle;
mod world;
mod zones;
