//! The signing keys that all replicas share: read from the database, remembered for a while, and succeeded
//! by new ones in time.

use std::sync::Arc;
use std::time::Duration;

use farmlokal_catalog::Timestamp;
use farmlokal_catalog::store::OAuthStore;
use tokio::sync::Mutex;

use super::OAuthError;
use super::key::Key;
use super::seal::Sealer;
use super::token::SKEW;

/// How long a new key is published before it signs, so that everybody has read it by then.
pub const AHEAD: Duration = Duration::from_secs(300);
/// How old what we remember may be: a key that was taken back is known to be so by then.
const MAX_AGE: Duration = Duration::from_secs(30);
/// How old it may be when a token names a key we do not know. Not zero: anybody can make up names.
const MAX_AGE_UNKNOWN: Duration = Duration::from_secs(1);

/// The keys that were not retired at a moment.
#[derive(Debug)]
pub struct KeySet {
    keys: Vec<Key>,
    read_at: Timestamp,
}

impl KeySet {
    /// The key `kid`, if it proves anything at `now`.
    pub fn find(&self, kid: &str, now: Timestamp) -> Option<&Key> {
        self.live(now).find(|key| key.kid == kid)
    }

    /// The keys to be published.
    pub fn live(&self, now: Timestamp) -> impl Iterator<Item = &Key> {
        self.keys.iter().filter(move |key| key.retired_at.is_none_or(|end| now < end))
    }

    /// The key that signs at `now`: the youngest that everybody knows by now, or else the oldest.
    pub fn signing(&self, now: Timestamp) -> Option<&Key> {
        let mut able = self.live(now).filter(|key| key.can_sign());
        let known = self.live(now).filter(|key| key.can_sign() && later(key.created_at, AHEAD) <= now);
        known.max_by_key(|key| key.number).or_else(|| able.next())
    }

    /// Whether a successor is to be made: there is no key, or the youngest is as old as `rotation`.
    fn is_due(&self, now: Timestamp, rotation: Duration) -> bool {
        let youngest = self.live(now).filter(|key| key.can_sign()).map(|key| key.created_at).max();
        youngest.is_none_or(|at| later(at, rotation) <= now)
    }

    fn is_older(&self, age: Duration, now: Timestamp) -> bool {
        // A clock that was put back must not make it last.
        now > later(self.read_at, age) || now < self.read_at
    }

    fn next_number(&self) -> i64 {
        self.keys.iter().map(|key| key.number).max().unwrap_or(0) + 1
    }
}

/// The keys in the database and what is remembered of them.
pub struct Keys {
    store: Arc<dyn OAuthStore>,
    sealer: Sealer,
    lifetime: Duration,
    rotation: Duration,
    /// Held while the database is asked, so that it is asked once.
    known: Mutex<Option<Arc<KeySet>>>,
}

impl Keys {
    /// The keys in `store`: tokens are good for `lifetime`, a key signs for `rotation`.
    pub fn new(store: Arc<dyn OAuthStore>, sealer: Sealer, lifetime: Duration, rotation: Duration) -> Self {
        Self { store, sealer, lifetime, rotation, known: Mutex::default() }
    }

    /// The keys, as they are now or were half a minute ago.
    pub async fn current(&self, now: Timestamp) -> Result<Arc<KeySet>, OAuthError> {
        self.no_older_than(MAX_AGE, now).await
    }

    /// Keys among which `kid` is, if there is such a key.
    pub async fn with(&self, kid: &str, now: Timestamp) -> Result<Arc<KeySet>, OAuthError> {
        let known = self.current(now).await?;
        if known.find(kid, now).is_some() {
            return Ok(known);
        }
        self.no_older_than(MAX_AGE_UNKNOWN, now).await
    }

    /// Keys of which one can sign; makes a successor when it is time.
    pub async fn to_sign(&self, now: Timestamp) -> Result<Arc<KeySet>, OAuthError> {
        let known = self.current(now).await?;
        if !known.is_due(now, self.rotation) {
            return Ok(known);
        }
        match self.succeed(&known, self.last_end(now), now).await {
            // What can sign goes on; the next request tries again.
            Err(error) if known.signing(now).is_some() => {
                tracing::warn!("could not make a new signing key: {error}");
                Ok(known)
            }
            outcome => outcome,
        }
    }

    /// Makes a successor now. `at_once`, tokens that were signed so far prove nothing any more.
    pub async fn rotate(&self, at_once: bool, now: Timestamp) -> Result<(), OAuthError> {
        let known = self.no_older_than(Duration::ZERO, now).await?;
        self.succeed(&known, if at_once { now } else { self.last_end(now) }, now).await?;
        Ok(())
    }

    /// When the last token of a key that gets a successor `now` has ended, whichever replica's clock is asked.
    fn last_end(&self, now: Timestamp) -> Timestamp {
        later(now, AHEAD + self.lifetime + Duration::from_secs(SKEW.unsigned_abs()))
    }

    async fn succeed(
        &self,
        known: &KeySet,
        others_retire_at: Timestamp,
        now: Timestamp,
    ) -> Result<Arc<KeySet>, OAuthError> {
        let key = Key::generate(known.next_number(), now, &self.sealer)?;
        if self.store.add_oauth_key(&key, others_retire_at).await? {
            tracing::info!(kid = key.kid, number = key.number, "made a new signing key");
        }
        // If not, another replica was faster, and its key does as well.
        self.read(&mut *self.known.lock().await, now).await
    }

    async fn no_older_than(&self, age: Duration, now: Timestamp) -> Result<Arc<KeySet>, OAuthError> {
        let mut known = self.known.lock().await;
        match &*known {
            Some(keys) if !keys.is_older(age, now) => Ok(Arc::clone(keys)),
            _ => self.read(&mut known, now).await,
        }
    }

    async fn read(&self, known: &mut Option<Arc<KeySet>>, now: Timestamp) -> Result<Arc<KeySet>, OAuthError> {
        let rows = self.store.oauth_keys(now).await?;
        let keys = rows.into_iter().filter_map(|row| Key::open(row, &self.sealer)).collect();
        let keys = Arc::new(KeySet { keys, read_at: now });
        Ok(Arc::clone(known.insert(keys)))
    }
}

/// `duration` after `at`.
pub(super) fn later(at: Timestamp, duration: Duration) -> Timestamp {
    (at.to_utc() + duration).into()
}

#[cfg(test)]
mod tests;
