use encoding_rs::WINDOWS_1252;
use proptest::prelude::*;

use super::*;

fn open(file: impl Into<Vec<u8>>) -> Reader {
    open_as(file, Format::default())
}

fn open_as(file: impl Into<Vec<u8>>, format: Format) -> Reader {
    Reader::open(Cursor::new(file.into()), format).expect("a file in memory")
}

/// Returns the rows, each as its line and its first cell.
fn rows(reader: &mut Reader) -> Vec<(u64, String)> {
    let mut rows = Vec::new();
    while let Some(row) = reader.next_row().expect("a file in memory") {
        rows.push((row.line, row.record[0].to_owned()));
    }
    rows
}

fn utf_16(text: &str, to_bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
    text.encode_utf16().flat_map(to_bytes).collect()
}

#[test]
fn line_number_counts_blank_lines_and_lines_within_quotation_marks() {
    let file = "\na,b\n\n1,\"x\ny\n\"\n\n2,\n3,\"\"";
    for line_end in ["\n", "\r\n"] {
        let mut reader = open(file.replace('\n', line_end));
        let found: Vec<u64> = rows(&mut reader).iter().map(|row| row.0).collect();
        assert_eq!(found, [4, 8, 9], "{line_end:?}");
    }
}

#[test]
fn row_without_a_closing_quotation_mark_has_the_line_where_it_begins() {
    assert_eq!(rows(&mut open("a,b\n1,2\n3,\"x\ny\n"))[1].0, 3);
}

#[test]
fn delimiter_is_the_most_frequent_outside_quotation_marks() {
    for (header, delimiter) in [
        ("a,b", b','),
        ("a;b,c;d", b';'),
        ("a\tb", b'\t'),
        ("\"a,b,c\"|d", b'|'),
        ("a", b','),
        ("", b','),
    ] {
        assert_eq!(open(header).delimiter(), delimiter, "{header}");
    }
}

#[test]
fn encoding_is_detected() {
    let text = "user,note\nZoë,naïve\n";
    let (windows, _, _) = WINDOWS_1252.encode(text);
    for (file, name) in [
        (text.as_bytes().to_vec(), "UTF-8"),
        (format!("\u{feff}{text}").into_bytes(), "UTF-8"),
        (windows.into_owned(), "windows-1252"),
        (utf_16(text, u16::to_le_bytes), "UTF-16LE"),
        (utf_16(text, u16::to_be_bytes), "UTF-16BE"),
        (
            utf_16(&format!("\u{feff}{text}"), u16::to_le_bytes),
            "UTF-16LE",
        ),
        (
            utf_16(&format!("\u{feff}{text}"), u16::to_be_bytes),
            "UTF-16BE",
        ),
    ] {
        let mut reader = open(file);
        assert_eq!(&reader.headers()[0], "user", "{name}");
        assert_eq!(rows(&mut reader), [(2, "Zoë".to_owned())], "{name}");
        assert_eq!(reader.encoding(), name);
    }
}

#[test]
fn byte_order_mark_takes_precedence_over_the_given_encoding() {
    let format = Format {
        encoding: Some(WINDOWS_1252),
        ..Format::default()
    };
    assert_eq!(rows(&mut open_as("\u{feff}a\né", format))[0].1, "é");
    assert_eq!(rows(&mut open_as(b"a\n\xe9".to_vec(), format))[0].1, "é");
}

#[test]
fn row_that_is_not_utf_8_after_one_that_is_has_a_problem() {
    let mut reader = open(b"a\n\xc3\xa9\n\xe9\n".to_vec());
    let mut next = || reader.next_row().expect("a file").expect("a row").problem;
    assert_eq!(next(), None);
    assert_eq!(next(), Some(RowError::NotUtf8));
}

#[test]
fn row_with_more_cells_than_the_header_has_a_problem_unless_they_are_empty() {
    let mut reader = open("a,b\n1,2,\n1,2,3\n");
    let mut next = || reader.next_row().expect("a file").expect("a row").problem;
    assert_eq!(next(), None);
    let (cells, columns) = (3, 2);
    assert_eq!(next(), Some(RowError::TooManyCells { cells, columns }));
}

#[test]
fn columns_that_say_why_a_row_was_rejected_are_skipped() {
    let header = REJECT_COLUMNS.join(",");
    let mut reader = open(format!("{header},user\n7,user,why,asha\n"));
    assert_eq!(&reader.headers()[0], "user");
    assert_eq!(rows(&mut reader), [(2, "asha".to_owned())]);
}

proptest! {
    #[test]
    fn any_file_can_be_read(file in prop::collection::vec(any::<u8>(), 0..400)) {
        let found = rows(&mut open(file));
        prop_assert!(found.iter().all(|(line, _)| *line >= 1));
    }

    #[test]
    fn line_number_is_that_of_the_row_in_the_file(
        rows in prop::collection::vec(prop::collection::vec("[a\"\n;]{0,4}", 1..4), 1..20),
        blank_lines in prop::collection::vec(0..3_usize, 20),
    ) {
        let mut file = String::from("h\n");
        let mut expected = Vec::new();
        for (cells, blank) in rows.iter().zip(blank_lines) {
            file += &"\n".repeat(blank);
            let line = file.matches('\n').count() + 1;
            let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            file += &(cells.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n");
            if cells.iter().any(|cell| !cell.trim().is_empty()) {
                expected.push(u64::try_from(line).expect("a small number"));
            }
        }
        let found: Vec<u64> = super::tests::rows(&mut open(file)).iter().map(|row| row.0).collect();
        prop_assert_eq!(found, expected);
    }
}
