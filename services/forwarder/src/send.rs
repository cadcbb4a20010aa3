//! Sends batches of events and retries until ingestion has acknowledged them.

use std::{collections::HashMap, time::Duration};

use backon::{BlockingRetryable, ExponentialBuilder};
use reqwest::{
    Certificate,
    blocking::Client,
    header::{CONTENT_TYPE, HeaderMap, HeaderValue},
};
use rollcall_wire::{IngestionResult, Rejection};
use secrecy::ExposeSecret;

use crate::{
    config::Config,
    spool::{Failure, Spool},
};

/// Maximum number of events in a request. Ingestion lists up to 1,000 rejections, so the rejection
/// of every event in a request of this size is listed and kept.
const MAX_EVENTS: usize = 1_000;
/// Maximum size of a request, well below the limit of ingestion.
const MAX_BYTES: usize = 4 << 20;
/// Time between two reads of an empty spool.
const POLL_INTERVAL: Duration = Duration::from_millis(200);

/// Sends the events of the spool.
pub struct Sender {
    client: Client,
    address: String,
}

impl Sender {
    /// Creates a sender.
    ///
    /// # Errors
    /// The CA certificate or the source key is invalid.
    pub fn new(config: &Config) -> Result<Self, Failure> {
        let mut bearer = HeaderValue::from_str(&format!("Bearer {}", config.key.expose_secret()))?;
        bearer.set_sensitive(true);
        let headers = HeaderMap::from_iter([
            (reqwest::header::AUTHORIZATION, bearer),
            (
                CONTENT_TYPE,
                HeaderValue::from_static("application/x-ndjson"),
            ),
        ]);
        let mut client = Client::builder()
            .default_headers(headers)
            .timeout(Duration::from_mins(1));
        if let Some(ca) = &config.ca {
            client = client.tls_certs_only(Certificate::from_pem_bundle(ca.as_bytes())?);
        }
        let address = format!(
            "{}/api/v1/ingestion/events",
            config.url.trim_end_matches('/')
        );
        Ok(Self {
            client: client.build()?,
            address,
        })
    }

    /// Sends events while `more` returns true, and then the remaining events.
    ///
    /// # Errors
    /// The disk fails.
    pub fn run(&self, spool: &Spool, more: impl Fn() -> bool) -> Result<(), Failure> {
        loop {
            // Call `more` before reading the spool, so that events added in between are not missed.
            let last = !more();
            let batch = spool.first(MAX_EVENTS, MAX_BYTES)?;
            match batch.last() {
                Some((number, _)) => {
                    self.send(spool, &batch)?;
                    spool.remove_through(*number)?;
                }
                None if last => return Ok(()),
                None => std::thread::sleep(POLL_INTERVAL),
            }
        }
    }

    /// Sends a batch. All errors are retried without limit, because the operator can correct any of
    /// them, such as a wrong source key.
    fn send(&self, spool: &Spool, batch: &[(u64, String)]) -> Result<(), Failure> {
        let body = batch
            .iter()
            .fold(String::new(), |body, (_, event)| body + event + "\n");
        let backoff = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(Duration::from_millis(250))
            .with_max_delay(Duration::from_secs(30))
            .without_max_times();
        let result = (|| self.post(&body))
            .retry(backoff)
            .notify(|error, pause| {
                let events = batch.len();
                tracing::warn!(%error, ?pause, events, "Failed to send events, retrying");
            })
            .call()?;
        let rejected: HashMap<usize, &Rejection> = result
            .rejected
            .iter()
            .map(|entry| (entry.index, entry))
            .collect();
        for (index, (_, event)) in batch.iter().enumerate() {
            if let Some(rejection) = rejected.get(&index) {
                spool.reject(event, &rejection.message)?;
            }
        }
        tracing::info!(
            events = batch.len(),
            rejected = result.rejected.len(),
            "Sent events"
        );
        Ok(())
    }

    fn post(&self, body: &str) -> Result<IngestionResult, Failure> {
        let response = self
            .client
            .post(&self.address)
            .body(body.to_owned())
            .send()?;
        let status = response.status();
        let text = response.text()?;
        if status.is_success() {
            Ok(serde_json::from_str(&text)?)
        } else {
            Err(format!("{status}: {text}").into())
        }
    }
}
