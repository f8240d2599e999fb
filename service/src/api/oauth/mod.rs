//! Getting access tokens, and what others need to check them.

mod request;

use std::sync::Arc;

use poem_openapi::{ApiResponse, Object, OpenApi};
use serde::Serialize;

use super::answer::{Failure, Failures, Rendered};
use super::bearer::Scope;
use super::{Context, Tag};
use crate::oauth::key::ALGORITHM;
use crate::oauth::{Jwk, OAuthError, TokenRequested};
use request::TokenRequest;

/// How long what is published may be kept: shorter than a new key is published before it signs.
const PUBLISHED: &str = "public, max-age=60";

/// The operations on tokens.
pub struct OAuthApi(pub Arc<Context>);

/// An access token.
#[derive(Serialize, Object)]
#[oai(rename = "Token")]
pub struct TokenBody {
    /// The token, to be sent as `Authorization: Bearer …`.
    access_token: String,
    /// Always `Bearer`.
    token_type: String,
    /// For how many seconds it is good.
    expires_in: u64,
    /// What it is good for.
    scope: String,
}

/// Why there is no token (RFC 6749, 5.2).
#[derive(Serialize, Object)]
#[oai(rename = "TokenError")]
pub struct TokenErrorBody {
    /// `invalid_request`, `invalid_client`, `unsupported_grant_type` or `invalid_scope`.
    error: String,
    /// The same in words.
    error_description: String,
}

/// A token, or why there is none.
#[derive(ApiResponse)]
pub enum TokenAnswer {
    /// A token.
    #[oai(status = 200)]
    Token(
        Rendered<TokenBody>,
        /// Always `no-store`.
        #[oai(header = "Cache-Control")]
        String,
        /// Always `no-cache`.
        #[oai(header = "Pragma")]
        String,
    ),
    /// The request is wrong.
    #[oai(status = 400)]
    Refused(
        Rendered<TokenErrorBody>,
        /// Always `no-store`.
        #[oai(header = "Cache-Control")]
        String,
    ),
    /// The client's id or secret is wrong.
    #[oai(status = 401)]
    InvalidClient(
        Rendered<TokenErrorBody>,
        /// Always `no-store`.
        #[oai(header = "Cache-Control")]
        String,
        /// How a client is to show who it is.
        #[oai(header = "WWW-Authenticate")]
        String,
    ),
}

/// What this service is as an authorization server (RFC 8414).
#[derive(Serialize, Object)]
#[oai(rename = "AuthorizationServer")]
pub struct MetadataBody {
    /// Who issues the tokens.
    issuer: String,
    /// Where to get them.
    token_endpoint: String,
    /// Where the public keys are.
    jwks_uri: String,
    /// What a token may be good for.
    scopes_supported: Vec<String>,
    /// None: there is no authorization endpoint.
    response_types_supported: Vec<String>,
    /// `client_credentials`.
    grant_types_supported: Vec<String>,
    /// How clients show who they are.
    token_endpoint_auth_methods_supported: Vec<String>,
    /// Where all this is described.
    service_documentation: String,
}

/// What this service is as an authorization server.
#[derive(ApiResponse)]
pub enum MetadataAnswer {
    /// What this service is as an authorization server.
    #[oai(status = 200)]
    Metadata(
        Rendered<MetadataBody>,
        /// How long it may be kept.
        #[oai(header = "Cache-Control")]
        String,
    ),
}

/// The public keys (RFC 7517).
#[derive(Serialize, Object)]
#[oai(rename = "Jwks")]
pub struct JwksBody {
    /// The keys that tokens may be signed with.
    keys: Vec<JwkBody>,
}

/// A public key.
#[derive(Serialize, Object)]
#[oai(rename = "Jwk")]
pub struct JwkBody {
    /// `EC`.
    kty: String,
    /// `P-256`.
    crv: String,
    /// `sig`: for signatures.
    #[serde(rename = "use")]
    #[oai(rename = "use")]
    usage: String,
    /// `ES256`.
    alg: String,
    /// Its name, as tokens say it.
    kid: String,
    /// X coordinate, base64url.
    x: String,
    /// Y coordinate, base64url.
    y: String,
}

impl From<Jwk> for JwkBody {
    fn from(Jwk { kid, x, y }: Jwk) -> Self {
        let [kty, crv, usage, alg] = ["EC", "P-256", "sig", ALGORITHM].map(str::to_owned);
        Self { kty, crv, usage, alg, kid, x, y }
    }
}

/// The public keys.
#[derive(ApiResponse)]
pub enum JwksAnswer {
    /// The public keys.
    #[oai(status = 200)]
    Keys(
        Rendered<JwksBody>,
        /// How long they may be kept.
        #[oai(header = "Cache-Control")]
        String,
    ),
}

/// What else can go wrong with tokens.
pub struct TokenFailures;

impl Failures for TokenFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] =
        &[(503, "The database is away or busy, or too many clients ask for tokens at once.")];
}

/// What can go wrong in describing the server.
pub struct MetadataFailures;

impl Failures for MetadataFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] = &[(400, "There is a query parameter; there are none.")];
}

/// What can go wrong in listing keys.
pub struct JwksFailures;

impl Failures for JwksFailures {
    const DOCUMENTED: &'static [(u16, &'static str)] =
        &[(400, "There is a query parameter; there are none."), (503, "The database is away or busy.")];
}

#[OpenApi(tag = "Tag::Tokens")]
impl OAuthApi {
    /// Get an access token
    ///
    /// For the credentials of a client, in `Authorization: Basic` or in the form (RFC 6749, 4.4). The token
    /// is a JWT (RFC 9068), good for an hour; ask again when it ends. Errors are those of RFC 6749.
    #[oai(path = "/oauth/token", method = "post", operation_id = "getToken")]
    async fn token(&self, request: TokenRequest) -> Result<TokenAnswer, Failure<TokenFailures>> {
        let issued = match request.0 {
            Ok(asked) => self.0.oauth.issue(&asked.credentials, asked.scope.as_deref()).await,
            Err(error) => Err(error),
        };
        self.0.oauth.requests.add(TokenRequested::of(&issued));
        let no_store = "no-store".to_owned();
        let issued = match issued {
            Ok(issued) => issued,
            Err(error) => {
                let Some(code) = code(&error) else { return Err(error.into()) };
                let body = TokenErrorBody { error: code.to_owned(), error_description: error.to_string() };
                let body = Rendered::new(&body)?;
                return Ok(match error {
                    OAuthError::InvalidClient => {
                        TokenAnswer::InvalidClient(body, no_store, "Basic realm=\"farmlokal\"".to_owned())
                    }
                    _ => TokenAnswer::Refused(body, no_store),
                });
            }
        };
        let body = TokenBody {
            access_token: issued.token,
            token_type: "Bearer".to_owned(),
            expires_in: issued.expires_in,
            scope: issued.scopes.to_string(),
        };
        Ok(TokenAnswer::Token(Rendered::new(&body)?, no_store, "no-cache".to_owned()))
    }

    /// Describe the authorization server
    ///
    /// Where tokens and keys are, and what is supported (RFC 8414).
    #[oai(path = "/.well-known/oauth-authorization-server", method = "get", operation_id = "getAuthorizationServer")]
    async fn metadata(&self) -> Result<MetadataAnswer, Failure<MetadataFailures>> {
        let issuer = self.0.oauth.issuer();
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let body = Rendered::new(&MetadataBody {
            issuer: issuer.to_owned(),
            token_endpoint: format!("{issuer}/oauth/token"),
            jwks_uri: format!("{issuer}/.well-known/jwks.json"),
            scopes_supported: list(&Scope::ALL.map(Scope::name)),
            response_types_supported: list(&[]),
            grant_types_supported: list(&["client_credentials"]),
            token_endpoint_auth_methods_supported: list(&["client_secret_basic", "client_secret_post"]),
            service_documentation: format!("{issuer}/docs"),
        })?;
        Ok(MetadataAnswer::Metadata(body, PUBLISHED.to_owned()))
    }

    /// List the public keys
    ///
    /// What tokens are verified with (RFC 7517). A new key is listed for five minutes before it signs, and an
    /// old one until its last token has ended; ask again, but not for each token, when a token names another.
    #[oai(path = "/.well-known/jwks.json", method = "get", operation_id = "getKeys")]
    async fn keys(&self) -> Result<JwksAnswer, Failure<JwksFailures>> {
        let keys = self.0.oauth.jwks().await?.into_iter().map(Into::into).collect();
        Ok(JwksAnswer::Keys(Rendered::new(&JwksBody { keys })?, PUBLISHED.to_owned()))
    }
}

/// The code of RFC 6749, 5.2; `None` for what is not the client's fault.
fn code(error: &OAuthError) -> Option<&'static str> {
    match error {
        OAuthError::InvalidRequest(_) => Some("invalid_request"),
        OAuthError::InvalidClient => Some("invalid_client"),
        OAuthError::UnsupportedGrantType => Some("unsupported_grant_type"),
        OAuthError::InvalidScope(_) => Some("invalid_scope"),
        _ => None,
    }
}
