//! Log lines without what differs between lines of the same kind.

use std::{borrow::Cow, sync::LazyLock};

use regex::Regex;

/// Maximum length of a masked line, in characters.
const MAX_CHARS: usize = 160;

/// Quoted values, the months of dates, and numbers and addresses with what belongs to them.
static VARIABLE: LazyLock<Regex> = LazyLock::new(|| {
    let patterns = [
        r#"(?<quoted>"[^"]*"|'[^']*')"#,
        r"\b(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) +[0-9]{1,2}\b",
        r"(?:\b[0-9A-Fa-f]{1,4}[:-])*[0-9A-Fa-f]*(?:[0-9]|::)[0-9A-Fa-f]*(?:[.:/-]+[0-9A-Fa-f]+)*",
    ];
    Regex::new(&patterns.join("|")).expect("constant patterns are valid")
});

/// Returns a line in which quoted values are `"…"`, and numbers, dates and addresses are `#`.
pub fn masked(line: &str) -> String {
    let masked = VARIABLE.replace_all(line.trim(), |captures: &regex::Captures| {
        if captures.name("quoted").is_some() {
            Cow::from("\"…\"")
        } else {
            Cow::from("#")
        }
    });
    masked.chars().take(MAX_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_same_kind_have_the_same_mask() {
        for (line, other) in [
            (
                "Nov 26 09:00:01 gw sshd[7]: Failed password for \"asha\" from 192.0.2.5 port 5",
                "Dec  1 10:10:10 gw sshd[812]: Failed password for \"bo\" from 2001:db8::5 port 51",
            ),
            (
                "<189>date=2026-11-26 time=09:00:01 mac=00:1a:2b:3c:4d:5e n='x y'",
                "<190>date=2026-12-01 time=19:10:01 mac=ff:1a:2b:3c:4d:50 n=\"\"",
            ),
        ] {
            assert_eq!(masked(line), masked(other));
        }
        assert_eq!(masked("user=asha id=5"), "user=asha id=#");
        assert_ne!(masked("login 5"), masked("logout 5"));
    }
}
