use std::{
    fs,
    io::{Cursor, Read},
    path::PathBuf,
};

use futures::{StreamExt, stream as streams};
use zip::ZipArchive;

use super::*;
use crate::{
    Format as FileFormat, Options,
    samples::{at, closed_row, file, options},
};

/// Returns a workbook of rows, on sheets of at most `max_rows` rows.
fn book(
    rows: impl IntoIterator<Item = AttendanceRow>,
    max_rows: u32,
) -> ZipArchive<Cursor<Vec<u8>>> {
    let metadata = [("time_zone".to_owned(), "Asia/Kolkata".to_owned())];
    let scratch = std::env::temp_dir();
    let mut book = Book::new(Layout::default(), &metadata, &scratch, max_rows).expect("a book");
    rows.into_iter()
        .for_each(|row| book.push(row).expect("a row"));
    book.end_sheet().expect("a filter");
    let bytes = book.workbook.save_to_buffer().expect("an archive");
    ZipArchive::new(Cursor::new(bytes)).expect("an archive")
}

fn part(archive: &mut ZipArchive<Cursor<Vec<u8>>>, name: &str) -> String {
    let mut text = String::new();
    let mut part = archive.by_name(name).expect("the part");
    part.read_to_string(&mut text).expect("UTF-8");
    text
}

/// Returns the content of a cell in the XML of a sheet.
fn cell<'a>(sheet: &'a str, name: &str) -> &'a str {
    let start = sheet.find(&format!("<c r=\"{name}\"")).expect("the cell");
    let length = sheet[start..].find("</c>").expect("its end");
    let cell = &sheet[start..start + length];
    &cell[cell.find('>').expect("its tag") + 1..]
}

#[test]
fn dates_are_numbers_of_local_time() {
    let mut archive = book([closed_row()], MAX_ROWS);
    let sheet = part(&mut archive, "xl/worksheets/sheet1.xml");
    // 2025-01-01 is day 45,658; 15:30 is 0.6458 of a day.
    assert_eq!(cell(&sheet, "A2"), "<v>45658</v>");
    assert!(cell(&sheet, "E2").starts_with("<v>45658.6458"), "{sheet}");
    assert!(cell(&sheet, "B2").contains("user_4"));
    assert_eq!(cell(&sheet, "G2"), "<v>2</v>");
    assert!(!sheet.contains("r=\"I2\""), "null is an empty cell");
    let styles = part(&mut archive, "xl/styles.xml");
    assert!(styles.contains("yyyy-mm-dd hh:mm:ss"));
}

#[test]
fn header_is_frozen_and_has_a_filter() {
    let mut archive = book([closed_row(), closed_row()], MAX_ROWS);
    let sheet = part(&mut archive, "xl/worksheets/sheet1.xml");
    assert!(sheet.contains("state=\"frozen\""));
    assert!(sheet.contains("<autoFilter ref=\"A1:M3\""), "{sheet}");
    assert!(cell(&sheet, "M1").contains("status"));
    assert!(part(&mut archive, "docProps/custom.xml").contains("Asia/Kolkata"));
}

#[test]
fn rows_beyond_a_full_sheet_are_on_the_next() {
    let mut archive = book(vec![closed_row(); 5], 3);
    assert!(part(&mut archive, "xl/workbook.xml").contains("name=\"Attendance 3\""));
    let rows = |sheet: &str| sheet.matches("<row ").count();
    let sheets: Vec<_> = (1..=3)
        .map(|sheet| part(&mut archive, &format!("xl/worksheets/sheet{sheet}.xml")))
        .collect();
    assert_eq!(
        sheets.iter().map(|it| rows(it)).collect::<Vec<_>>(),
        [3, 3, 2]
    );
    assert!(sheets[2].contains("state=\"frozen\"") && sheets[2].contains("<autoFilter"));
}

#[test]
fn text_is_never_a_formula_and_old_times_are_text() {
    let mut row = closed_row();
    row.user = "=1+1".into();
    row.first_login_at = Some(at("1800-01-01T00:00:00Z"));
    let sheet = part(&mut book([row], MAX_ROWS), "xl/worksheets/sheet1.xml");
    assert!(!sheet.contains("<f>"));
    assert!(cell(&sheet, "B2").contains("=1+1"));
    assert!(cell(&sheet, "E2").contains("1800-01-01T"), "{sheet}");
}

#[test]
fn scratch_directory_that_is_missing_is_an_error() {
    let options = Options {
        scratch_directory: PathBuf::from("/nonexistent"),
        ..options(Layout::default())
    };
    let (bytes, error) = file(FileFormat::Xlsx, [Ok(closed_row())], options);
    assert_eq!(bytes, b"");
    assert!(matches!(error, Some(EncodeError::Scratch(_))), "{error:?}");
}

/// Returns the files of this process in a directory, those without a name too.
fn open_files(directory: &Path) -> usize {
    let links = fs::read_dir("/proc/self/fd").expect("the open files");
    links
        .filter_map(|link| fs::read_link(link.ok()?.path()).ok())
        .filter(|path| path.starts_with(directory))
        .count()
}

#[test]
fn scratch_files_disappear_with_a_stream_that_is_dropped() {
    let directory = std::env::temp_dir().join(format!("rollcall-{}", std::process::id()));
    fs::create_dir(&directory).expect("a directory");
    let options = Options {
        scratch_directory: directory.clone(),
        ..options(Layout::default())
    };
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    runtime.block_on(async {
        let rows = streams::iter((0..5_000).map(|_| Ok::<_, EncodeError>(closed_row())));
        let mut chunks = FileFormat::Xlsx.encode(rows, options);
        chunks.next().await.expect("a chunk").expect("rows");
        assert_eq!(open_files(&directory), 1);
    });
    // Waits for the thread that sends the archive, which ends because nobody receives it.
    drop(runtime);
    assert_eq!(open_files(&directory), 0);
    fs::remove_dir(&directory).expect("no file is left");
}
