//! The socket by which nginx reaches a service on its host: without the network's cost, and open to nobody else.

use std::{
    fs, io,
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
};

/// The file of a socket; removed when this is dropped.
#[derive(Debug)]
pub struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        // Where it stays, nginx is refused and asks the next replica.
        let _ = fs::remove_file(&self.0);
    }
}

/// Listens at `HOST.sock` in `directory`, so that each replica has its own and keeps it over a restart. The file takes its
/// name when the socket listens, and in the place of one that a killed process left.
///
/// # Errors
/// The directory cannot be written to.
pub fn listen(directory: &Path, host: &str) -> io::Result<(UnixListener, SocketFile)> {
    remove_dead(directory)?;
    let (unnamed, named) = (
        directory.join(format!("{host}.new")),
        directory.join(format!("{host}.sock")),
    );
    let _ = fs::remove_file(&unnamed);
    let listener = UnixListener::bind(&unnamed)?;
    fs::rename(&unnamed, &named)?;
    Ok((listener, SocketFile(named)))
}

/// The host's name: in a container, the container's id.
///
/// # Errors
/// The kernel does not tell.
pub fn host() -> io::Result<String> {
    Ok(fs::read_to_string("/proc/sys/kernel/hostname")?
        .trim()
        .to_owned())
}

/// Removes the sockets of replicas that were killed and are not coming back.
fn remove_dead(directory: &Path) -> io::Result<()> {
    for entry in fs::read_dir(directory)? {
        let path = entry?.path();
        let refused = |error: io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        if path
            .extension()
            .is_some_and(|extension| extension == "sock")
            && UnixStream::connect(&path).is_err_and(refused)
        {
            // Another replica may be at it too.
            let _ = fs::remove_file(path);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).expect("a directory");
        let mut names: Vec<String> = entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }

    #[test]
    fn each_replica_has_its_own_and_the_dead_go() {
        let directory =
            std::env::temp_dir().join(format!("rollcall-sockets-{}", std::process::id()));
        fs::create_dir(&directory).expect("a directory");
        let (_one, one_file) = listen(&directory, "one").expect("a socket");
        let (two, two_file) = listen(&directory, "two").expect("a socket");
        assert_eq!(names(&directory), ["one.sock", "two.sock"]);
        // Killed: the file stays, and nobody listens.
        drop(two);
        std::mem::forget(two_file);
        assert_eq!(names(&directory), ["one.sock", "two.sock"]);
        let (three, three_file) = listen(&directory, "three").expect("a socket");
        assert_eq!(
            names(&directory),
            ["one.sock", "three.sock"],
            "one that listens stays"
        );
        drop(three);
        std::mem::forget(three_file);
        let (_three, three_file) = listen(&directory, "three").expect("a socket");
        UnixStream::connect(directory.join("three.sock")).expect("the one that listens now");
        drop((one_file, three_file));
        assert!(
            names(&directory).is_empty(),
            "one that stops takes its file along"
        );
        fs::remove_dir(&directory).expect("an empty directory");
    }
}
