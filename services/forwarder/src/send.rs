//! Sending batches until they are acknowledged.

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

/// Events and bytes of one request, well below what ingestion takes.
const EVENTS: usize = 1_000;
const BYTES: usize = 4 << 20;
/// Between two looks at an empty spool.
const PAUSE: Duration = Duration::from_millis(200);

/// Sends what waits in the spool.
pub struct Sender {
    client: Client,
    address: String,
}

impl Sender {
    /// A sender as configured.
    ///
    /// # Errors
    /// The CA or the key is bad.
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

    /// Sends for as long as `more` says that more may come, and then what is left.
    ///
    /// # Errors
    /// The disk fails.
    pub fn run(&self, spool: &Spool, more: impl Fn() -> bool) -> Result<(), Failure> {
        loop {
            // Asked first: what came before the end is seen.
            let last = !more();
            let batch = spool.first(EVENTS, BYTES)?;
            match batch.last() {
                Some((number, _)) => {
                    self.send(spool, &batch)?;
                    spool.remove_through(*number)?;
                }
                None if last => return Ok(()),
                None => std::thread::sleep(PAUSE),
            }
        }
    }

    /// Whatever goes wrong may pass, a wrong key too: it is tried until it is done.
    fn send(&self, spool: &Spool, batch: &[(u64, String)]) -> Result<(), Failure> {
        let body = batch
            .iter()
            .fold(String::new(), |body, (_, event)| body + event + "\n");
        let patience = ExponentialBuilder::default()
            .with_jitter()
            .with_min_delay(Duration::from_millis(250))
            .with_max_delay(Duration::from_secs(30))
            .without_max_times();
        let result = (|| self.post(&body))
            .retry(patience)
            .notify(|error, pause| tracing::warn!(%error, ?pause, events = batch.len(), "not taken: trying again"))
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
            "taken"
        );
        Ok(())
    }

    fn post(&self, body: &str) -> Result<IngestionResult, Failure> {
        let answer = self
            .client
            .post(&self.address)
            .body(body.to_owned())
            .send()?;
        let status = answer.status();
        let text = answer.text()?;
        if status.is_success() {
            Ok(serde_json::from_str(&text)?)
        } else {
            Err(format!("{status}: {text}").into())
        }
    }
}
