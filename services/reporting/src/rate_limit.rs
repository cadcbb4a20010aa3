//! Limits the request rate of each API client with token buckets in the memory of this replica.
//! Only an API client with a valid token gets a bucket, so the number of buckets is at most that of
//! API clients.

use std::{num::NonZeroU32, time::Duration};

use actix_web::http::{
    StatusCode,
    header::{HeaderMap, HeaderName, HeaderValue, RETRY_AFTER},
};
use governor::{
    Quota, RateLimiter,
    clock::{Clock, DefaultClock},
    middleware::StateInformationMiddleware,
    state::keyed::HashMapStateStore,
};
use rollcall_platform::envelope::Problem;

type Buckets =
    RateLimiter<String, HashMapStateStore<String>, DefaultClock, StateInformationMiddleware>;

/// Token buckets of all API clients.
pub struct RateLimit {
    buckets: Buckets,
    per_second: NonZeroU32,
    burst: NonZeroU32,
}

/// State of a client's bucket, for the headers of draft-ietf-httpapi-ratelimit-headers-10.
#[derive(Debug)]
pub struct Standing {
    burst: u32,
    /// Seconds in which an empty bucket fills.
    window_seconds: u64,
    remaining: u32,
    /// Seconds until the bucket is full, or until the next request is allowed when it is empty.
    reset_seconds: u64,
}

impl RateLimit {
    /// Creates buckets that hold `burst` requests and are refilled at `per_second`.
    #[must_use]
    pub fn new(per_second: NonZeroU32, burst: NonZeroU32) -> Self {
        let quota = Quota::per_second(per_second).allow_burst(burst);
        Self {
            buckets: RateLimiter::hashmap(quota).with_middleware(),
            per_second,
            burst,
        }
    }

    /// Takes one request from the client's bucket.
    ///
    /// # Errors
    /// The bucket is empty. The returned standing has the time until the next request is allowed.
    pub fn check(&self, client: &str) -> Result<Standing, Standing> {
        match self.buckets.check_key(&client.to_owned()) {
            Ok(state) => {
                let remaining = state.remaining_burst_capacity();
                let missing = self.burst.get().saturating_sub(remaining);
                Ok(self.standing(remaining, self.seconds_to_gain(missing)))
            }
            Err(until) => {
                let now = DefaultClock::default().now();
                Err(self.standing(0, whole_seconds(until.wait_time_from(now))))
            }
        }
    }

    fn standing(&self, remaining: u32, reset_seconds: u64) -> Standing {
        Standing {
            burst: self.burst.get(),
            window_seconds: self.seconds_to_gain(self.burst.get()),
            remaining,
            reset_seconds,
        }
    }

    fn seconds_to_gain(&self, requests: u32) -> u64 {
        u64::from(requests.div_ceil(self.per_second.get()))
    }
}

/// Rounds up to whole seconds, at least 1. A client that waits for less would be rejected again.
fn whole_seconds(time: Duration) -> u64 {
    time.as_secs() + 1
}

impl Standing {
    /// Adds `RateLimit` and `RateLimit-Policy`.
    pub fn write_to(&self, headers: &mut HeaderMap) {
        let policy = format!("\"client\";q={};w={}", self.burst, self.window_seconds);
        let limit = format!("\"client\";r={};t={}", self.remaining, self.reset_seconds);
        for (name, value) in [("ratelimit-policy", policy), ("ratelimit", limit)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(HeaderName::from_static(name), value);
            }
        }
    }

    /// Returns 429, for an empty bucket.
    #[must_use]
    pub fn problem(&self) -> Problem {
        let message = format!(
            "The API client sends too many requests: {} are allowed in {} s. Wait as \
             Retry-After says, then repeat the call.",
            self.burst, self.window_seconds
        );
        Problem::new(StatusCode::TOO_MANY_REQUESTS, message)
            .with_header(RETRY_AFTER, self.reset_seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(number: u32) -> NonZeroU32 {
        NonZeroU32::new(number).expect("not zero")
    }

    #[test]
    fn client_with_empty_bucket_is_rejected_and_others_are_not() {
        let limit = RateLimit::new(number(1), number(3));
        let rejected = (0..1_000).find_map(|_| limit.check("a").err());
        let rejected = rejected.expect("an empty bucket");
        assert_eq!((rejected.remaining, rejected.reset_seconds), (0, 1));
        assert!(limit.check("b").is_ok());
    }

    #[test]
    fn headers_follow_the_draft() {
        let mut headers = HeaderMap::new();
        let standing = RateLimit::new(number(50), number(120)).check("a");
        standing.expect("a request left").write_to(&mut headers);
        assert_eq!(
            headers.get("ratelimit-policy").expect("a header"),
            "\"client\";q=120;w=3"
        );
        assert_eq!(
            headers.get("ratelimit").expect("a header"),
            "\"client\";r=119;t=1"
        );
    }
}
