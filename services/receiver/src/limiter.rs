//! Limits the rate of each address in a fixed amount of memory.

use std::{
    hash::{BuildHasher, RandomState},
    net::{IpAddr, Ipv6Addr},
    time::{Duration, Instant},
};

use rollcall_platform::settings;

/// Number of token buckets. Two addresses with the same hash share a bucket. The hash is keyed, so
/// an attacker cannot choose its bucket.
const BUCKETS: usize = 65_536;
/// Mask of the /64 network of an IPv6 address. A host can choose the lower 64 bits itself.
const IPV6_NETWORK: u128 = !(u64::MAX as u128);

/// Token buckets of all addresses.
#[derive(Debug)]
pub struct Limiter {
    hasher: RandomState,
    started: Instant,
    /// Time at which each bucket is full again, measured from `started`.
    full_at: Vec<Duration>,
    interval: Duration,
    tolerance: Duration,
}

impl Limiter {
    /// Creates full buckets with the size and rate in the settings.
    #[must_use]
    pub fn new(settings: &settings::Receiver, started: Instant) -> Self {
        let interval = Duration::from_secs(1) / settings.datagrams_per_second.max(1);
        Self {
            hasher: RandomState::new(),
            started,
            full_at: vec![Duration::ZERO; BUCKETS],
            interval,
            tolerance: interval * settings.burst_datagrams.max(1).saturating_sub(1),
        }
    }

    /// Takes a token from the bucket of the address. Returns false if the bucket is empty.
    pub fn admits(&mut self, address: IpAddr, now: Instant) -> bool {
        let now = now.saturating_duration_since(self.started);
        let bucket = self.bucket(address);
        let full_at = self.full_at[bucket].max(now);
        let admitted = full_at.saturating_sub(now) <= self.tolerance;
        if admitted {
            self.full_at[bucket] = full_at + self.interval;
        }
        admitted
    }

    fn bucket(&self, address: IpAddr) -> usize {
        let subscriber = match address {
            IpAddr::V4(address) => IpAddr::V4(address),
            IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) & IPV6_NETWORK).into(),
        };
        let hash = self.hasher.hash_one(subscriber) % BUCKETS as u64;
        usize::try_from(hash).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use rollcall_platform::settings::Settings;

    use super::*;

    fn limiter(started: Instant) -> Limiter {
        let mut settings = Settings::load().expect("settings").receiver;
        settings.datagrams_per_second = 10;
        settings.burst_datagrams = 3;
        Limiter::new(&settings, started)
    }

    fn admitted(limiter: &mut Limiter, address: &str, at: Instant) -> usize {
        let address = address.parse().expect("an address");
        (0..20).filter(|_| limiter.admits(address, at)).count()
    }

    #[test]
    fn address_is_admitted_for_its_burst_and_then_at_its_rate() {
        let started = Instant::now();
        let mut limiter = limiter(started);
        assert_eq!(admitted(&mut limiter, "192.0.2.7", started), 3);
        let later = started + Duration::from_millis(210);
        assert_eq!(admitted(&mut limiter, "192.0.2.7", later), 2);
        let much_later = started + Duration::from_mins(1);
        assert_eq!(admitted(&mut limiter, "192.0.2.7", much_later), 3);
    }

    #[test]
    fn ipv4_addresses_are_limited_separately_and_one_ipv6_network_together() {
        let started = Instant::now();
        let mut limiter = limiter(started);
        // Addresses may share a bucket by chance, so the total of ten is not checked exactly.
        let total: usize = (1..=10)
            .map(|host| admitted(&mut limiter, &format!("192.0.2.{host}"), started))
            .sum();
        assert!(total > 20, "{total}");
        assert_eq!(admitted(&mut limiter, "2001:db8::1", started), 3);
        assert_eq!(admitted(&mut limiter, "2001:db8::2", started), 0);
    }
}
