//! The clients: those in the database, and the demo client of an embedded instance.

use std::sync::Arc;
use std::time::Duration;

use farmlokal_catalog::Timestamp;
use farmlokal_catalog::store::OAuthStore;
use farmlokal_catalog::store::oauth::OAuthClient;

use super::keys::later;
use super::secret::{self, Hasher};
use super::{OAuthError, Scope, Scopes};
use crate::config::Secret;

/// The id of the demo client.
const DEMO: &str = "demo";
/// As wide as the column.
const MAX_ID_BYTES: usize = 64;

/// A client and its secret, to be shown once.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The client's id.
    pub id: String,
    /// Its secret.
    pub secret: Secret,
}

/// Finds, checks and manages clients.
pub struct Clients {
    store: Arc<dyn OAuthStore>,
    hasher: Hasher,
    demo: Option<OAuthClient>,
}

impl Clients {
    /// Those in `store`.
    pub fn new(store: Arc<dyn OAuthStore>) -> Result<Self, OAuthError> {
        Ok(Self { store, hasher: Hasher::new()?, demo: None })
    }

    /// Adds a client with every scope and a secret made now. It lives in this process' memory and nowhere
    /// else: no later start, and no server that is given the same database, knows its secret.
    pub async fn add_demo(&mut self, now: Timestamp) -> Result<Credentials, OAuthError> {
        let (client, credentials) = self.make(DEMO.to_owned(), "Demo", &Scope::ALL.into_iter().collect(), now).await?;
        self.demo = Some(client);
        Ok(credentials)
    }

    /// The client `id`, a disabled one too.
    pub async fn find(&self, id: &str) -> Result<Option<OAuthClient>, OAuthError> {
        if let Some(demo) = self.demo.as_ref().filter(|demo| demo.id == id) {
            return Ok(Some(demo.clone()));
        }
        // What cannot be an id need not be asked for.
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        if id.is_empty() || id.len() > MAX_ID_BYTES || !id.bytes().all(plain) {
            return Ok(None);
        }
        Ok(self.store.oauth_client(id).await?)
    }

    /// The client `id`, if `secret` is its present or, for a while, its last one, and it is not disabled.
    /// What is wrong is told neither by the answer nor by the time it takes.
    pub async fn authenticate(&self, id: &str, secret: &Secret, now: Timestamp) -> Result<OAuthClient, OAuthError> {
        let client = self.find(id).await?.filter(|client| client.disabled_at.is_none());
        let hashes = client.as_ref().map(|client| {
            let previous = client.previous.clone().filter(|(_, until)| now < *until);
            [client.secret_hash.clone()].into_iter().chain(previous.map(|(hash, _)| hash)).collect()
        });
        let right = self.hasher.verify(secret, hashes.unwrap_or_default()).await?;
        client.filter(|_| right).ok_or(OAuthError::InvalidClient)
    }

    /// Every client in the database.
    pub async fn list(&self) -> Result<Vec<OAuthClient>, OAuthError> {
        Ok(self.store.oauth_clients().await?)
    }

    /// Adds a client that may have `scopes`.
    pub async fn add(&self, name: &str, scopes: &Scopes, now: Timestamp) -> Result<Credentials, OAuthError> {
        let (client, credentials) = self.make(format!("flc_{}", secret::random::<12>()?), name, scopes, now).await?;
        if !self.store.add_oauth_client(&client).await? {
            return Err(OAuthError::Broken("the id that was drawn is taken; try again"));
        }
        Ok(credentials)
    }

    /// Gives the client `id` a new secret; the present one is good for `keep` longer. `None` if there is no
    /// such client.
    pub async fn rotate(&self, id: &str, keep: Duration, now: Timestamp) -> Result<Option<Secret>, OAuthError> {
        let secret = secret::generate()?;
        let hash = self.hasher.hash(&secret).await?;
        let changed = self.store.change_oauth_secret(id, &hash, later(now, keep)).await?;
        Ok(changed.then_some(secret))
    }

    /// Disables the client `id` for ever; `false` if there is no such client.
    pub async fn remove(&self, id: &str, now: Timestamp) -> Result<bool, OAuthError> {
        Ok(self.store.disable_oauth_client(id, now).await?)
    }

    async fn make(
        &self,
        id: String,
        name: &str,
        scopes: &Scopes,
        now: Timestamp,
    ) -> Result<(OAuthClient, Credentials), OAuthError> {
        let secret = secret::generate()?;
        let client = OAuthClient {
            id: id.clone(),
            name: name.to_owned(),
            scope: scopes.to_string(),
            secret_hash: self.hasher.hash(&secret).await?,
            previous: None,
            created_at: now,
            disabled_at: None,
        };
        Ok((client, Credentials { id, secret }))
    }
}
