//! Attendance reports of version 2: downloads read by independent programs, downloads that break
//! off, and the recipes in the documentation.

mod broken_off;
mod formats;
mod recipes;
