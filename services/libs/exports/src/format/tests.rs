use std::{
    io::Cursor,
    iter,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use futures::{executor::block_on, stream};
use parquet::file::reader::SerializedFileReader;

use super::*;
use crate::samples::{file, options, row};

fn broken() -> EncodeError {
    EncodeError::Scratch("the database is gone".into())
}

/// Returns what is sent of a file before the input breaks off.
fn cut(format: Format, rows: u64) -> Vec<u8> {
    let rows = (0..rows).map(|index| Ok(row(index)));
    let (bytes, error) = file(
        format,
        rows.chain([Err(broken())]),
        options(Layout::default()),
    );
    assert_eq!(
        error.map(|error| error.to_string()),
        Some(broken().to_string())
    );
    bytes
}

fn whole(format: Format, rows: u64) -> Vec<u8> {
    let rows = (0..rows).map(|index| Ok(row(index)));
    let (bytes, error) = file(format, rows, options(Layout::default()));
    assert!(error.is_none(), "{error:?}");
    bytes
}

#[test]
fn error_of_the_input_is_an_error_of_the_csv() {
    let (cut, whole) = (cut(Format::Csv, 2_000), whole(Format::Csv, 2_000));
    assert!(!cut.is_empty() && cut.len() < whole.len());
    assert!(whole.starts_with(&cut));
}

#[test]
fn cut_ndjson_lacks_its_last_line() {
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    let (cut, whole) = (
        text(cut(Format::Ndjson, 2_000)),
        text(whole(Format::Ndjson, 2_000)),
    );
    assert!(whole.ends_with("}\n{\"rows\":2000}\n"));
    assert_eq!(whole.lines().count(), 2_001);
    assert!(!cut.is_empty() && !cut.contains("\"rows\""));
}

#[test]
fn cut_parquet_cannot_be_read() {
    let bytes = Bytes::from(cut(Format::Parquet, 12_000));
    assert!(!bytes.is_empty());
    assert!(SerializedFileReader::new(bytes).is_err());
    let bytes = Bytes::from(whole(Format::Parquet, 12_000));
    assert!(SerializedFileReader::new(bytes).is_ok());
}

#[test]
fn workbook_is_sent_only_when_all_rows_are_known() {
    assert_eq!(cut(Format::Xlsx, 2_000), b"");
    let bytes = whole(Format::Xlsx, 2_000);
    assert!(zip::ZipArchive::new(Cursor::new(&bytes)).is_ok());
    let part = Cursor::new(&bytes[..bytes.len() - 30]);
    assert!(zip::ZipArchive::new(part).is_err());
}

#[test]
fn rows_are_read_only_as_fast_as_chunks_are_taken() {
    for format in [Format::Csv, Format::Ndjson, Format::Parquet] {
        let read = AtomicU64::new(0);
        let rows = iter::repeat_with(|| Ok::<_, EncodeError>(row(read.fetch_add(1, Relaxed))));
        let mut chunks = format.encode(stream::iter(rows), options(Layout::default()));
        let chunk = block_on(chunks.next()).expect("a chunk");
        assert!(!chunk.expect("rows").is_empty());
        let read = read.load(Relaxed);
        assert!((1..=20_000).contains(&read), "{format:?}: {read}");
    }
}

#[test]
fn chunks_are_neither_tiny_nor_large() {
    for format in Format::ALL {
        let rows = (0..12_000).map(|index| Ok::<_, EncodeError>(row(index)));
        let chunks = format.encode(stream::iter(rows), options(Layout::default()));
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let sizes = chunks.map(|chunk| chunk.expect("rows").len());
        let sizes: Vec<usize> = runtime.block_on(sizes.collect());
        assert!(sizes.len() > 2, "{format:?}: {sizes:?}");
        let (_, all_but_last) = sizes.split_last().expect("chunks");
        let fits = |size: &usize| (16 * 1024..=64 * 1024).contains(size);
        assert!(all_but_last.iter().all(fits), "{format:?}: {sizes:?}");
    }
}

#[test]
fn format_is_parsed_by_its_name() {
    for format in Format::ALL {
        assert_eq!(Format::parse(format.extension()), Some(format));
    }
    assert_eq!(Format::parse("CSV"), None);
}
