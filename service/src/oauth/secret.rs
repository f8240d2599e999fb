//! Secrets of clients: made at random, kept as Argon2id hashes, checked a few at a time.

use std::sync::Arc;
use std::time::Duration;

use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use farmlokal_catalog::store::oauth::Hidden;
use ring::rand::{SecureRandom as _, SystemRandom};
use tokio::sync::Semaphore;

use super::OAuthError;
use crate::config::Secret;

/// Secrets checked at once. Each takes 19 MiB and a core for some hundredths of a second, so that guessing
/// costs; without a bound, guessing would cost us.
const AT_ONCE: usize = 2;
/// How long a request waits for its turn.
const PATIENCE: Duration = Duration::from_secs(2);
/// Longer than any of ours: hashing starts with reading it all.
const MAX_BYTES: usize = 256;

/// `BYTES` random bytes as text of letters, digits, `-` and `_`.
pub(super) fn random<const BYTES: usize>() -> Result<String, OAuthError> {
    let mut bytes = [0; BYTES];
    SystemRandom::new().fill(&mut bytes).map_err(|_| OAuthError::Broken("the system gives no random numbers"))?;
    Ok(BASE64.encode(bytes))
}

/// A new secret of 256 bits. What it begins with lets scanners of published code find it, and keeps a `-` from
/// the front, which command lines take for an option.
pub(super) fn generate() -> Result<Secret, OAuthError> {
    Ok(Secret::new(format!("fls_{}", random::<32>()?)))
}

/// Makes and checks hashes where they hold nobody up.
#[derive(Clone)]
pub(super) struct Hasher {
    places: Arc<Semaphore>,
    /// The hash of a secret that nobody has: what is checked for clients that are not there, so that the
    /// time of the answer does not tell which are.
    nobodys: Arc<str>,
}

impl Hasher {
    /// A hasher with places of its own.
    pub(super) fn new() -> Result<Self, OAuthError> {
        let nobodys = hash(random::<32>()?.as_bytes())?.into();
        Ok(Self { places: Arc::new(Semaphore::new(AT_ONCE)), nobodys })
    }

    /// The hash of `secret`, to be kept.
    pub(super) async fn hash(&self, secret: &Secret) -> Result<Hidden<String>, OAuthError> {
        let secret = secret.clone();
        self.run(move || hash(secret.expose().as_bytes())).await.map(Hidden)
    }

    /// Whether `secret` has one of `hashes`. Takes as long when there are none. Argon2 compares in
    /// constant time, and what it compares are hashes.
    pub(super) async fn verify(&self, secret: &Secret, hashes: Vec<Hidden<String>>) -> Result<bool, OAuthError> {
        if secret.expose().len() > MAX_BYTES {
            return Ok(false);
        }
        let (secret, nobodys) = (secret.clone(), Arc::clone(&self.nobodys));
        self.run(move || {
            if hashes.is_empty() {
                matches(&nobodys, secret.expose().as_bytes())?;
            }
            for hash in hashes {
                if matches(&hash.0, secret.expose().as_bytes())? {
                    return Ok(true);
                }
            }
            Ok(false)
        })
        .await
    }

    /// Runs `work` on a thread that may be busy for long. Its place is free when it ends, whether anybody
    /// still waits for it or not.
    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, OAuthError> + Send + 'static,
    ) -> Result<T, OAuthError> {
        let place = tokio::time::timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await;
        let place = place.map_err(|_| OAuthError::Busy)?.map_err(|_| OAuthError::Busy)?;
        let task = tokio::task::spawn_blocking(move || {
            let outcome = work();
            drop(place);
            outcome
        });
        task.await.map_err(|_| OAuthError::Broken("checking a secret broke off"))?
    }
}

fn hash(secret: &[u8]) -> Result<String, OAuthError> {
    let hash = Argon2::default().hash_password(secret);
    hash.map(|hash| hash.to_string()).map_err(|_| OAuthError::Broken("a secret could not be hashed"))
}

fn matches(hash: &str, secret: &[u8]) -> Result<bool, OAuthError> {
    let hash = PasswordHash::new(hash).map_err(|_| OAuthError::Broken("a client's secret hash cannot be read"))?;
    Ok(Argon2::default().verify_password(secret, &hash).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_secret_is_known_by_its_hash_alone() {
        let hasher = Hasher::new().unwrap();
        let (secret, other) = (generate().unwrap(), generate().unwrap());
        let (first, again) = (hasher.hash(&secret).await.unwrap(), hasher.hash(&secret).await.unwrap());
        assert!(first.0.starts_with("$argon2id$v=19$m=19456,t=2,p=1$") && !first.0.contains(secret.expose()));
        assert_ne!(first, again, "salted");
        let others = hasher.hash(&other).await.unwrap();
        assert!(hasher.verify(&secret, vec![first.clone()]).await.unwrap());
        assert!(hasher.verify(&secret, vec![others.clone(), again]).await.unwrap());
        assert!(!hasher.verify(&secret, vec![others]).await.unwrap());
        assert!(!hasher.verify(&secret, vec![]).await.unwrap());
        let long = Secret::new("x".repeat(257));
        let of_long = hasher.hash(&long).await.unwrap();
        assert!(!hasher.verify(&long, vec![of_long]).await.unwrap(), "not even read");
        assert!(hasher.verify(&secret, vec![Hidden("nonsense".to_owned())]).await.is_err());
        assert!(!format!("{secret:?} {first:?}").contains(secret.expose()));
    }

    #[tokio::test(start_paused = true)]
    async fn when_all_places_are_taken_a_request_waits_and_is_turned_away() {
        let hasher = Hasher::new().unwrap();
        let taken = Arc::clone(&hasher.places).acquire_many_owned(AT_ONCE as u32).await.unwrap();
        let secret = generate().unwrap();
        assert!(matches!(hasher.verify(&secret, vec![]).await, Err(OAuthError::Busy)));
        drop(taken);
        assert!(hasher.verify(&secret, vec![]).await.is_ok());
    }
}
