//! OAuth 2: who may do what. Clients get access tokens for their credentials (RFC 6749, 4.4), and what a
//! token says is checked before a protected operation begins. Knows no HTTP.

pub mod clients;
mod error;
pub mod key;
pub mod keys;
pub mod scope;
mod seal;
mod secret;
mod tallies;
pub mod token;
mod verified;

use std::sync::Arc;
use std::time::Duration;

use farmlokal_catalog::Timestamp;
use farmlokal_catalog::store::OAuthStore;

pub use clients::{Clients, Credentials};
pub use error::OAuthError;
pub use key::Jwk;
pub use keys::Keys;
pub use scope::{Scope, Scopes};
pub use tallies::{TokenChecked, TokenRequested};

use crate::clock::Clock;
use crate::config;
use crate::tally::Tally;
use keys::later;
use seal::Sealer;
use token::{Claims, Unverified};
use verified::Verified;

/// How long a token that was found good is not looked at again. A client that is disabled, a scope or a key
/// that is taken away, is gone by then.
const REMEMBERED: Duration = Duration::from_secs(10);

/// Gives tokens and takes them.
pub struct OAuth {
    issuer: String,
    lifetime: Duration,
    keys: Keys,
    clients: Clients,
    verified: Verified<Grant>,
    clock: Clock,
    /// Requests for tokens.
    pub requests: Tally<TokenRequested>,
    /// Tokens that were brought to protected operations.
    pub checks: Tally<TokenChecked>,
}

/// A token that was given.
pub struct Issued {
    /// The token.
    pub token: String,
    /// For how many seconds it is good.
    pub expires_in: u64,
    /// What it is good for.
    pub scopes: Scopes,
}

/// Whom a request comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The client's id.
    pub client_id: Arc<str>,
}

/// What a token is good for.
#[derive(Clone)]
struct Grant {
    client_id: Arc<str>,
    scopes: Scopes,
}

impl OAuth {
    /// Issues tokens as `issuer` to `clients`.
    pub fn new(
        store: Arc<dyn OAuthStore>,
        clients: Clients,
        settings: &config::OAuth,
        issuer: String,
        clock: Clock,
    ) -> Result<Self, OAuthError> {
        Ok(Self {
            issuer,
            lifetime: settings.token_lifetime,
            keys: keys(store, settings)?,
            clients,
            verified: Verified::new(),
            clock,
            requests: Tally::default(),
            checks: Tally::default(),
        })
    }

    /// Who issues the tokens, as a URL: all other URLs of ours begin with it.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// A token for a client with `scope`, or all that it may have without one.
    pub async fn issue(&self, credentials: &Credentials, scope: Option<&str>) -> Result<Issued, OAuthError> {
        let now = (self.clock)();
        let client = self.clients.authenticate(&credentials.id, &credentials.secret, now).await?;
        let allowed = Scopes::known(&client.scope);
        let scopes = match scope {
            None => allowed,
            Some(asked) => {
                let refused = || OAuthError::InvalidScope(allowed.to_string());
                let asked: Scopes = asked.parse().map_err(|_| refused())?;
                if asked.is_empty() || asked.within(&allowed) != asked {
                    return Err(refused());
                }
                asked
            }
        };
        let keys = self.keys.to_sign(now).await?;
        let key = keys.signing(now).ok_or(OAuthError::Broken("no signing key can be opened"))?;
        let expires_in = self.lifetime.as_secs();
        let claims = Claims::new(&self.issuer, &client.id, scopes.to_string(), now, expires_in.cast_signed())?;
        Ok(Issued { token: claims.sign(key)?, expires_in, scopes })
    }

    /// Who brings `token`, if it is good for all that an operation `needs`.
    pub async fn authorize(&self, token: Option<&str>, needs: &[Scope]) -> Result<Caller, OAuthError> {
        let token = token.ok_or(OAuthError::NoToken)?;
        let now = (self.clock)();
        let grant = match self.verified.get(token, now) {
            Some(grant) => grant,
            None => self.verify(token, now).await?,
        };
        match needs.iter().find(|scope| !grant.scopes.contains(**scope)) {
            Some(missing) => Err(OAuthError::InsufficientScope(*missing)),
            None => Ok(Caller { client_id: grant.client_id }),
        }
    }

    /// The public keys.
    pub async fn jwks(&self) -> Result<Vec<Jwk>, OAuthError> {
        let now = (self.clock)();
        Ok(self.keys.current(now).await?.live(now).filter_map(|key| key.jwk()).collect())
    }

    /// Checks `token` in full, and its client in the database.
    async fn verify(&self, token: &str, now: Timestamp) -> Result<Grant, OAuthError> {
        let unverified = Unverified::parse(token)?;
        let keys = self.keys.with(&unverified.kid, now).await?;
        let key = keys.find(&unverified.kid, now);
        let claims =
            unverified.verify(key.ok_or(OAuthError::InvalidToken("has an unknown key"))?, &self.issuer, now)?;
        let client = self.clients.find(&claims.client_id).await?.filter(|client| client.disabled_at.is_none());
        let client = client.ok_or(OAuthError::InvalidToken("belongs to a client that was removed"))?;
        let scopes = Scopes::known(&claims.scope).within(&Scopes::known(&client.scope));
        let grant = Grant { client_id: client.id.into(), scopes };
        let end = Timestamp::from_micros(claims.exp.saturating_mul(1_000_000)).unwrap_or(now);
        self.verified.put(token, grant.clone(), now, end.min(later(now, REMEMBERED)));
        Ok(grant)
    }
}

/// The signing keys in `store`.
pub fn keys(store: Arc<dyn OAuthStore>, settings: &config::OAuth) -> Result<Keys, OAuthError> {
    let sealer = Sealer::new(settings.key_secret.expose())?;
    Ok(Keys::new(store, sealer, settings.token_lifetime, settings.key_rotation))
}

#[cfg(test)]
mod tests;
