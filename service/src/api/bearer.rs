//! Access tokens at the door (RFC 6750). An operation that needs one has a parameter of type [`Caller`], with
//! the scope it needs as its attribute:
//!
//! ```text
//! #[oai(scope = "Scope::CatalogWrite")] caller: Caller,
//! ```
//!
//! The document says so, and [`contract`](super::contract) checks what the document says, before anything
//! else of the request is read. Endpoints outside the document call [`authorize`].

use std::sync::Arc;

use poem::http::header;
use poem::{Request, RequestBody, Response};
use poem_openapi::registry::{
    MetaOAuthFlow, MetaOAuthFlows, MetaOAuthScope, MetaOperation, MetaSecurityScheme, Registry,
};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, OAuthScopes};

use super::intercept::Interceptor;
use super::problem::{Kind, Problem};
use crate::limits::Authenticated;
pub use crate::oauth::{Caller, Scope};
use crate::oauth::{OAuth, OAuthError, TokenChecked};

/// The name of the security scheme in the document.
const SCHEME: &str = "OAuth2";

/// Whom `request` comes from, if its token is good for all that it `needs`.
pub async fn authorize(oauth: &OAuth, request: &Request, needs: &[Scope]) -> Result<Caller, Problem> {
    let outcome = match token(request) {
        Ok(token) => oauth.authorize(token, needs).await,
        Err(error) => Err(error),
    };
    oauth.checks.add(TokenChecked::of(&outcome));
    Ok(outcome?)
}

/// Notes in a request whom it comes from, whatever its token is good for; nothing without a good one.
pub(super) struct Identify(pub(super) Arc<OAuth>);

impl Interceptor for Identify {
    type Seen = ();

    async fn before(&self, request: &mut Request) -> ((), Option<Response>) {
        if let Ok(Some(token)) = token(request)
            && let Ok(caller) = self.0.authorize(Some(token), &[]).await
        {
            request.extensions_mut().insert(Authenticated(caller.client_id));
        }
        ((), None)
    }

    fn after(&self, (): (), _: &mut Response) {}
}

/// The token in `Authorization: Bearer …`. Nothing else carries one: a token in a URL ends up in logs.
fn token(request: &Request) -> Result<Option<&str>, OAuthError> {
    let mut fields = request.headers().get_all(header::AUTHORIZATION).iter();
    let (field, further) = (fields.next(), fields.next());
    if further.is_some() {
        return Err(OAuthError::InvalidToken("must be given once"));
    }
    let Some(field) = field else { return Ok(None) };
    let text = field.to_str().map_err(|_| OAuthError::InvalidToken("cannot be read"))?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    Ok(scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()))
}

/// The scopes that the description of `operation` asks for; `None` if it is open to everybody.
pub(super) fn needs(operation: &MetaOperation) -> Option<Vec<Scope>> {
    let scopes = operation.security.iter().flat_map(|scheme| scheme.values().flatten());
    let scopes = scopes.filter_map(|name| name.parse().ok()).collect();
    (!operation.security.is_empty()).then_some(scopes)
}

impl<'a> ApiExtractor<'a> for Caller {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        let flow = MetaOAuthFlow {
            authorization_url: None,
            token_url: Some("/oauth/token"),
            refresh_url: None,
            scopes: Scope::meta(),
        };
        let flows =
            MetaOAuthFlows { implicit: None, password: None, client_credentials: Some(flow), authorization_code: None };
        let scheme = MetaSecurityScheme {
            ty: "oauth2",
            description: Some("An access token for client credentials; an embedded instance prints a demo client's."),
            name: None,
            key_in: None,
            scheme: None,
            bearer_format: None,
            flows: Some(flows),
            openid_connect_url: None,
        };
        registry.create_security_scheme(SCHEME, scheme);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec![SCHEME]
    }

    async fn from_request(request: &'a Request, _: &mut RequestBody, _: ExtractParamOptions<()>) -> poem::Result<Self> {
        // Left there by the contract. Without it nobody has checked anything, and nobody gets in.
        let caller = request.extensions().get::<Self>().cloned();
        caller.ok_or_else(|| Problem::new(Kind::Internal, "The access token was not checked.").into())
    }
}

impl OAuthScopes for Scope {
    fn meta() -> Vec<MetaOAuthScope> {
        let scope = |scope: Self| MetaOAuthScope { name: scope.name(), description: Some(scope.description()) };
        Self::ALL.map(scope).into()
    }

    fn name(&self) -> &'static str {
        Self::name(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_found_in_its_one_place() {
        let with = |fields: &[&str]| {
            let mut request = Request::builder().uri_str("/?access_token=abc");
            for field in fields {
                request = request.header("authorization", *field);
            }
            request.finish()
        };
        let token = |fields: &[&str]| super::token(&with(fields)).ok().flatten().map(str::to_owned);
        for field in ["Bearer abc", "bearer abc", "BEARER  abc "] {
            assert_eq!(token(&[field]).as_deref(), Some("abc"), "{field}");
        }
        for fields in [&[][..], &["Basic abc"], &["abc"], &["Bearer abc", "Bearer abc"], &["Bearerabc"]] {
            assert_eq!(token(fields), None, "{fields:?}");
        }
        assert_eq!(token(&["Bearer"]).as_deref(), Some(""), "refused as a token");
    }
}
