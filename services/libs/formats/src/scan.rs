//! Reads a text from its start.

use std::{borrow::Cow, iter, ops::RangeInclusive};

/// The rest of a text. A method that returns `None` may have moved the position.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scan<'a>(pub(crate) &'a str);

impl<'a> Scan<'a> {
    /// Reads as many characters as match, and returns them.
    pub(crate) fn take_while(&mut self, matches: impl Fn(char) -> bool) -> &'a str {
        let end = self.0.find(|char| !matches(char)).unwrap_or(self.0.len());
        let (taken, rest) = self.0.split_at(end);
        self.0 = rest;
        taken
    }

    /// Reads a number that has a number of digits in this range, and no digit after it.
    pub(crate) fn number<T: std::str::FromStr>(
        &mut self,
        digits: RangeInclusive<usize>,
    ) -> Option<T> {
        let taken = self.take_while(|char| char.is_ascii_digit());
        digits.contains(&taken.len()).then(|| taken.parse().ok())?
    }

    /// Reads one of these characters.
    pub(crate) fn one_of(&mut self, chars: &[char]) -> Option<char> {
        let char = self.0.chars().next().filter(|char| chars.contains(char))?;
        self.0 = &self.0[char.len_utf8()..];
        Some(char)
    }

    /// Reads blanks, of which there must be at least one.
    pub(crate) fn blanks(&mut self) -> Option<()> {
        (!self.take_while(|char| char == ' ').is_empty()).then_some(())
    }

    /// Applies a parser. If it returns `None`, the position does not change.
    pub(crate) fn optional<T>(&mut self, parse: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        let mut ahead = *self;
        let parsed = parse(&mut ahead)?;
        *self = ahead;
        Some(parsed)
    }
}

/// Returns the position of the quote that ends a value. A backslash escapes the character after it.
pub(crate) fn closing_quote(value: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    value.find(|char| {
        let ends = char == quote && !is_escaped;
        is_escaped = char == '\\' && !is_escaped;
        ends
    })
}

/// Removes the backslash before each of the `escaped` characters.
pub(crate) fn unescaped<'a>(value: &'a str, escaped: &str) -> Cow<'a, str> {
    if !value.contains('\\') {
        return value.into();
    }
    let mut chars = value.chars().peekable();
    iter::from_fn(|| match chars.next()? {
        '\\' => Some(
            chars
                .next_if(|next| escaped.contains(*next))
                .unwrap_or('\\'),
        ),
        other => Some(other),
    })
    .collect::<String>()
    .into()
}
