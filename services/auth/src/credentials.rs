//! Whether a name and a password are an API client's.

use rollcall_platform::{clock::Clock, envelope::Problem, settings};
use rollcall_store::{Pool, api_clients};
use secrecy::SecretString;

use crate::passwords::{self, Hashing};

/// Why a caller is not let in.
#[derive(Debug, thiserror::Error)]
pub enum Rejected {
    /// Unknown, wrong, locked or disabled: the same to the caller.
    #[error(
        "User name or password is wrong, or the API client is locked or disabled. Check them; the gateway's administrator can rotate the password."
    )]
    Wrong,
    /// Too many callers are waiting.
    #[error("Too many sign-ins are waiting. Repeat the call.")]
    Busy,
    /// The database gives no answer; the cause is in the log.
    #[error(
        "The API clients cannot be looked up now: the database does not answer. Repeat the call."
    )]
    Unavailable,
}

impl From<Rejected> for Problem {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::Wrong => Self::unauthorized(rejected.to_string()),
            Rejected::Busy | Rejected::Unavailable => Self::unavailable(rejected.to_string()),
        }
    }
}

impl From<rollcall_store::Error> for Rejected {
    fn from(error: rollcall_store::Error) -> Self {
        tracing::error!(%error, "API clients cannot be looked up");
        Self::Unavailable
    }
}

/// An API client that has shown its password.
#[derive(Debug, Clone)]
pub struct Client {
    /// Its name.
    pub name: String,
    /// Its scopes, separated by spaces.
    pub scope: String,
}

/// Checks credentials.
pub struct Credentials {
    pool: Pool,
    hashing: Hashing,
    /// Looked at in place of an unknown client's, so that it takes the same time.
    dummy_hash: String,
    failures: i32,
    window_seconds: u32,
    clock: Clock,
}

impl Credentials {
    /// A check against the clients of `pool`.
    ///
    /// # Errors
    /// The system gives no randomness.
    pub fn new(
        pool: Pool,
        settings: &settings::Auth,
        clock: Clock,
    ) -> Result<Self, argon2::password_hash::Error> {
        Ok(Self {
            pool,
            hashing: Hashing::new(settings.hash_queue),
            dummy_hash: passwords::hash(&SecretString::from(uuid::Uuid::new_v4().to_string()))?,
            failures: settings.failures,
            window_seconds: settings.failure_window_seconds,
            clock,
        })
    }

    /// The client of this name and password. The turn comes first: attempts that are counted and not
    /// yet judged are then at most as many as there are cores, and no crowd of right ones is locked.
    ///
    /// # Errors
    /// Why not.
    pub async fn check(&self, name: &str, password: SecretString) -> Result<Client, Rejected> {
        let turn = self.hashing.turn().await.map_err(|_| Rejected::Busy)?;
        let now = self.clock.now();
        let attempt = self
            .pool
            .ask(async |connection| {
                api_clients::attempt(connection, name, self.failures, self.window_seconds, now)
                    .await
            })
            .await?;
        let hash = if attempt.password_hash.is_empty() {
            self.dummy_hash.clone()
        } else {
            attempt.password_hash
        };
        if !(turn.matches(password, hash).await && attempt.allowed) {
            tracing::warn!(client = name, "sign-in rejected");
            return Err(Rejected::Wrong);
        }
        self.pool
            .ask(async |connection| api_clients::succeeded(connection, name).await)
            .await?;
        Ok(Client {
            name: name.to_owned(),
            scope: attempt.scope,
        })
    }
}
