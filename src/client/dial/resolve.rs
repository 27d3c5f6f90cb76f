//! Looks names up with the system's resolver.
//!
//! A lookup cannot be cancelled: its thread ends when the resolver answers or times out. So lookups do not belong to the
//! attempts that wait for them. The number of lookups at a time is limited. Attempts for the same name share one, and its
//! result is cached for a short time.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::Duration;

use dns_lookup::{AddrInfoHints, LookupError, getaddrinfo};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use crate::shortage::run_blocking;
use crate::sync::lock;

/// Lookups under way. Further ones wait.
const LOOKUPS_MAX: usize = 64;
/// How long addresses are cached. The time is short, because the resolver reports no validity. If a server cannot be
/// reached, its name is looked up again at once.
const REMEMBERED_FOR: Duration = Duration::from_secs(10);
/// The most names in the cache.
const REMEMBERED_MAX: usize = 64;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    V4,
    V6,
}

impl Family {
    pub(super) fn has(self, address: IpAddr) -> bool {
        address.is_ipv6() == (self == Self::V6)
    }
}

/// Addresses without ports, or the resolver's error.
pub(super) type LookedUp = Result<Vec<SocketAddr>, Arc<io::Error>>;

type Key = (String, Family);

enum CacheEntry {
    UnderWay(watch::Receiver<Option<LookedUp>>),
    Found(Vec<SocketAddr>, Instant),
}

/// One entry for each key, in no order. There are never more than both limits together.
static ENTRIES: Mutex<Vec<(Key, CacheEntry)>> = Mutex::new(Vec::new());
static SLOTS: LazyLock<Arc<Semaphore>> = LazyLock::new(|| Arc::new(Semaphore::new(LOOKUPS_MAX)));

fn entries() -> MutexGuard<'static, Vec<(Key, CacheEntry)>> {
    lock(&ENTRIES)
}

/// The addresses of a name in one family, from the simulation.
#[cfg(feature = "simulation")]
pub(super) async fn addresses(name: &str, family: Family) -> LookedUp {
    crate::simulation::look_up(name, family == Family::V6).await.map_err(Arc::new)
}

/// The addresses of a name in one family.
#[cfg(not(feature = "simulation"))]
pub(super) async fn addresses(name: &str, family: Family) -> LookedUp {
    let key = (name.to_owned(), family);
    let first = cached(&mut entries(), &key);
    if let Some(cached) = first {
        return wait(cached).await;
    }
    let slot = SLOTS.clone().acquire_owned().await;
    let answer = {
        let mut entries = entries();
        match cached(&mut entries, &key) {
            // Another lookup had its turn first.
            Some(cached) => cached,
            None => {
                let (sender, receiver) = watch::channel(None);
                entries.push((key.clone(), CacheEntry::UnderWay(receiver.clone())));
                tokio::spawn(async move {
                    let (name, family) = key.clone();
                    let looked_up = run_blocking(move || look_up(&name, family)).await;
                    let answer = looked_up.flatten().map_err(Arc::new);
                    remember(key, &answer);
                    let _ = sender.send(Some(answer));
                    drop(slot);
                });
                Cached::Later(receiver)
            }
        }
    };
    wait(answer).await
}

/// Removes addresses of `name` that did not work.
pub(super) fn forget(name: &str) {
    entries().retain(|((known, _), entry)| known != name || matches!(entry, CacheEntry::UnderWay(_)));
}

enum Cached {
    Now(Vec<SocketAddr>),
    Later(watch::Receiver<Option<LookedUp>>),
}

fn cached(entries: &mut Vec<(Key, CacheEntry)>, key: &Key) -> Option<Cached> {
    let place = entries.iter().position(|(known, _)| known == key)?;
    match &entries[place].1 {
        CacheEntry::UnderWay(receiver) => Some(Cached::Later(receiver.clone())),
        CacheEntry::Found(addresses, until) if Instant::now() < *until => {
            Some(Cached::Now(addresses.clone()))
        }
        CacheEntry::Found(..) => {
            entries.swap_remove(place);
            None
        }
    }
}

async fn wait(cached: Cached) -> LookedUp {
    let mut receiver = match cached {
        Cached::Now(addresses) => return Ok(addresses),
        Cached::Later(receiver) => receiver,
    };
    match receiver.wait_for(Option::is_some).await {
        Ok(answer) => answer.clone().unwrap_or_else(|| Ok(Vec::new())),
        // The lookup panicked.
        Err(_) => Err(Arc::new(io::Error::other("the lookup did not run"))),
    }
}

fn remember(key: Key, answer: &LookedUp) {
    let mut entries = entries();
    entries.retain(|(known, _)| *known != key);
    if let Ok(addresses) = answer {
        if entries.len() >= REMEMBERED_MAX {
            let now = Instant::now();
            entries.retain(|(_, entry)| !matches!(entry, CacheEntry::Found(_, until) if *until <= now));
        }
        if entries.len() < REMEMBERED_MAX {
            entries.push((key, CacheEntry::Found(addresses.clone(), Instant::now() + REMEMBERED_FOR)));
        }
    }
}

fn look_up(name: &str, family: Family) -> io::Result<Vec<SocketAddr>> {
    let hints = AddrInfoHints {
        address: match family {
            Family::V4 => libc::AF_INET,
            Family::V6 => libc::AF_INET6,
        },
        socktype: libc::SOCK_STREAM,
        ..AddrInfoHints::default()
    };
    let found = getaddrinfo(Some(name), None, Some(hints))
        .map_err(in_its_own_words)?
        .map(|found| Ok(found?.sockaddr));
    let addresses: Vec<_> = found.collect::<io::Result<_>>()?;
    match addresses.is_empty() {
        true => Err(io::Error::new(io::ErrorKind::NotFound, "the name has no address")),
        false => Ok(addresses),
    }
}

/// The text without the part that the phase's error already has.
fn in_its_own_words(error: LookupError) -> io::Error {
    let error = io::Error::from(error);
    match error.to_string().strip_prefix("failed to lookup address information: ") {
        Some(words) => io::Error::new(error.kind(), words),
        None => error,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn remembers_addresses_until_they_are_forgotten() {
        let key = ("127.0.0.1".to_owned(), Family::V4);
        let found = addresses(&key.0, key.1).await.expect("a literal is found without a network");
        assert_eq!(found, ["127.0.0.1:0".parse().expect("an address")]);
        assert!(matches!(cached(&mut entries(), &key), Some(Cached::Now(_))));
        forget(&key.0);
        assert!(cached(&mut entries(), &key).is_none());
    }

    #[tokio::test]
    async fn remembers_no_failed_lookup() {
        let key = ("::1".to_owned(), Family::V4);
        assert!(addresses(&key.0, key.1).await.is_err(), "an IPv6 address has no IPv4 address");
        assert!(cached(&mut entries(), &key).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn remembers_addresses_for_a_short_time() {
        let key = ("::2".to_owned(), Family::V6);
        addresses(&key.0, key.1).await.expect("a literal");
        tokio::time::advance(REMEMBERED_FOR).await;
        assert!(cached(&mut entries(), &key).is_none());
    }
}
