//! Checks the name and password of an API client.
//!
//! An attempt passes these checks in order: the limits of its address (in memory), the locks (one
//! read of the database), the remembered passwords (in memory), the counter of attempts (one
//! write), the hash. README.md describes the rules.

use std::{sync::Arc, time::Duration};

use moka::future::Cache;
use rollcall_credentials::passwords;
use rollcall_platform::{clock::Clock, settings};
use rollcall_store::{
    Pool,
    sign_ins::{self, Account, Standing},
};
use secrecy::SecretString;
use tokio::{sync::OwnedSemaphorePermit, time::Instant};
use tracing::Instrument;

use crate::{
    client_address::ClientAddress,
    hashing::{Hashing, Queued},
    limits::{AddressLimits, KeyedSemaphores},
    remembered::Remembered,
    sign_in_error::SignInError,
};

/// Maximum number of attempts of one client from one address that are checked at once. The same
/// number of failures locks the address, so that parallel attempts cannot exceed the lock.
const MAX_CONCURRENT_CHECKS: usize = 5;

/// Time between two look-ups while another replica checks attempts from the same address.
const POLL_INTERVAL: Duration = Duration::from_millis(50);

/// Maximum length of a name that is looked up, in bytes.
const MAX_NAME_BYTES: usize = 256;

/// Maximum number of addresses whose failures are logged separately.
const MAX_LOGGED_ADDRESSES: u64 = 10_000;

/// An API client whose password was verified.
#[derive(Debug, Clone)]
pub struct Client {
    /// User name.
    pub name: String,
    /// Scopes, separated by spaces.
    pub scope: String,
}

/// A name and a password with the address that sent them.
#[derive(Clone)]
struct Attempt {
    name: String,
    password: SecretString,
    address: ClientAddress,
}

/// Checks credentials.
#[derive(Clone)]
pub struct Credentials {
    pool: Pool,
    hashing: Hashing,
    remembered: Remembered,
    limits: AddressLimits,
    /// Addresses with a failure that was logged within the last minute. Further failures are only
    /// in the access log.
    logged: Cache<ClientAddress, ()>,
    checks: KeyedSemaphores<(i64, ClientAddress)>,
    /// Compared in place of the hash of an unknown or disabled client, so that its attempts take
    /// the same time.
    dummy_hash: Arc<str>,
    failure_deadline: Duration,
    clock: Clock,
}

impl Credentials {
    /// Creates a check against the API clients in `pool`.
    ///
    /// # Errors
    /// The operating system provides no random bytes.
    pub fn new(
        pool: Pool,
        settings: &settings::Auth,
        hashing: Hashing,
        clock: Clock,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let dummy = SecretString::from(uuid::Uuid::new_v4().to_string());
        Ok(Self {
            pool,
            hashing,
            remembered: Remembered::new(settings.remember_seconds)?,
            limits: AddressLimits::new(settings),
            logged: Cache::builder()
                .max_capacity(MAX_LOGGED_ADDRESSES)
                .time_to_live(Duration::from_mins(1))
                .build(),
            checks: KeyedSemaphores::new(MAX_CONCURRENT_CHECKS),
            dummy_hash: passwords::hash(&dummy)?.into(),
            failure_deadline: Duration::from_millis(settings.failure_milliseconds.max(1).into()),
            clock,
        })
    }

    /// Returns the API client with this name and password. A failure is answered at a fixed time
    /// after its arrival, so that the response time does not reveal the reason.
    ///
    /// # Errors
    /// The sign-in is rejected. The error is the reason.
    #[tracing::instrument(name = "sign_in", skip_all)]
    pub async fn check(
        &self,
        name: &str,
        password: SecretString,
        address: ClientAddress,
    ) -> Result<Client, SignInError> {
        let arrived = Instant::now();
        let in_flight = self.limits.enter(address).await;
        let _in_flight = in_flight.ok_or(SignInError::TooMany)?;
        // Look up an empty name in place of one that no client can have. PostgreSQL rejects text
        // with NUL.
        let can_exist = name.len() <= MAX_NAME_BYTES && !name.contains('\0');
        let attempt = Attempt {
            name: if can_exist {
                name.into()
            } else {
                String::new()
            },
            password,
            address,
        };
        let outcome = self.authenticate(attempt).await;
        if matches!(outcome, Err(SignInError::Wrong)) {
            self.limits.count_failure(address).await;
            if self.logged.entry(address).or_insert(()).await.is_fresh() {
                log_failure(name, address);
            }
            tokio::time::sleep_until(self.answer_at(arrived)).await;
        }
        outcome
    }

    async fn authenticate(&self, attempt: Attempt) -> Result<Client, SignInError> {
        let mut permit = None;
        loop {
            let account = self.look_up(&attempt).await?;
            if account.standing() == Standing::Locked {
                return Err(SignInError::Wrong);
            }
            if self.remembers(&attempt, &account).await {
                if account.success_is_news {
                    self.succeeded(&account, attempt.address).await?;
                }
                return Ok(attempt.client(account));
            }
            let Some(checking) = permit.take() else {
                permit = Some(self.permit(&attempt, &account).await?);
                // Look up again: earlier attempts may have locked the address or verified this
                // password.
                continue;
            };
            let queued = self.hashing.enqueue(account.known_address);
            let queued = queued.map_err(|_| SignInError::Busy)?;
            if account.standing() == Standing::Open && self.begin(&account, attempt.address).await?
            {
                return self.verify(attempt, account, queued, checking).await;
            }
            permit = Some(checking);
            tokio::time::sleep(POLL_INTERVAL).await;
        }
    }

    /// Waits until fewer than [`MAX_CONCURRENT_CHECKS`] attempts of this client and address are
    /// being checked.
    async fn permit(
        &self,
        attempt: &Attempt,
        account: &Account,
    ) -> Result<OwnedSemaphorePermit, SignInError> {
        let key = (account.client_id, attempt.address);
        let permit = self.checks.of(key).await.acquire_owned().await;
        permit.map_err(|_| SignInError::Unavailable)
    }

    async fn remembers(&self, attempt: &Attempt, account: &Account) -> bool {
        let Some(hash) = &account.password_hash else {
            return false;
        };
        self.remembered
            .contains(&attempt.name, &attempt.password, hash)
            .await
    }

    /// Verifies the password of an attempt that has been counted. This continues when the caller
    /// disconnects, so that the result of every counted attempt is written.
    async fn verify(
        &self,
        attempt: Attempt,
        account: Account,
        queued: Queued,
        permit: OwnedSemaphorePermit,
    ) -> Result<Client, SignInError> {
        let this = self.clone();
        let verifying = async move {
            let _permit = permit;
            if this.is_right(&attempt, &account, queued).await {
                this.succeeded(&account, attempt.address).await?;
                return Ok(attempt.client(account));
            }
            this.failed(&account, attempt.address).await?;
            Err(SignInError::Wrong)
        };
        let verifying = tokio::spawn(verifying.in_current_span());
        verifying.await.unwrap_or(Err(SignInError::Unavailable))
    }

    async fn is_right(&self, attempt: &Attempt, account: &Account, queued: Queued) -> bool {
        let stored = account.password_hash.as_deref();
        let hash = stored.unwrap_or(&self.dummy_hash);
        let password = attempt.password.clone();
        let verify = self.hashing.matches(queued, password, hash.to_owned());
        let matches = self
            .remembered
            .or_verify(&attempt.name, &attempt.password, hash, verify);
        matches.await && stored.is_some()
    }

    /// Returns the next time that is a multiple of the deadline after the arrival.
    fn answer_at(&self, arrived: Instant) -> Instant {
        let passed = arrived.elapsed().as_millis() / self.failure_deadline.as_millis();
        let multiple = u32::try_from(passed).unwrap_or(u32::MAX).saturating_add(1);
        arrived + self.failure_deadline * multiple
    }

    async fn look_up(&self, attempt: &Attempt) -> Result<Account, SignInError> {
        let (network, now) = (attempt.address.network().to_string(), self.clock.now());
        let account = self.pool.ask(async |connection| {
            sign_ins::look_up(connection, &attempt.name, &network, now).await
        });
        Ok(account.await?)
    }

    async fn begin(&self, account: &Account, address: ClientAddress) -> Result<bool, SignInError> {
        let (network, now) = (address.network().to_string(), self.clock.now());
        let counted = self.pool.ask(async |connection| {
            sign_ins::begin(connection, account.client_id, &network, now).await
        });
        Ok(counted.await?)
    }

    async fn succeeded(
        &self,
        account: &Account,
        address: ClientAddress,
    ) -> Result<(), SignInError> {
        let (network, now) = (address.network().to_string(), self.clock.now());
        let written = self.pool.ask(async |connection| {
            sign_ins::succeeded(connection, account.client_id, &network, now).await
        });
        Ok(written.await?)
    }

    async fn failed(&self, account: &Account, address: ClientAddress) -> Result<(), SignInError> {
        let (network, now) = (address.network().to_string(), self.clock.now());
        let written = self.pool.ask(async |connection| {
            sign_ins::failed(connection, account.client_id, &network, now).await
        });
        Ok(written.await?)
    }
}

impl Attempt {
    fn client(self, account: Account) -> Client {
        Client {
            name: self.name,
            scope: account.scope,
        }
    }
}

/// Logs a failure. People sometimes type a password into the name field, so a long name is
/// truncated. A digest distinguishes truncated names.
fn log_failure(name: &str, address: ClientAddress) {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, name.as_bytes());
    tracing::warn!(
        client = &name[..name.floor_char_boundary(64)],
        client_sha256 = hex::encode(&digest.as_ref()[..4]),
        address = %address.network(),
        "Sign-in rejected"
    );
}
