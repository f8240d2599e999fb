//! Why no token is given, or none is taken.

use farmlokal_catalog::store::StoreError;

use super::Scope;

/// Why the service gives no token, or takes none. The texts are for the client and hold no secrets.
#[derive(Debug, thiserror::Error)]
pub enum OAuthError {
    /// The request brings no token.
    #[error("This operation needs an access token: Authorization: Bearer …")]
    NoToken,
    /// The token is not one of ours, or no longer good.
    #[error("The access token {0}.")]
    InvalidToken(&'static str),
    /// The token is good, but not for this.
    #[error("The access token lacks the scope {0}.")]
    InsufficientScope(Scope),
    /// The token request cannot be understood.
    #[error("{0}")]
    InvalidRequest(&'static str),
    /// There is no such client, or this is not its secret. Which of them is not told.
    #[error("The client id or the client secret is wrong.")]
    InvalidClient,
    /// Another grant type than the one there is.
    #[error("grant_type must be client_credentials.")]
    UnsupportedGrantType,
    /// A scope that does not exist or that the client may not have.
    #[error("The client may have: {0}.")]
    InvalidScope(String),
    /// Too many secrets to be checked at once.
    #[error("Too many requests for tokens at once; try again in a second.")]
    Busy,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A key or a hash cannot be made or used: a bug of ours, or a broken row.
    #[error("{0}")]
    Broken(&'static str),
}
