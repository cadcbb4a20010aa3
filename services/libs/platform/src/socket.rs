//! Unix sockets on which the replicas of a service listen. Only containers that mount the directory
//! can connect.

use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::net::UnixListener,
    path::{Path, PathBuf},
    sync::Arc,
};

/// Number of slots, and so the maximum number of replicas. nginx's configuration lists the sockets
/// of each slot.
pub const SLOTS: u8 = 8;

/// A number that belongs to one replica and names its sockets. The slot is released when this value
/// and all its [`SocketFile`]s are dropped, or when the process ends.
#[derive(Debug, Clone)]
pub struct Slot {
    directory: PathBuf,
    number: u8,
    lock: Arc<File>,
}

/// The file of a socket. Dropping this value removes the file.
#[derive(Debug)]
pub struct SocketFile {
    path: PathBuf,
    /// Holds the slot until the file is removed. Otherwise this value could remove the file of the
    /// next owner of the slot.
    _lock: Arc<File>,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        // If removal fails, connections to the file are refused and nginx tries the next replica.
        let _ = fs::remove_file(&self.path);
    }
}

impl Slot {
    /// Claims the first free slot of `directory` by locking its file `N.lock`.
    ///
    /// # Errors
    /// The directory cannot be written to, or all slots are in use.
    pub fn claim(directory: &Path) -> io::Result<Self> {
        for number in 1..=SLOTS {
            let lock = File::create(lock_file(directory, number))?;
            match lock.try_lock() {
                Ok(()) => {
                    return Ok(Self {
                        directory: directory.to_owned(),
                        number,
                        lock: Arc::new(lock),
                    });
                }
                Err(TryLockError::WouldBlock) => (),
                Err(TryLockError::Error(error)) => return Err(error),
            }
        }
        Err(io::Error::other(format!(
            "all {SLOTS} slots in {} are in use: run at most {SLOTS} replicas",
            directory.display()
        )))
    }

    /// Returns true if another replica holds a slot of the same directory.
    #[must_use]
    pub fn has_other_replica(&self) -> bool {
        let is_held = |number: u8| {
            File::open(lock_file(&self.directory, number))
                .is_ok_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
        };
        (1..=SLOTS).any(|number| number != self.number && is_held(number))
    }

    /// Removes the files of all sockets of this slot: new connections go to other replicas.
    pub fn withdraw(&self) {
        let suffix = format!(".{}.sock", self.number);
        let entries = fs::read_dir(&self.directory)
            .into_iter()
            .flatten()
            .flatten();
        for entry in entries.filter(|entry| entry.file_name().to_string_lossy().ends_with(&suffix))
        {
            let _ = fs::remove_file(entry.path());
        }
    }

    /// Listens on `KIND.N.sock`. A file that a killed process left there is replaced. The socket
    /// gets this name only after it listens, so that no connection is refused.
    ///
    /// # Errors
    /// The directory cannot be written to.
    pub fn listen(&self, kind: &str) -> io::Result<(UnixListener, SocketFile)> {
        let named = self.directory.join(format!("{kind}.{}.sock", self.number));
        let unnamed = named.with_extension("new");
        let _ = fs::remove_file(&unnamed);
        let listener = UnixListener::bind(&unnamed)?;
        fs::rename(&unnamed, &named)?;
        let file = SocketFile {
            path: named,
            _lock: self.lock.clone(),
        };
        Ok((listener, file))
    }
}

fn lock_file(directory: &Path, number: u8) -> PathBuf {
    directory.join(format!("{number}.lock"))
}

/// Returns the sockets of one kind in `directory`, one for each replica. Some may belong to a
/// process that was killed.
///
/// # Errors
/// The directory cannot be read.
pub fn find(directory: &Path, kind: &str) -> io::Result<Vec<PathBuf>> {
    let is_socket = |path: &PathBuf| {
        path.file_name()
            .and_then(|name| name.to_str()?.strip_prefix(kind)?.strip_suffix(".sock"))
            .is_some_and(|slot| slot.starts_with('.'))
    };
    let mut sockets = fs::read_dir(directory)?
        .map(|entry| Ok(entry?.path()))
        .collect::<io::Result<Vec<_>>>()?;
    sockets.retain(is_socket);
    sockets.sort();
    Ok(sockets)
}

#[cfg(test)]
mod tests {
    use std::{
        io::{Read, Write},
        os::unix::net::UnixStream,
    };

    use super::*;

    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("rollcall-{name}-{}", std::process::id()));
            fs::create_dir(&path).expect("a directory");
            Self(path)
        }

        fn claim(&self) -> Slot {
            Slot::claim(&self.0).expect("a slot")
        }

        fn sockets(&self, kind: &str) -> Vec<String> {
            let sockets = find(&self.0, kind).expect("a directory");
            sockets
                .iter()
                .map(|path| path.file_name().expect("a name").display().to_string())
                .collect()
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn replica_claims_first_free_slot() {
        let directory = Directory::new("slots");
        let mut slots: Vec<Slot> = (0..SLOTS).map(|_| directory.claim()).collect();
        let numbers: Vec<u8> = slots.iter().map(|slot| slot.number).collect();
        assert_eq!(numbers, (1..=SLOTS).collect::<Vec<_>>());
        let error = Slot::claim(&directory.0).expect_err("an error").to_string();
        assert!(error.contains("all 8 slots in"), "{error}");
        assert!(slots[0].has_other_replica());
        slots.remove(2);
        assert_eq!(directory.claim().number, 3);
    }

    #[test]
    fn socket_file_keeps_its_slot_until_it_is_removed() {
        let directory = Directory::new("socket-file");
        let slot = directory.claim();
        assert!(!slot.has_other_replica());
        let (_http, http_file) = slot.listen("http").expect("a socket");
        let (_syslog, syslog_file) = slot.listen("syslog").expect("a socket");
        let (_tls, tls_file) = slot.listen("syslog-tls").expect("a socket");
        assert_eq!(directory.sockets("http"), ["http.1.sock"]);
        assert_eq!(directory.sockets("syslog"), ["syslog.1.sock"]);
        drop((slot, http_file, tls_file));
        assert_eq!(directory.claim().number, 2);
        drop(syslog_file);
        assert_eq!(directory.claim().number, 1);
        assert_eq!(directory.sockets("syslog"), Vec::<String>::new());
    }

    #[test]
    fn socket_of_killed_process_is_replaced() {
        let directory = Directory::new("killed");
        let (killed, file) = directory.claim().listen("http").expect("a socket");
        // A killed process leaves a file without a listener, and no lock.
        drop(killed);
        let left = directory.0.join("left");
        fs::rename(&file.path, &left).expect("renamed");
        let path = file.path.clone();
        drop(file);
        fs::rename(left, &path).expect("renamed");
        UnixStream::connect(&path).expect_err("nothing listens");

        let (listener, _file) = directory.claim().listen("http").expect("a socket");
        let mut client = UnixStream::connect(&path).expect("connected");
        client.write_all(b"x").expect("written");
        let mut byte = [0];
        let (mut accepted, _) = listener.accept().expect("a connection");
        accepted.read_exact(&mut byte).expect("a byte");
        assert_eq!(&byte, b"x");
    }
}
