//! Who may ask for access tokens, and the keys that sign them. What the texts and bytes mean is the
//! service's affair; here they are kept, the same for all replicas.

use std::fmt;

use async_trait::async_trait;

use super::StoreError;
use crate::Timestamp;

/// What must not be seen: `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct Hidden<T>(pub T);

impl<T> fmt::Debug for Hidden<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A program that may ask for access tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthClient {
    /// Its id, for ever: the id of a disabled client is not given again.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// The scopes it may have, separated by spaces.
    pub scope: String,
    /// The hash of its secret.
    pub secret_hash: Hidden<String>,
    /// The hash of the secret before, and how long that one is good.
    pub previous: Option<(Hidden<String>, Timestamp)>,
    /// When it was added.
    pub created_at: Timestamp,
    /// Since when it may do nothing any more.
    pub disabled_at: Option<Timestamp>,
}

/// A key that signs access tokens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OAuthKey {
    /// One more than the number of the key before it.
    pub number: i64,
    /// Its name in tokens.
    pub kid: String,
    /// The half that is published.
    pub public: Vec<u8>,
    /// The other half, as the service wants it kept.
    pub private: Hidden<Vec<u8>>,
    /// When it was made.
    pub created_at: Timestamp,
    /// From when on it proves nothing.
    pub retired_at: Option<Timestamp>,
}

/// Keeps clients and keys. Always read from the primary: what was revoked must not come back.
#[async_trait]
pub trait OAuthStore: Send + Sync {
    /// The client `id`, a disabled one too.
    async fn oauth_client(&self, id: &str) -> Result<Option<OAuthClient>, StoreError>;

    /// Every client, by id.
    async fn oauth_clients(&self) -> Result<Vec<OAuthClient>, StoreError>;

    /// Keeps a new client; `false` if the id is taken.
    async fn add_oauth_client(&self, client: &OAuthClient) -> Result<bool, StoreError>;

    /// Gives the client `id` a new secret and keeps the present one good until `previous_until`; `false`
    /// if there is no such client, or a disabled one.
    async fn change_oauth_secret(
        &self,
        id: &str,
        hash: &Hidden<String>,
        previous_until: Timestamp,
    ) -> Result<bool, StoreError>;

    /// Disables the client `id` for ever; `false` if there is no such client, or it was disabled before.
    async fn disable_oauth_client(&self, id: &str, now: Timestamp) -> Result<bool, StoreError>;

    /// The keys that are not retired at `now`, by number.
    async fn oauth_keys(&self, now: Timestamp) -> Result<Vec<OAuthKey>, StoreError>;

    /// Keeps a new key, has those before it retire at `others_retire_at` or earlier, and forgets those
    /// that were retired before `key` was made; all or nothing. `false` if there is a key of that number:
    /// another replica was faster.
    async fn add_oauth_key(&self, key: &OAuthKey, others_retire_at: Timestamp) -> Result<bool, StoreError>;
}
