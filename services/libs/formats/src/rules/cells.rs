//! Rows of CSV.

use std::borrow::Cow;

/// Returns the cells of a row. A cell in double quotes may contain the separator and `""`.
pub(super) fn cells(text: &str, separator: char) -> Vec<Cow<'_, str>> {
    let mut cells = Vec::new();
    let mut rest = text;
    loop {
        let (cell, after) = cell(rest, separator);
        cells.push(cell);
        match after {
            Some(after) => rest = after,
            None => return cells,
        }
    }
}

fn cell(text: &str, separator: char) -> (Cow<'_, str>, Option<&str>) {
    let quoted = text
        .trim_start_matches(' ')
        .strip_prefix('"')
        .and_then(|quoted| {
            let mut quotes = quoted.match_indices('"').map(|(position, _)| position);
            let end = loop {
                let position = quotes.next()?;
                if !quoted[position + 1..].starts_with('"') {
                    break position;
                }
                quotes.next();
            };
            Some((quoted[..end].replace("\"\"", "\""), &quoted[end + 1..]))
        });
    match quoted {
        Some((cell, rest)) => (
            cell.into(),
            rest.split_once(separator).map(|(_, after)| after),
        ),
        None => match text.split_once(separator) {
            Some((cell, after)) => (cell.into(), Some(after)),
            None => (text.into(), None),
        },
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn cells_of_any_text_are_separated(text in "([a-z\", ]|\\PC){0,40}") {
            let count = cells(&text, ',').len();
            prop_assert!((1..=text.matches(',').count() + 1).contains(&count));
        }

        #[test]
        fn cells_of_a_written_row_are_the_same(
            row in prop::collection::vec("[a-z,\" ]{0,9}", 1..6),
        ) {
            let quoted = row.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\"")));
            let text = quoted.collect::<Vec<_>>().join(",");
            prop_assert_eq!(cells(&text, ','), row);
        }
    }
}
