//! HTTP clients of the replicas of another service.

use std::{path::Path, time::Duration};

use crate::socket;

/// Returns an HTTP client for each replica with a socket in `directory`. A request must take no
/// longer than `max_request`. Without a directory, the only client connects over TCP.
///
/// Requests between services are too rare to keep connections open, so the clients are not kept.
///
/// # Errors
/// The directory cannot be read.
pub fn clients(
    directory: &Path,
    max_request: Duration,
) -> Result<Vec<reqwest::Client>, Box<dyn std::error::Error + Send + Sync>> {
    let builder = || {
        reqwest::Client::builder()
            .timeout(max_request)
            .connect_timeout(Duration::from_secs(1))
    };
    if directory.as_os_str().is_empty() {
        return Ok(vec![builder().build()?]);
    }
    let sockets = socket::find(directory, "http")?;
    let clients = sockets
        .iter()
        .map(|path| builder().unix_socket(path.as_path()).build());
    Ok(clients.collect::<Result<_, _>>()?)
}
