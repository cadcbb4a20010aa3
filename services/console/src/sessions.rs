//! Sessions of signed-in visitors, in Redis.
//!
//! The cookie holds a random ID of 256 bits. Redis holds only its SHA-256, so that no one can sign
//! in with a copy of the data in Redis.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jiff::{SignedDuration, Timestamp};
use redis::{AsyncCommands, ExistenceCheck, SetExpiry, SetOptions};
use rollcall_platform::{
    clock::Clock,
    health,
    redis::{Redis, UnavailableError},
    settings,
};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Time without a request after which a session ends.
const MAX_IDLE: SignedDuration = SignedDuration::from_mins(30);
/// Time after the sign-in at which a session ends.
const MAX_AGE: SignedDuration = SignedDuration::from_hours(12);
/// Time for which Redis keeps a session after its latest request, in seconds. The clock of the
/// service decides when a session ends; this only removes unused sessions.
const KEPT_SECONDS: u64 = 60 * 60;

/// A session.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Session {
    /// Name of the API client.
    pub client: String,
    /// Number of the password with which the client signed in.
    pub password_version: i32,
    /// Time of the sign-in.
    pub since: Timestamp,
    /// Time of the latest request.
    pub seen: Timestamp,
}

impl Session {
    fn is_valid(&self, now: Timestamp) -> bool {
        now.duration_since(self.seen) < MAX_IDLE && now.duration_since(self.since) < MAX_AGE
    }
}

/// The store of sessions.
pub struct Sessions {
    redis: Redis,
    clock: Clock,
}

impl Sessions {
    /// Creates the store. It connects when a session is first needed.
    ///
    /// # Errors
    /// The password file cannot be read, or the address is invalid.
    pub fn new(
        settings: &settings::Redis,
        clock: Clock,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        Ok(Self {
            redis: Redis::new(settings)?,
            clock,
        })
    }

    /// Begins a session of an API client. Returns its ID.
    ///
    /// # Errors
    /// Redis does not answer.
    pub async fn begin(
        &self,
        client: String,
        password_version: i32,
    ) -> Result<String, UnavailableError> {
        let id = BASE64_URL_SAFE_NO_PAD.encode(rand::random::<[u8; 32]>());
        let now = self.clock.now();
        let session = Session {
            client,
            password_version,
            since: now,
            seen: now,
        };
        self.write(&id, &session, SetOptions::default()).await?;
        Ok(id)
    }

    /// Returns the session with this ID, if it has not ended, and notes the time.
    ///
    /// # Errors
    /// Redis does not answer.
    pub async fn resume(&self, id: &str) -> Result<Option<Session>, UnavailableError> {
        let key = key(id);
        let value: Option<String> = self
            .redis
            .ask(move |mut redis| {
                let key = key.clone();
                async move { redis.get(key).await }
            })
            .await?;
        let now = self.clock.now();
        let session = value.and_then(|value| serde_json::from_str::<Session>(&value).ok());
        let Some(mut session) = session.filter(|session| session.is_valid(now)) else {
            return Ok(None);
        };
        session.seen = now;
        // Only if the session still exists: a sign-out at the same time must not be undone.
        let existing = SetOptions::default().conditional_set(ExistenceCheck::XX);
        self.write(id, &session, existing).await?;
        Ok(Some(session))
    }

    /// Ends the session with this ID, if there is one.
    ///
    /// # Errors
    /// Redis does not answer.
    pub async fn end(&self, id: &str) -> Result<(), UnavailableError> {
        let key = key(id);
        self.redis
            .ask(move |mut redis| {
                let key = key.clone();
                async move { redis.del(key).await }
            })
            .await
    }

    /// Returns the health check of Redis.
    #[must_use]
    pub fn health(&self) -> health::Check {
        let redis = self.redis.clone();
        health::check(move || {
            let redis = redis.clone();
            async move {
                let answer = redis.ask(|mut redis| async move { redis.get(key("health")).await });
                let answer: Result<Option<String>, _> = answer.await;
                answer.map(drop).map_err(|_| {
                    "redis does not answer: see scripts/status and the log of redis".into()
                })
            }
        })
    }

    async fn write(
        &self,
        id: &str,
        session: &Session,
        options: SetOptions,
    ) -> Result<(), UnavailableError> {
        let key = key(id);
        let value = serde_json::json!(session).to_string();
        let options = options.with_expiration(SetExpiry::EX(KEPT_SECONDS));
        self.redis
            .ask(move |mut redis| {
                let (key, value, options) = (key.clone(), value.clone(), options.clone());
                async move { redis.set_options(key, value, options).await }
            })
            .await
    }
}

fn key(id: &str) -> String {
    format!("console:{}", hex::encode(Sha256::digest(id)))
}
