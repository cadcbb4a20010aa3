//! Following a file through rotation, by renaming or by truncating.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, SeekFrom},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
};

use crate::{lines::LONGEST, spool::Position};

/// Bytes that tell a file from another that has its inode after it.
const HEAD: usize = 64;
/// Bytes of one reading.
const PART: usize = 1 << 20;

/// A file and up to where it was read.
pub struct Follow {
    path: PathBuf,
    file: File,
    /// Up to where it was read.
    pub position: Position,
}

impl Follow {
    /// Goes on from `position`, in whatever file it is now; begins with the file of this name where there is none.
    ///
    /// # Errors
    /// There is no file of this name (yet), or it cannot be read.
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
            tracing::warn!(path = %path.display(), "the file that was read last is gone: what was in it and not read is lost");
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

    /// The whole lines that have been added, and the position after them; none when there is nothing new.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&mut self) -> io::Result<Option<(Vec<Vec<u8>>, Position)>> {
        if self.file.metadata()?.len() < self.position.offset
            || !begins_with(&self.file, &self.position.head)?
        {
            tracing::info!(path = %self.path.display(), "truncated: it is read from its beginning");
            (self.position.offset, self.position.head) = (0, Vec::new());
        }
        self.file.seek(SeekFrom::Start(self.position.offset))?;
        let mut part = Vec::new();
        (&self.file).take(PART as u64).read_to_end(&mut part)?;
        // A line without its end is still being written; one without any end is cut.
        let whole = match part.iter().rposition(|byte| *byte == b'\n') {
            Some(end) => end + 1,
            None if part.len() > LONGEST => part.len(),
            None => return Ok(None),
        };
        part.truncate(whole);
        let mut position = self.position.clone();
        position.offset += whole as u64;
        if position.head.len() < HEAD {
            let known = usize::try_from(position.offset).unwrap_or(HEAD).min(HEAD);
            position.head = head(&self.file, known)?;
        }
        let lines = part
            .split(|byte| *byte == b'\n')
            .map(<[u8]>::to_vec)
            .collect();
        Ok(Some((lines, position)))
    }

    /// When the file was rotated away and read to its end: the one that was begun after it.
    ///
    /// # Errors
    /// The folder cannot be read.
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

/// The file of this name and those that it was rotated to, the oldest first. Compressed ones cannot be read on.
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
        let compressed = [".gz", ".xz", ".zst", ".bz2"]
            .iter()
            .any(|ending| other.ends_with(ending));
        if other.starts_with(&name) && !compressed && entry.metadata()?.is_file() {
            // The file of the name itself is the newest, whatever its time is.
            found.push((other == name, entry.metadata()?.modified()?, entry.path()));
        }
    }
    found.sort();
    Ok(found.into_iter().map(|(_, _, path)| path).collect())
}

fn inode(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|metadata| metadata.ino())
}

fn opened(path: &Path, position: &Position) -> Option<File> {
    let file = File::open(path).ok()?;
    let same =
        file.metadata().ok()?.ino() == position.inode && begins_with(&file, &position.head).ok()?;
    same.then_some(file)
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
