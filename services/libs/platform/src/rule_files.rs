//! Reads the operator's files with syslog rules.

use std::{
    io,
    path::{Path, PathBuf},
};

/// Returns path and text of each `.toml` file in the directory, ordered by name. Returns no file if
/// the directory does not exist.
///
/// # Errors
/// The directory or a file cannot be read. The error names it.
pub fn read(directory: &Path) -> io::Result<Vec<(PathBuf, String)>> {
    let named = |path: &Path, error: &io::Error| {
        io::Error::new(error.kind(), format!("{}: {error}", path.display()))
    };
    let entries = match directory.read_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| named(directory, &error))?,
    };
    let mut paths = entries
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    paths.retain(|path| path.extension().is_some_and(|name| name == "toml"));
    paths.sort();
    paths
        .into_iter()
        .map(|path| match std::fs::read_to_string(&path) {
            Ok(text) => Ok((path, text)),
            Err(error) => Err(named(&path, &error)),
        })
        .collect()
}
