//! Follows a file that is rotated by renaming or by truncating.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use crate::{lines::MAX_LINE_BYTES, spool::Position};

/// Number of bytes that identify a file together with its inode, which the file system may assign
/// to another file later.
const HEAD_BYTES: usize = 64;
/// Maximum number of bytes read at once.
const MAX_READ_BYTES: usize = 1 << 20;

/// A file that is being followed.
pub struct Follow {
    path: PathBuf,
    file: File,
    /// End of what was read.
    pub position: Position,
}

impl Follow {
    /// Continues at `position`, also if the file has been renamed. Without a position, begins with
    /// the file named `path`.
    ///
    /// # Errors
    /// The file does not exist yet, or cannot be read.
    pub fn start(path: &Path, position: Option<Position>) -> io::Result<Self> {
        if let Some(position) = position {
            if let Some(file) = siblings(path)?
                .into_iter()
                .find_map(|sibling| opened(&sibling, &position))
            {
                return Ok(Self {
                    path: path.to_owned(),
                    file,
                    position,
                });
            }
            tracing::warn!(
                path = %path.display(),
                "The file that was read last no longer exists: its unread lines are lost"
            );
        }
        Self::fresh(path, path)
    }

    fn fresh(path: &Path, file: &Path) -> io::Result<Self> {
        let file = File::open(file)?;
        let position = Position {
            inode: file.metadata()?.ino(),
            head: Vec::new(),
            offset: 0,
        };
        Ok(Self {
            path: path.to_owned(),
            file,
            position,
        })
    }

    /// Returns the complete lines that were added and the position after them, or `None` if there
    /// are no new lines.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&mut self) -> io::Result<Option<(Vec<Vec<u8>>, Position)>> {
        if self.file.metadata()?.len() < self.position.offset
            || !begins_with(&self.file, &self.position.head)?
        {
            tracing::info!(
                path = %self.path.display(),
                "File was truncated, reading it from its beginning"
            );
            (self.position.offset, self.position.head) = (0, Vec::new());
        }
        self.file.seek(SeekFrom::Start(self.position.offset))?;
        let mut part = Vec::new();
        (&self.file)
            .take(MAX_READ_BYTES as u64)
            .read_to_end(&mut part)?;
        // An incomplete line is still being written. A line that exceeds the maximum is cut.
        let whole = match part.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if part.len() > MAX_LINE_BYTES => part.len(),
            None => return Ok(None),
        };
        part.truncate(whole);
        let mut position = self.position.clone();
        position.offset += whole as u64;
        if position.head.len() < HEAD_BYTES {
            let known = usize::try_from(position.offset)
                .unwrap_or(HEAD_BYTES)
                .min(HEAD_BYTES);
            position.head = head(&self.file, known)?;
        }
        let lines = part
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        Ok(Some((lines, position)))
    }

    /// Returns the file that was created after this one, if this one has been rotated. Call this
    /// after reading to the end.
    ///
    /// # Errors
    /// The directory cannot be read.
    pub fn next(&self) -> io::Result<Option<Self>> {
        let siblings = siblings(&self.path)?;
        let Some(own) = siblings
            .iter()
            .position(|sibling| inode(sibling) == Some(self.position.inode))
        else {
            return Ok(siblings
                .last()
                .and_then(|newest| Self::fresh(&self.path, newest).ok()));
        };
        Ok(siblings
            .get(own + 1)
            .and_then(|next| Self::fresh(&self.path, next).ok()))
    }
}

/// Returns the file named `path` and its rotated files, the oldest first. Compressed files are left
/// out, because a position in them is unknown.
fn siblings(path: &Path) -> io::Result<Vec<PathBuf>> {
    let folder = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let other = entry.file_name().to_string_lossy().into_owned();
        let is_sibling = other.strip_prefix(&name).is_some_and(is_rotation);
        if is_sibling && entry.metadata()?.is_file() {
            // The file named `path` is the newest, whatever its modification time is.
            found.push((other == name, entry.metadata()?.modified()?, entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, _, path)| path).collect())
}

/// Returns whether a file with this after its name is the file itself (nothing) or a rotated one:
/// `.1`, `-20261127`, `.2026-11-27T10:00`, `.old`.
fn is_rotation(suffix: &str) -> bool {
    const WORDS: [&str; 3] = [".old", ".prev", ".bak"];
    let is_number = suffix.starts_with(['.', '-', '_'])
        && suffix.contains(|part: char| part.is_ascii_digit())
        && suffix
            .chars()
            .all(|part| part.is_ascii_digit() || ".-_:TZ".contains(part));
    suffix.is_empty() || is_number || WORDS.contains(&suffix)
}

fn inode(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|metadata| metadata.ino())
}

fn opened(path: &Path, position: &Position) -> Option<File> {
    let file = File::open(path).ok()?;
    let is_same =
        file.metadata().ok()?.ino() == position.inode && begins_with(&file, &position.head).ok()?;
    is_same.then_some(file)
}

fn begins_with(file: &File, beginning: &[u8]) -> io::Result<bool> {
    Ok(head(file, beginning.len())? == beginning)
}

fn head(mut file: &File, length: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    file.take(length as u64).read_to_end(&mut head)?;
    Ok(head)
}

#[cfg(test)]
mod tests {
    use super::is_rotation;

    #[test]
    fn rotated_files_are_told_from_other_files_with_the_same_beginning() {
        for suffix in [
            "",
            ".1",
            ".12",
            "-20261127",
            ".2026-11-27T10:00:00Z",
            ".old",
        ] {
            assert!(is_rotation(suffix), "{suffix}");
        }
        for suffix in [".1.gz", "-error", "2", ".swp", ".conf", ".1~", "-", ".log"] {
            assert!(!is_rotation(suffix), "{suffix}");
        }
    }
}
