//! A token request: a form, and credentials in it or in `Authorization: Basic` (RFC 6749, 2.3.1 and 4.4.2).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use poem::http::header;
use poem::{Request, RequestBody};
use poem_openapi::registry::{MetaMediaType, MetaRequest, Registry};
use poem_openapi::types::Type;
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, Object};

use crate::config::Secret;
use crate::oauth::{Credentials, OAuthError};

const FORM: &str = "application/x-www-form-urlencoded";

/// What a client sends for a token.
#[derive(Object)]
#[oai(rename = "TokenRequest")]
#[allow(dead_code, reason = "describes the form; it is read by hand, since its errors are those of RFC 6749")]
pub(super) struct TokenForm {
    /// `client_credentials`, the only grant there is.
    grant_type: GrantType,
    /// The scopes asked for, separated by spaces; all that the client may have without it.
    #[oai(skip_serializing_if_is_none)]
    scope: Option<String>,
    /// The client's id, unless `Authorization: Basic` has it.
    #[oai(skip_serializing_if_is_none)]
    client_id: Option<String>,
    /// The client's secret, unless `Authorization: Basic` has it.
    #[oai(skip_serializing_if_is_none)]
    client_secret: Option<String>,
}

/// The grants.
#[derive(poem_openapi::Enum)]
#[oai(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes the form")]
pub(super) enum GrantType {
    /// A token for the client itself.
    ClientCredentials,
}

/// A token request as it was understood, or why it was not.
pub(super) struct TokenRequest(pub(super) Result<Asked, OAuthError>);

/// Who asks, and for what.
pub(super) struct Asked {
    /// Who.
    pub(super) credentials: Credentials,
    /// For what; for all without it.
    pub(super) scope: Option<String>,
}

impl<'a> ApiExtractor<'a> for TokenRequest {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];

    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        TokenForm::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: FORM, schema: TokenForm::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let body = body.take()?.into_bytes().await?;
        let kind = request.content_type().and_then(|kind| kind.split(';').next()).unwrap_or_default();
        if !kind.trim().eq_ignore_ascii_case(FORM) {
            return Ok(Self(Err(OAuthError::InvalidRequest("Send a form: application/x-www-form-urlencoded."))));
        }
        let mut fields = request.headers().get_all(header::AUTHORIZATION).iter();
        let (field, further) = (fields.next(), fields.next());
        if further.is_some() {
            return Ok(Self(Err(OAuthError::InvalidRequest("Authorization must be given once."))));
        }
        Ok(Self(read(field.map(|field| field.as_bytes()), &body)))
    }
}

/// Reads `Authorization: field`, if there is one, and the form in `body`.
fn read(field: Option<&[u8]>, body: &[u8]) -> Result<Asked, OAuthError> {
    let [mut grant_type, mut scope, mut client_id, mut client_secret] = [const { None }; 4];
    for (name, value) in url::form_urlencoded::parse(body) {
        let place = match &*name {
            "grant_type" => &mut grant_type,
            "scope" => &mut scope,
            "client_id" => &mut client_id,
            "client_secret" => &mut client_secret,
            // RFC 6749, 3.2: what is not known is ignored.
            _ => continue,
        };
        if place.is_some() {
            return Err(OAuthError::InvalidRequest("Each parameter must be given once."));
        }
        *place = Some(value.into_owned());
    }
    // RFC 6749, 3.2: empty is as good as left out.
    let given = |value: Option<String>| value.filter(|value| !value.is_empty());
    match given(grant_type).as_deref() {
        Some("client_credentials") => {}
        Some(_) => return Err(OAuthError::UnsupportedGrantType),
        None => return Err(OAuthError::InvalidRequest("grant_type is missing.")),
    }
    let credentials = match (field, given(client_id), given(client_secret)) {
        (Some(_), _, Some(_)) => {
            return Err(OAuthError::InvalidRequest("Send the client's secret in one place only."));
        }
        (Some(field), id, None) => {
            let credentials = basic(field).ok_or(OAuthError::InvalidClient)?;
            if id.is_some_and(|id| id != credentials.id) {
                return Err(OAuthError::InvalidRequest("client_id is another one than that of Authorization."));
            }
            credentials
        }
        (None, Some(id), Some(secret)) => Credentials { id, secret: Secret::new(secret) },
        (None, _, _) => return Err(OAuthError::InvalidClient),
    };
    Ok(Asked { credentials, scope: given(scope) })
}

/// The credentials in `Basic …`. RFC 6749 has them form-encoded before; ids and secrets of ours are made of
/// letters, digits, `-` and `_`, which that encoding leaves alone.
fn basic(field: &[u8]) -> Option<Credentials> {
    let (scheme, encoded) = str::from_utf8(field).ok()?.split_once(' ')?;
    let decoded = String::from_utf8(BASE64.decode(encoded.trim()).ok()?).ok()?;
    let (id, secret) = decoded.split_once(':')?;
    let basic = scheme.eq_ignore_ascii_case("basic");
    basic.then(|| Credentials { id: id.to_owned(), secret: Secret::new(secret.to_owned()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRANT: &str = "grant_type=client_credentials";

    fn asked(field: Option<&str>, body: &str) -> Result<(String, String, Option<String>), String> {
        let asked = read(field.map(str::as_bytes), body.as_bytes()).map_err(|error| format!("{error:?}"))?;
        Ok((asked.credentials.id, asked.credentials.secret.expose().to_owned(), asked.scope))
    }

    #[test]
    fn credentials_come_by_head_or_body() {
        let found = |scope: Option<&str>| Ok(("a".to_owned(), "s:x".to_owned(), scope.map(str::to_owned)));
        let basic = format!("Basic {}", BASE64.encode("a:s:x"));
        assert_eq!(asked(Some(&basic), GRANT), found(None));
        assert_eq!(asked(Some(&basic.replace("Basic", "bAsIc")), &format!("{GRANT}&scope=&client_id=a")), found(None));
        let body = format!("{GRANT}&client_id=a&client_secret=s%3Ax&scope=admin+catalog%3Aread&unknown=1&unknown=2");
        assert_eq!(asked(None, &body), found(Some("admin catalog:read")));
    }

    #[test]
    fn what_is_wrong_is_told_as_rfc_6749_says() {
        let basic = format!("Basic {}", BASE64.encode("a:s"));
        for (field, body, error) in [
            (None, String::new(), "InvalidRequest"),
            (Some(&*basic), "grant_type=".to_owned(), "InvalidRequest"),
            (Some(&*basic), format!("{GRANT}&{GRANT}"), "InvalidRequest"),
            (Some(&*basic), "grant_type=password".to_owned(), "UnsupportedGrantType"),
            (Some(&*basic), format!("{GRANT}&client_secret=s"), "InvalidRequest"),
            (Some(&*basic), format!("{GRANT}&client_id=b"), "InvalidRequest"),
            (None, GRANT.to_owned(), "InvalidClient"),
            (None, format!("{GRANT}&client_id=a"), "InvalidClient"),
            (None, format!("{GRANT}&client_secret=s"), "InvalidClient"),
            (Some("Basic"), GRANT.to_owned(), "InvalidClient"),
            (Some("Basic !!!"), GRANT.to_owned(), "InvalidClient"),
            (Some("Basic YQ=="), GRANT.to_owned(), "InvalidClient"),
            (Some("Bearer YTpz"), GRANT.to_owned(), "InvalidClient"),
        ] {
            let told = asked(field, &body).unwrap_err();
            assert!(told.starts_with(error), "{field:?} {body}: {told}");
        }
    }
}
