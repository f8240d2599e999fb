//! What is counted of tokens.

use super::OAuthError;
use crate::tally::counted;

counted! {
    /// What came of a request for a token.
    pub enum TokenRequested {
        /// A token.
        Issued = "issued",
        /// It cannot be understood.
        InvalidRequest = "invalid_request",
        /// No such client, or not its secret.
        InvalidClient = "invalid_client",
        /// Another grant type.
        UnsupportedGrantType = "unsupported_grant_type",
        /// Another scope than the client may have.
        InvalidScope = "invalid_scope",
        /// Our fault.
        Failed = "failed",
    }
}

counted! {
    /// What was found of a token that an operation needs.
    pub enum TokenChecked {
        /// It is good for that.
        Accepted = "accepted",
        /// There was none.
        Missing = "missing",
        /// It is not one of ours, or no longer good.
        Invalid = "invalid",
        /// It is good for less.
        InsufficientScope = "insufficient_scope",
        /// It could not be looked at.
        Failed = "failed",
    }
}

impl TokenRequested {
    /// What `outcome` counts as.
    pub fn of<T>(outcome: &Result<T, OAuthError>) -> Self {
        match outcome {
            Ok(_) => Self::Issued,
            Err(OAuthError::InvalidRequest(_)) => Self::InvalidRequest,
            Err(OAuthError::InvalidClient) => Self::InvalidClient,
            Err(OAuthError::UnsupportedGrantType) => Self::UnsupportedGrantType,
            Err(OAuthError::InvalidScope(_)) => Self::InvalidScope,
            Err(_) => Self::Failed,
        }
    }
}

impl TokenChecked {
    /// What `outcome` counts as.
    pub fn of<T>(outcome: &Result<T, OAuthError>) -> Self {
        match outcome {
            Ok(_) => Self::Accepted,
            Err(OAuthError::NoToken) => Self::Missing,
            Err(OAuthError::InvalidToken(_)) => Self::Invalid,
            Err(OAuthError::InsufficientScope(_)) => Self::InsufficientScope,
            Err(_) => Self::Failed,
        }
    }
}
