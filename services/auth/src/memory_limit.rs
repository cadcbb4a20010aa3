//! The memory limit of the container.

use std::fs;

/// Files with the memory limit inside a container: cgroup version 2, then version 1.
const FILES: [&str; 2] = [
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
];

/// Returns the memory limit in bytes, or `None` if there is no limit.
#[must_use]
pub fn bytes() -> Option<u64> {
    let text = FILES
        .iter()
        .find_map(|file| fs::read_to_string(file).ok())?;
    parse(&text)
}

/// Parses a memory limit. Without a limit, version 2 has `max` and version 1 a number close to
/// 2^63.
fn parse(text: &str) -> Option<u64> {
    text.trim().parse().ok().filter(|bytes| *bytes < 1 << 62)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limit_of_either_version_is_read() {
        assert_eq!(parse("268435456\n"), Some(256 * 1024 * 1024));
        assert_eq!(parse("max\n"), None);
        assert_eq!(parse("9223372036854771712\n"), None);
    }
}
