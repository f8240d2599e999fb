//! One token for all replicas, through Redis: whoever holds the lease fetches, the others wait and read.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use redis::{Cmd, Script, cmd};
use tokio::time::{Instant, sleep};

use super::{Outcome, Seal, Token};
use crate::redis::{LinkError, Redis};

/// How often those who wait look whether the token is there.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Keeps the token and gives the lease back, if the lease is still ours: a fetch that took too long must
/// not overwrite what came after it.
static KEEP: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end \
         redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) redis.call('DEL', KEYS[2]) return 1",
    )
});
/// Gives the lease back, if it is still ours.
static RELEASE: LazyLock<Script> = LazyLock::new(|| {
    Script::new("if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0")
});

/// Where the replicas keep a supplier's token.
pub(in crate::suppliers) struct Shared {
    redis: Arc<Redis>,
    seal: Seal,
    token: String,
    lease: String,
    /// A fetch is over by then.
    lease_for: Duration,
}

impl Shared {
    /// Kept in `redis`, sealed by `seal`; a fetch takes `fetch_within` at the most.
    pub(in crate::suppliers) fn new(redis: Arc<Redis>, seal: Seal, fetch_within: Duration) -> Self {
        // In braces what a cluster places keys by: both lie on one node.
        let token = format!("farmlokal:supplier-token:{{{}}}", seal.name());
        let lease = format!("{token}:lease");
        Self { redis, seal, token, lease, lease_for: fetch_within + Duration::from_secs(1) }
    }

    /// The token that is there if it is `usable`, or else what `fetch` brings. Without Redis every process
    /// fetches for itself.
    pub(super) async fn obtain<F: Future<Output = Outcome>>(
        &self,
        usable: impl Fn(&Token) -> bool,
        fetch: impl Fn() -> F,
    ) -> Outcome {
        let owner = format!("{:032x}", fastrand::u128(..));
        let give_up = Instant::now() + self.lease_for;
        loop {
            match self.read().await {
                Ok(Some(token)) if usable(&token) => return Ok(token),
                Ok(_) => {}
                Err(error) => return self.alone(&error, fetch).await,
            }
            match self.take_lease(&owner).await {
                Ok(true) => break,
                // Whoever has it does not come to an end: its lease would be over.
                Ok(false) if Instant::now() >= give_up => return fetch().await,
                Ok(false) => sleep(LOOK_EVERY).await,
                Err(error) => return self.alone(&error, fetch).await,
            }
        }
        // Between our look and the lease somebody else may have been done.
        if let Ok(Some(token)) = self.read().await
            && usable(&token)
        {
            self.release(&owner).await;
            return Ok(token);
        }
        let outcome = fetch().await;
        match &outcome {
            Ok(token) => self.keep(&owner, token).await,
            Err(_) => self.release(&owner).await,
        }
        outcome
    }

    async fn alone<F: Future<Output = Outcome>>(&self, error: &LinkError, fetch: impl Fn() -> F) -> Outcome {
        tracing::debug!("fetching a token for this process alone: {error}");
        fetch().await
    }

    async fn read(&self) -> Result<Option<Token>, LinkError> {
        let sealed: Option<Vec<u8>> = self.redis.run(&Cmd::get(&self.token)).await?;
        Ok(sealed.and_then(|sealed| self.seal.open(&sealed)))
    }

    async fn take_lease(&self, owner: &str) -> Result<bool, LinkError> {
        let mut set = cmd("SET");
        set.arg(&self.lease).arg(owner).arg("NX").arg("PX").arg(millis(self.lease_for));
        let taken: Option<String> = self.redis.run(&set).await?;
        Ok(taken.is_some())
    }

    async fn keep(&self, owner: &str, token: &Token) {
        let Some(sealed) = self.seal.close(token) else { return };
        let lifetime = Duration::from_micros(token.lifetime().max(1_000).unsigned_abs());
        let mut keep = KEEP.key(&self.token);
        keep.key(&self.lease).arg(owner).arg(sealed).arg(millis(lifetime));
        self.told(self.redis.invoke::<i64>(&keep).await);
    }

    async fn release(&self, owner: &str) {
        let mut release = RELEASE.key(&self.lease);
        release.arg(owner);
        self.told(self.redis.invoke::<i64>(&release).await);
    }

    /// What Redis did not do costs another fetch, or a wait until the lease is over.
    fn told(&self, outcome: Result<i64, LinkError>) {
        if let Err(error) = outcome {
            tracing::debug!("a supplier's token is not shared: {error}");
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
