//! Admits clients: limits the number of addresses, the connections of each, and how often each may connect.
//!
//! Owns the counts. Does not use sockets.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use tokio::time::Instant;

use super::options::{RateLimit, ServerOptions};
use crate::sync::{Mutex, lock};

/// The number of addresses with a count of recent connections. Beyond it, expired counts are dropped, and if that is not
/// enough, all counts. A count does not stop a client with so many addresses.
const RATED_ADDRESSES_MAX: usize = 4_096;

/// Why a client is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unwelcome {
    /// The maximum number of addresses is connected.
    TooManyAddresses,
    /// Its address has the maximum number of connections.
    TooManyOfAddress,
    /// Its address connects too often.
    TooOften,
}

impl fmt::Display for Unwelcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooManyAddresses => "the maximum number of clients is connected",
            Self::TooManyOfAddress => "this client has the maximum number of connections",
            Self::TooOften => "this client connects too often",
        })
    }
}

pub(super) struct Admission {
    addresses_max: usize,
    connections_per_address_max: usize,
    rate_limit: Option<RateLimit>,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    /// The number of connections, by address.
    connections: HashMap<Option<IpAddr>, usize>,
    rates: HashMap<Option<IpAddr>, Rate>,
}

/// How often an address has connected.
struct Rate {
    since: Instant,
    connections: u32,
    banned_until: Option<Instant>,
}

/// The place of one connection, until it is dropped.
pub(super) struct Slot {
    admission: Arc<Admission>,
    address: Option<IpAddr>,
}

impl Admission {
    pub(super) fn new(options: &ServerOptions) -> Arc<Self> {
        Arc::new(Self {
            addresses_max: options.addresses_max,
            connections_per_address_max: options.connections_per_address_max,
            rate_limit: options.rate_limit,
            counts: Mutex::default(),
        })
    }

    /// Admits one more connection of an address, or returns why not. All clients without an address count as one.
    pub(super) fn admit(
        self: &Arc<Self>,
        address: impl Into<Option<IpAddr>>,
        now: Instant,
    ) -> Result<Slot, Unwelcome> {
        let address = address.into().map(|address| address.to_canonical());
        let mut counts = lock(&self.counts);
        if let Some(limit) = self.rate_limit {
            counts.note_rate(address, limit, now)?;
        }
        let addresses = counts.connections.len();
        match counts.connections.get_mut(&address) {
            None if addresses >= self.addresses_max => return Err(Unwelcome::TooManyAddresses),
            None if self.connections_per_address_max == 0 => return Err(Unwelcome::TooManyOfAddress),
            None => {
                counts.connections.insert(address, 1);
            }
            Some(count) if *count >= self.connections_per_address_max => {
                return Err(Unwelcome::TooManyOfAddress);
            }
            Some(count) => *count += 1,
        }
        Ok(Slot { admission: self.clone(), address })
    }
}

impl Counts {
    fn note_rate(
        &mut self,
        address: Option<IpAddr>,
        limit: RateLimit,
        now: Instant,
    ) -> Result<(), Unwelcome> {
        let network = address.map(network_of);
        if self.rates.len() >= RATED_ADDRESSES_MAX && !self.rates.contains_key(&network) {
            self.rates.retain(|_, rate| !rate.is_over(limit, now));
            if self.rates.len() >= RATED_ADDRESSES_MAX {
                self.rates.clear();
            }
        }
        let fresh = || Rate { since: now, connections: 0, banned_until: None };
        let rate = self.rates.entry(network).or_insert_with(fresh);
        if rate.is_over(limit, now) {
            *rate = fresh();
        }
        if rate.banned_until.is_some() {
            return Err(Unwelcome::TooOften);
        }
        rate.connections += 1;
        if rate.connections > limit.connections {
            rate.banned_until = Some(now + limit.ban);
            return Err(Unwelcome::TooOften);
        }
        Ok(())
    }
}

impl Rate {
    fn is_over(&self, limit: RateLimit, now: Instant) -> bool {
        self.banned_until.unwrap_or(self.since + limit.period) <= now
    }
}

/// One IPv6 host has a whole network of 64 bits.
fn network_of(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut counts = lock(&self.admission.counts);
        if let Some(count) = counts.connections.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                counts.connections.remove(&self.address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().expect("an address")
    }

    #[test]
    fn counts_addresses_and_the_connections_of_each() {
        let options =
            ServerOptions { addresses_max: 2, connections_per_address_max: 2, ..ServerOptions::default() };
        let admission = Admission::new(&options);
        let admit = |text| admission.admit(address(text), Instant::now());
        let first = admit("192.0.2.1").expect("room");
        // The same address, in the form of a socket for both families.
        let second = admit("::ffff:192.0.2.1").expect("room");
        assert_eq!(admit("192.0.2.1").err(), Some(Unwelcome::TooManyOfAddress));
        let other = admit("2001:db8::1").expect("room");
        assert_eq!(admit("2001:db8::2").err(), Some(Unwelcome::TooManyAddresses));
        drop(first);
        let again = admit("192.0.2.1").expect("room again");
        drop((second, again));
        assert!(admit("2001:db8::2").is_ok(), "the address has no connection any more");
        drop(other);
        assert!(lock(&admission.counts).connections.is_empty());
    }

    #[test]
    fn a_limit_of_zero_admits_nobody() {
        for (addresses_max, connections_per_address_max) in [(0, 1), (1, 0)] {
            let options =
                ServerOptions { addresses_max, connections_per_address_max, ..ServerOptions::default() };
            assert!(Admission::new(&options).admit(address("::1"), Instant::now()).is_err());
        }
    }

    #[test]
    fn refuses_an_address_that_connects_too_often_for_a_while() {
        let options = ServerOptions { rate_limit: Some(RateLimit::PLATFORM), ..ServerOptions::default() };
        let admission = Admission::new(&options);
        let start = Instant::now();
        let after = |seconds| start + Duration::from_secs(seconds);
        for _ in 0..50 {
            assert!(admission.admit(address("192.0.2.1"), start).is_ok());
        }
        assert_eq!(admission.admit(address("192.0.2.1"), after(59)).err(), Some(Unwelcome::TooOften));
        assert!(admission.admit(address("192.0.2.2"), after(59)).is_ok());
        assert_eq!(admission.admit(address("192.0.2.1"), after(118)).err(), Some(Unwelcome::TooOften));
        assert!(admission.admit(address("192.0.2.1"), after(119)).is_ok());
        // The count restarts after its period.
        for at in [0, 61] {
            for host in 0..50 {
                assert!(admission.admit(address(&format!("2001:db8::{host}")), after(200 + at)).is_ok());
            }
        }
        assert!(admission.admit(address("2001:db8::1"), after(262)).is_err());
        assert!(admission.admit(address("2001:db8:0:1::1"), after(262)).is_ok());
    }

    #[test]
    fn the_rate_limit_remembers_a_bounded_number_of_addresses() {
        let options = ServerOptions { rate_limit: Some(RateLimit::PLATFORM), ..ServerOptions::default() };
        let admission = Admission::new(&options);
        for host in 0..3 * RATED_ADDRESSES_MAX as u32 {
            drop(admission.admit(IpAddr::V4(host.into()), Instant::now()));
            assert!(lock(&admission.counts).rates.len() <= RATED_ADDRESSES_MAX);
        }
    }
}
