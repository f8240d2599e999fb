//! Rate limits and load shedding: how much one client may ask, and how much all of them together.
//!
//! Each client has a quota in each class of operations ([`Class`]), counted by GCRA ([`Policy`]). With
//! Redis, replicas share it: a replica takes requests from the shared quota in lots of a 64th of it, and
//! admits from its lot without asking, so that of requests that follow each other one in a lot waits for
//! Redis, once, and all others for nobody. Refusals need no Redis either: a quota that was used up
//! when last heard of is used up still.
//!
//! What that promises, for a quota `q` a window `w`:
//! - a client that keeps to `q` a window on one replica is never refused; on `n` replicas it may find up to
//!   `(n - 1) * q / 64` of it in other replicas' lots (none below a quota of 128);
//! - all replicas together admit at most `q * (1 + t / w)` in any time `t`, and at most the lots they held;
//! - without Redis each replica counts alone, from what it last heard, so that `n` replicas admit up to `n` times
//!   that; they share again as soon as Redis answers, without a restart, and tell it what they counted.

mod account;
mod class;
mod client;
mod gcra;
mod load;
mod network;
mod shared;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use moka::policy::EvictionPolicy;
use moka::sync::Cache;

use account::Account;
use gcra::micros;
use shared::Shared;

pub use account::Verdict;
pub use class::Class;
pub use client::{Authenticated, ClientKey, Clients, ForwardingField};
pub use gcra::Policy;
pub use load::{Full, Load};
pub use network::{Networks, NotNetworks};

use crate::redis::{LinkError, Redis};
use crate::tally::Tally;

/// Clients remembered at once, over all classes; some 200 bytes each. The one not heard of for the longest
/// is forgotten first, and those who ask too often are heard of all the time.
const ACCOUNTS: u64 = 100_000;
/// How long Redis is not asked after it failed.
const PAUSE: Duration = Duration::from_secs(1);
/// The part of a quota that a replica takes at once.
const LOT: u32 = 64;

/// Decides who may ask.
pub struct Limiter {
    policies: [Option<Policy>; Class::ALL.len()],
    accounts: Cache<(Class, ClientKey), Arc<Account>>,
    shared: Option<Shared>,
    /// Microseconds are counted from here.
    epoch: Instant,
    /// Until when Redis is not asked.
    alone_until: AtomicU64,
    /// Whether the log says that Redis is away.
    cut_off: AtomicBool,
    refused: Tally<Class>,
}

impl Limiter {
    /// With a quota for each class, `None` for no limit, in the order of [`Class::ALL`]; shared by `redis`.
    pub fn new(policies: [Option<Policy>; Class::ALL.len()], redis: Option<Arc<Redis>>) -> Self {
        let longest = policies.iter().flatten().map(Policy::window).max().unwrap_or_default();
        let accounts = Cache::builder()
            .max_capacity(ACCOUNTS)
            .eviction_policy(EvictionPolicy::lru())
            // After a window's silence there is nothing left to remember.
            .time_to_idle(longest + Duration::from_secs(1))
            .build();
        Self {
            policies,
            accounts,
            shared: redis.map(Shared::new),
            epoch: Instant::now(),
            alone_until: AtomicU64::new(0),
            cut_off: AtomicBool::new(false),
            refused: Tally::default(),
        }
    }

    /// The quota of a class.
    pub fn policy(&self, class: Class) -> Option<Policy> {
        self.policies[class as usize]
    }

    /// Counts a request of `client` at `now`; `None` where nothing is limited. Waits for Redis only as long as
    /// a call to it may take, and never fails.
    pub async fn check(&self, class: Class, client: &ClientKey, now: Instant) -> Option<Verdict> {
        let policy = self.policy(class)?;
        let now = micros(now.saturating_duration_since(self.epoch));
        let account = self.accounts.get_with((class, client.clone()), Arc::default);
        let alone = self.shared.is_none() || self.alone(now);
        let verdict = match (account.decide(policy, now, alone), &self.shared) {
            // Boxed: the few who ask carry what it takes, and not every request.
            (None, Some(shared)) => Box::pin(self.ask(shared, class, client, &account, policy, now)).await,
            (verdict, _) => verdict,
        };
        if verdict.is_some_and(|verdict| !verdict.admitted) {
            self.refused.add(class);
        }
        verdict
    }

    /// Requests that were refused.
    pub fn refused(&self) -> &Tally<Class> {
        &self.refused
    }

    /// Whether this replica counts alone though there is a Redis.
    pub fn is_cut_off(&self) -> bool {
        self.cut_off.load(Ordering::Relaxed)
    }

    /// Asks Redis for all of the client's requests that wait, or lets another one do it.
    async fn ask(
        &self,
        shared: &Shared,
        class: Class,
        client: &ClientKey,
        account: &Account,
        policy: Policy,
        now: u64,
    ) -> Option<Verdict> {
        account.waiting.fetch_add(1, Ordering::Relaxed);
        let _waiting = Waiting(account);
        let _asking = account.asking.lock().await;
        // Whoever asked just before may have brought enough for all who waited.
        if let Some(verdict) = account.decide(policy, now, self.alone(now)) {
            return Some(verdict);
        }
        let wanted = (policy.quota() / LOT).max(account.waiting.load(Ordering::Relaxed)).max(1);
        let key = format!("{}:{client}", class.name());
        match shared.take(&key, policy, wanted, account.ahead(now)).await {
            Ok(grant) => {
                self.shared_again();
                Some(account.settle(policy, now, grant))
            }
            Err(error) => {
                self.go_alone(now, &error);
                account.decide(policy, now, true)
            }
        }
    }

    fn alone(&self, now: u64) -> bool {
        now < self.alone_until.load(Ordering::Relaxed)
    }

    fn go_alone(&self, now: u64, error: &LinkError) {
        self.alone_until.fetch_max(now + micros(PAUSE), Ordering::Relaxed);
        if !self.cut_off.swap(true, Ordering::Relaxed) {
            tracing::warn!("each replica counts its clients' requests alone: {error}");
        }
    }

    fn shared_again(&self) {
        if self.cut_off.load(Ordering::Relaxed) && self.cut_off.swap(false, Ordering::Relaxed) {
            tracing::info!("clients' requests are counted over all replicas again");
        }
    }
}

/// A request that waits; dropped when it no longer does, also because its client went away.
struct Waiting<'a>(&'a Account);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.waiting.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(quota: u32) -> Limiter {
        let policy = Some(Policy::new(quota, Duration::from_secs(60)));
        Limiter::new([policy, policy, None, policy, policy], None)
    }

    fn client(last: u8) -> ClientKey {
        std::net::IpAddr::from([192, 0, 2, last]).into()
    }

    #[tokio::test]
    async fn clients_and_classes_do_not_share() {
        let (limiter, now) = (limiter(1), Instant::now());
        let admitted = async |class, client: &ClientKey| limiter.check(class, client, now).await.map(|it| it.admitted);
        assert_eq!(admitted(Class::Read, &client(1)).await, Some(true));
        assert_eq!(admitted(Class::Read, &client(1)).await, Some(false));
        assert_eq!(admitted(Class::Search, &client(1)).await, Some(true));
        assert_eq!(admitted(Class::Read, &client(2)).await, Some(true));
        assert_eq!(admitted(Class::Read, &ClientKey::Client("192.0.2.1".into())).await, Some(true));
        assert_eq!(admitted(Class::Write, &client(1)).await, None, "no limit");
    }

    #[tokio::test]
    async fn a_quota_comes_back_with_time() {
        let (limiter, now, client) = (limiter(60), Instant::now(), client(1));
        let at = async |passed| limiter.check(Class::Read, &client, now + passed).await.unwrap();
        for _ in 0..60 {
            assert!(at(Duration::ZERO).await.admitted);
        }
        assert!(!at(Duration::from_millis(999)).await.admitted);
        assert!(at(Duration::from_secs(1)).await.admitted);
        assert!(!at(Duration::from_secs(1)).await.admitted);
        assert_eq!(at(Duration::from_secs(120)).await.remaining, 59);
    }

    #[tokio::test]
    async fn a_flood_of_others_does_not_set_a_client_free() {
        let (limiter, now, greedy) = (limiter(1), Instant::now(), client(1));
        assert!(limiter.check(Class::Read, &greedy, now).await.unwrap().admitted);
        for n in 0..(ACCOUNTS + ACCOUNTS / 5) {
            let address = std::net::Ipv6Addr::from_bits(u128::from(n) << 64);
            let _ = limiter.check(Class::Read, &std::net::IpAddr::from(address).into(), now).await;
            if n % 1_000 == 0 {
                assert!(!limiter.check(Class::Read, &greedy, now).await.unwrap().admitted, "after {n} others");
            }
        }
        limiter.accounts.run_pending_tasks();
        assert!(limiter.accounts.entry_count() <= ACCOUNTS, "memory is bounded");
        // Nor does it leave newcomers uncounted.
        let newcomer = client(2);
        assert!(limiter.check(Class::Read, &newcomer, now).await.unwrap().admitted);
        limiter.accounts.run_pending_tasks();
        assert!(!limiter.check(Class::Read, &newcomer, now).await.unwrap().admitted);
    }
}
